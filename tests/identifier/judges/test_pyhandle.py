"""The node's JSON interface, driven by pyhandle 1.5.0, and by our own client of it."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from edge_config.models.base import Secret
from edge_config.models.identifiers.registries import HandleJsonNode, SecretKeyLogin
from gateway.identifier.record import Record, Value
from gateway.identifier.registering.handle_json import HandleJsonRegistry
from gateway.identifier.registering.registry import Outcome
from tests.identifier.node.handle_face import SECRET, asking, key_of
from tests.support.peers import FOREIGN, free_port, missing, wait_for_port
from tests.support.waiting import SOON_S

PREFIX = "88.999.QZ01"
ADMIN = f"{PREFIX}/ADMIN"


class Pyhandle:
    """pyhandle in a process of its own."""

    def __init__(self, python: Path, url: str) -> None:
        script = FOREIGN / "python" / "pyhandle_peer.py"
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([python, script], stdin=pipe, stdout=pipe, text=True)
        self._say([url, key_of("qz01"), SECRET, PREFIX])

    def _say(self, line: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()

    def _do(self, method: str, arguments: Any, named: Any) -> dict[str, Any]:
        self._say([method, arguments, named])
        assert self.process.stdout is not None
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    async def do(self, method: str, *arguments: Any, **named: Any) -> Any:
        """What a method says, or the name of its error."""
        answer = await asyncio.to_thread(self._do, method, arguments, named)
        return answer.get("said") if "said" in answer else answer["error"]

    def close(self) -> None:
        self.process.communicate(timeout=SOON_S)


@pytest.fixture(scope="module")
def python() -> Path:
    """Of the environment that ``make foreign-peers`` makes for pyhandle."""
    found = Path(sys.prefix) / "pyhandle" / "bin" / "python"
    if not found.exists():
        missing("pyhandle", "make foreign-peers")
    return found


@asynccontextmanager
async def listening(folder: Path) -> AsyncIterator[str]:
    """A node on loopback; gives its URL."""
    async with asking(folder) as client:
        port = free_port()
        options = uvicorn.Config(client.app, "127.0.0.1", port, log_level="error", lifespan="off")
        server = uvicorn.Server(options)
        serving = asyncio.create_task(server.serve())
        try:
            await asyncio.to_thread(wait_for_port, port)
            url = {"index": 1, "type": "URL", "data": "http://admin"}
            path = f"/handles/{ADMIN}"
            assert (await client.ask("PUT", path, key_of("qz01"), json=url))[0] == 201
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            await serving


async def test_pyhandle_registers_reads_changes_and_deletes(python: Path, tmp_path: Path) -> None:
    handle = f"{PREFIX}/451.磨床"
    async with listening(tmp_path) as url:
        peer = Pyhandle(python, url)
        try:
            made = await peer.do("register_handle", handle, "http://a.cn", DESC="1#注塑机")
            again = await peer.do("register_handle", handle, "http://b.cn")
            read = await peer.do("retrieve_handle_record", handle)
            changed = await peer.do(
                "modify_handle_value", handle, URL="http://c.cn", EMAIL="a@b.cn"
            )
            after = await peer.do("retrieve_handle_record", handle)
            await peer.do("delete_handle_value", handle, "EMAIL")
            fewer = await peer.do("retrieve_handle_record", handle)
            own = await peer.do("generate_and_register_handle", PREFIX, "http://d.cn")
            where = await peer.do("get_value_from_handle", own, "URL")
            deleted = await peer.do("delete_handle", handle)
            gone = await peer.do("retrieve_handle_record", handle)
            foreign = await peer.do("register_handle", "88.999.QZ02/1", "http://a.cn")
        finally:
            await asyncio.to_thread(peer.close)
    assert (made, again) == (handle, "HandleAlreadyExistsException")
    assert (read["URL"], read["DESC"]) == ("http://a.cn", "1#注塑机")
    assert changed != "HandleNotFoundException"
    assert (after["URL"], after["EMAIL"]) == ("http://c.cn", "a@b.cn")
    assert "EMAIL" not in fewer
    assert fewer["DESC"] == "1#注塑机"
    assert (own.partition("/")[0], where) == (PREFIX, "http://d.cn")
    assert gone is None, (deleted, gone)
    assert foreign.endswith(("Exception", "Error"))


async def test_our_client_registers_at_it(tmp_path: Path) -> None:
    record = Record(f"{PREFIX}/m1", "1", (Value(2000, "t0", "a"), Value(2001, "t1", "b")))
    changed = Record(record.handle, "1", (Value(2000, "t0", "c"),))
    async with listening(tmp_path) as url:
        kept = tmp_path / "secret"
        kept.write_text(SECRET)
        kept.chmod(0o600)
        login = SecretKeyLogin(type="secret-key", secret=Secret(file=kept))
        node = HandleJsonNode(
            type="handle-json",
            url=url,
            identity=key_of("qz01"),
            login=login,
        )
        registry = HandleJsonRegistry(node, 30.0)
        try:
            assert (await registry.login()).outcome is Outcome.OK
            steps = [
                *(await registry.create([record])),
                *(await registry.create([record])),
                *(await registry.update([changed])),
                *(await registry.withdraw([changed], "误录")),
            ]
            reading = await registry.read(record.handle)
        finally:
            await registry.close()
    assert [one.outcome for one in steps] == [Outcome.OK, Outcome.EXISTS, Outcome.OK, Outcome.OK]
    assert reading.outcome is Outcome.NOT_FOUND
