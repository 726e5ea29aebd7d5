"""Chromium without a window, driven over its DevTools protocol."""

import asyncio
import base64
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
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
    # Else a process for a page to come is begun with each page: a third of what a page costs.
    "--disable-features=SpareRendererForSitePerProcess",
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
        self._asked_to_wait = set[str]()

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
        elif method == "Network.responseReceived" and _asks_to_wait(what):
            self._asked_to_wait.add(what["response"]["url"])
        elif method == "Log.entryAdded" and what["entry"]["level"] in {"error", "warning"}:
            entry = what["entry"]
            if not (" 503 " in entry["text"] and entry.get("url") in self._asked_to_wait):
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
        """Open an address and wait until it has loaded, and is not the page that asks to wait."""
        await self.command("Page.navigate", url=url)
        here = f"location.href.startsWith({json.dumps(_origin(url))})"
        comes_back = "document.head.querySelector(':scope > meta[http-equiv=refresh]')"
        await self.until(f"{here} && performance.timing.loadEventEnd > 0 && !{comes_back}")

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


def _asks_to_wait(received: dict[str, Any]) -> bool:
    """Whether a page came that is still being made: on a busy machine that is no problem of it."""
    answer = received["response"]
    named = {name.lower() for name in answer["headers"]}
    return bool(
        answer["status"] == 503 and received["type"] == "Document" and "retry-after" in named
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@asynccontextmanager
async def chromium() -> AsyncIterator[Page]:
    """A page of its own context: cookies, storage and caches of no other, and none remain after.

    The browser itself is one of the test process, begun with its first page: a start is costly.
    """
    address = await asyncio.to_thread(BROWSER.address)
    async with connect(address, max_size=None, proxy=None) as socket:
        page = Page(socket, "")
        listener = asyncio.ensure_future(page.listen())
        try:
            await _attach(page)
            yield page
        finally:
            listener.cancel()


async def _attach(page: Page) -> None:
    """Open the page; its context ends with the connection, whatever became of the test."""
    context = await page.command("Target.createBrowserContext", disposeOnDetach=True)
    target = await page.command(
        "Target.createTarget", url="about:blank", browserContextId=context["browserContextId"]
    )
    attached = await page.command(
        "Target.attachToTarget", targetId=target["targetId"], flatten=True
    )
    page.attach(attached["sessionId"])
    for domain in ("Page", "Runtime", "Network", "Log"):
        await page.command(f"{domain}.enable")


class Browser:
    """The browser of this process; one that died is begun anew."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = Path()

    def address(self) -> str:
        """Where it listens."""
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._folder = Path(tempfile.mkdtemp(prefix="chromium-"))
            self._process = subprocess.Popen(
                [_binary(), *FLAGS, f"--user-data-dir={self._folder}", "about:blank"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        return _address(self._folder / "DevToolsActivePort")

    def close(self) -> None:
        """End it; nothing of it remains."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            shutil.rmtree(self._folder, ignore_errors=True)  # a dying helper may still write
            self._process = None


BROWSER = Browser()


def _binary() -> str:
    """Chromium without what draws windows, which takes a third of a page's work though nobody
    sees it; the whole one, which draws the same pages, where only that is installed."""
    return shutil.which("chromium-headless-shell", path="/usr/lib/chromium") or program(
        "chromium", "chromium-headless-shell", "/usr/lib/chromium"
    )


def _address(file: Path) -> str:
    """Where the browser listens; it writes a file when it does."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        lines = file.read_text().splitlines() if file.exists() else []
        if len(lines) >= 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        time.sleep(0.05)
    raise AssertionError(f"the browser did not begin to listen within {START_S:g} s")
