"""Chromium without a window, driven over its DevTools protocol."""

import asyncio
import base64
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect

from tests.support.peers import foreign_script, program

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--disable-extensions", "--mute-audio", "--hide-scrollbars",
    "--remote-debugging-port=0",
)  # fmt: skip
START_S = 90.0
COMMAND_S = 60.0
DEADLINE_S = 60.0


class Page:
    """One page; remembers what it asked the network for and what went wrong in it."""

    def __init__(self, socket: ClientConnection, session: str) -> None:
        self._socket = socket
        self._session = session
        self._count = 0
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.requests: list[str] = []
        self.problems: list[str] = []

    async def listen(self) -> None:
        """Take in what the browser says, until cancelled."""
        async for text in self._socket:
            message = json.loads(text)
            if "id" in message:
                answer = self._answers.pop(message["id"], None)
                if answer is not None and not answer.done():
                    answer.set_result(message)
            else:
                self._note(message["method"], message.get("params", {}))

    def _note(self, method: str, what: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(what["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.problems.append(str(what["exceptionDetails"]))
        elif method == "Log.entryAdded" and what["entry"]["level"] in {"error", "warning"}:
            entry = what["entry"]
            self.problems.append(f"{entry['text']} {entry.get('url', '')}")
        elif method == "Runtime.consoleAPICalled" and what["type"] in {"error", "warning"}:
            self.problems.append(str(what["args"]))

    async def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One DevTools command and its result."""
        self._count += 1
        number = self._count
        self._answers[number] = asyncio.get_running_loop().create_future()
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        await self._socket.send(json.dumps(message))
        async with asyncio.timeout(COMMAND_S):
            answer = await self._answers[number]
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def attach(self, session: str) -> None:
        """Talk to one page from now on."""
        self._session = session

    async def goto(self, url: str) -> None:
        """Open an address and wait until it has loaded."""
        await self.command("Page.navigate", url=url)
        here = f"location.href.startsWith({json.dumps(_origin(url))})"
        await self.until(f"{here} && performance.timing.loadEventEnd > 0")

    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression; promises are awaited."""
        result = await self.command(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in result:
            raise AssertionError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    async def until(self, expression: str, deadline_s: float = DEADLINE_S) -> Any:
        """Wait until a JavaScript expression is true."""
        try:
            async with asyncio.timeout(deadline_s):
                while True:
                    try:
                        value = await self.evaluate(expression)
                    except AssertionError:  # the page is being replaced
                        value = None
                    if value:
                        return value
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"never true: {expression}; {self.problems}") from None

    async def click(self, selector: str) -> None:
        """Click the middle of the first element that a selector finds, as a person does."""
        find = f"document.querySelector({json.dumps(selector)})"
        await self.until(f"!!{find}")
        place = await self.evaluate(
            f"(() => {{ const e = {find}; e.scrollIntoView({{block: 'center'}});"
            "const r = e.getBoundingClientRect();"
            "return [r.left + r.width / 2, r.top + r.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self.command(
                "Input.dispatchMouseEvent",
                type=kind, x=place[0], y=place[1], button="left", clickCount=1,
            )  # fmt: skip

    async def type(self, selector: str, text: str) -> None:
        """Type into a field."""
        await self.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")
        await self.command("Input.insertText", text=text)

    async def press(self, key: str) -> None:
        """Press a key, as a person does: a character, ``Enter``, ``ArrowRight``."""
        text = "\r" if key == "Enter" else key if len(key) == 1 else ""
        await self.command("Input.dispatchKeyEvent", type="keyDown", key=key, text=text)
        await self.command("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def viewport(self, width: int, height: int, *, mobile: bool = False) -> None:
        """Size of the window in CSS pixels."""
        await self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=2 if mobile else 1, mobile=mobile,
        )  # fmt: skip

    async def colours(self, scheme: str) -> None:
        """What the system prefers: ``light`` or ``dark``."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await self.command("Emulation.setEmulatedMedia", features=features)

    async def barriers(self) -> list[str]:
        """What keeps people out of the page as it stands, as axe-core finds it."""
        script = foreign_script("node_modules/axe-core/axe.min.js")
        axe = await asyncio.to_thread(script.read_text, "utf-8")
        await self.evaluate(f"{axe};0")
        found: list[str] = await self.evaluate(
            "axe.run().then(found => found.violations.flatMap(rule => rule.nodes.map(node =>"
            " `${rule.id}: ${node.target.join(' ')}: ${node.failureSummary}`)))"
        )
        return found

    async def screenshot(self, path: Path, *, whole: bool = True) -> None:
        """Save the page as PNG."""
        shot = await self.command("Page.captureScreenshot", captureBeyondViewport=whole)
        await asyncio.to_thread(path.write_bytes, base64.b64decode(shot["data"]))

    async def forget(self) -> None:
        """Drop cookies and what has been noted."""
        await self.command("Network.clearBrowserCookies")
        self.requests.clear()
        self.problems.clear()

    def foreign(self, url: str) -> list[str]:
        """Requests that left the origin of an address."""
        own = _origin(url)
        return [asked for asked in self.requests if not asked.startswith((own, "data:", "about:"))]


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@asynccontextmanager
async def chromium(*flags: str) -> AsyncIterator[Page]:
    """A fresh browser with one page; nothing of it remains afterwards."""
    binary = program("chromium", "chromium", "/usr/lib/chromium")
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="chromium-"))
    process = await asyncio.create_subprocess_exec(
        binary, *FLAGS, *flags, f"--user-data-dir={folder}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        address = await _address(folder)
        async with connect(address, max_size=None, proxy=None) as socket:
            page = Page(socket, "")
            listener = asyncio.ensure_future(page.listen())
            try:
                await _attach(page)
                yield page
            finally:
                listener.cancel()
    finally:
        process.kill()
        await process.wait()
        await asyncio.to_thread(_remove, folder)


async def _attach(page: Page) -> None:
    targets = (await page.command("Target.getTargets"))["targetInfos"]
    target = next(info["targetId"] for info in targets if info["type"] == "page")
    attached = await page.command("Target.attachToTarget", targetId=target, flatten=True)
    page.attach(attached["sessionId"])
    for domain in ("Page", "Runtime", "Network", "Log"):
        await page.command(f"{domain}.enable")


async def _address(folder: Path) -> str:
    """Where the browser listens; it writes a file when it does."""
    file = folder / "DevToolsActivePort"
    lines = await _eventually(lambda: _lines(file))
    return f"ws://127.0.0.1:{lines[0]}{lines[1]}"


async def _lines(file: Path) -> list[str]:
    if not await asyncio.to_thread(file.exists):
        return []
    lines = (await asyncio.to_thread(file.read_text)).splitlines()
    return lines if len(lines) >= 2 else []


async def _eventually(look: Callable[[], Awaitable[list[str]]]) -> list[str]:
    async with asyncio.timeout(START_S):
        while not (found := await look()):  # noqa: ASYNC110 - another process writes the file
            await asyncio.sleep(0.05)
    return found


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # a dying helper process may still write
