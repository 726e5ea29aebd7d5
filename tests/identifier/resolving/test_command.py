"""``qulink id resolve``, as it is typed."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.cli.main import build
from gateway.identifier.irp.bodies import Fault, Held, Question, write_fault, write_held
from gateway.identifier.irp.codes import Rc
from gateway.identifier.irp.values import Value
from tests.identifier.irp.servers import answering
from tests.identifier.irp.test_walk import replies
from tests.support.city import city_file

MACHINE = "88.999.QZ01/451.000001"


def knows(question: Question) -> tuple[Rc, bytes]:
    if question.handle != MACHINE:
        return Rc.HANDLE_NOT_FOUND, write_fault(Fault())
    return Rc.OK, write_held(Held(MACHINE, (Value(2003, "serialNo", b"S-1", ttl_s=0),)))


async def typed(*arguments: object) -> Result:
    runner = CliRunner(env={"COLUMNS": "220"})
    words = ["id", "resolve", *map(str, arguments)]
    return await asyncio.to_thread(runner.invoke, build(["id"]), words)


async def test_the_way_is_shown() -> None:
    async with answering(replies(knows)) as port:
        shown = await typed(f"hdl:{MACHINE}", "--at", f"127.0.0.1:{port}", "--trace")
        as_json = await typed(MACHINE, "--at", f"127.0.0.1:{port}", "--json")
        absent = await typed(f"{MACHINE}2", "--at", f"127.0.0.1:{port}")
    assert shown.exit_code == 0, shown.output
    assert "serialNo" in shown.stdout
    assert f"127.0.0.1:{port} tcp" in shown.stdout
    assert json.loads(as_json.stdout)["items"][0]["text"] == "S-1"
    assert (absent.exit_code, "not found" in absent.stderr) == (1, True)


async def test_a_city_asks_its_sources_and_keeps_what_it_found(tmp_path: Path) -> None:
    async with answering(replies(knows)) as port:
        native = {"type": "native", "servers": [f"127.0.0.1:{port}"]}
        config = city_file(
            tmp_path, "127.0.0.1:1", resolver={"sources": [native], "timeout_ms": 500}
        )
        fresh = await typed(MACHINE, "--config", config)
    stale = await typed(MACHINE, "--config", config, "--trace")
    assert fresh.exit_code == 0, fresh.output
    assert "stale" not in fresh.stdout
    assert stale.exit_code == 0, stale.output
    assert "(stale)" in stale.stdout
    assert "S-1" in stale.stdout
    assert (tmp_path / "resolved.db").exists()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("1#注塑机", "--at", "127.0.0.1:1"), "no system that is known"),
        (("88.999.QZ01", "--at", "127.0.0.1:1"), "a slash and a suffix"),
        ((MACHINE, "--at", "nowhere"), "--at: must be host:port"),
        ((MACHINE,), "say whom to ask"),
        ((MACHINE, "--at", "127.0.0.1:1", "--timeout-ms", 300), "no server could be asked"),
        (("1.2.156.1", "--at", "127.0.0.1:1"), "nobody is configured for oid"),
    ],
)
async def test_what_is_wrong_is_said(arguments: tuple[object, ...], why: str) -> None:
    done = await typed(*arguments)
    assert done.exit_code == 1
    assert why in done.stderr
