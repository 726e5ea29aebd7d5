"""What each driver finds out of a device for ``qulink test``, and who is told what to do."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.web.i18n import LANGUAGES, catalog
from tests.drivers.dlt645.peers import ONE, OTHER, SILENT, library_meter, line, meter
from tests.drivers.mc.odd_plc import Asked, odd_plc
from tests.drivers.mc.peers import virtual_plc
from tests.drivers.opcua.server import AsyncuaServer
from tests.drivers.s7.odd_plc import odd_plc as odd_cpu
from tests.drivers.s7.peers import snap7_server
from tests.edge.one_device import configured
from tests.support.command import qulink

Steps = list[dict[str, Any]]
pytestmark = pytest.mark.timeout(300)


async def steps_of(*words: object) -> Steps:
    done = await asyncio.to_thread(qulink, "test", *words, "--json")
    assert done.stdout, done.stderr
    steps: Steps = json.loads(done.stdout)
    return steps[[one["step"] for one in steps].index("connect") + 1 :]


def verdicts(steps: Steps) -> list[tuple[str, bool | None, str]]:
    return [(one["step"], one["is_ok"], one["fault"]) for one in steps]


@pytest.mark.parametrize("frame", ["3e", "4e"])
async def test_a_controller_tells_its_model(frame: str) -> None:
    with virtual_plc() as (port, _):
        steps = await steps_of("mc", f"tcp://127.0.0.1:{port}?frame={frame}")
    assert verdicts(steps) == [("frame", True, ""), ("model", True, ""), ("function", True, "")]
    assert f"{frame.upper()} frames, binary code" in steps[0]["tried"]
    assert "code " in steps[1]["found"]


@pytest.mark.parametrize(("spoken", "written"), [("3e", "4e"), ("4e", "3e")])
async def test_a_controller_that_hears_other_frames_is_found(spoken: str, written: str) -> None:
    begin = {"3e": b"\x50\0", "4e": b"\x54\0"}[spoken]

    def script(asked: Asked) -> list[bytes]:
        return [asked.answer(asked.words)] if asked.begin[:2] == begin else []

    async with odd_plc(script) as port:
        url = f"tcp://127.0.0.1:{port}?frame={written}&request_timeout_ms=300"
        steps = await steps_of("mc", url)
    assert verdicts(steps) == [("frame", False, "silent"), ("frame", False, "wrong_answer")]
    assert steps[1]["found"] == f"answered: write frame: {spoken}"


async def test_a_silent_controller_may_be_set_to_ascii() -> None:
    async with odd_plc(lambda _: []) as port:
        steps = await steps_of("mc", f"tcp://127.0.0.1:{port}?request_timeout_ms=300")
    assert verdicts(steps) == [("frame", False, "silent"), ("frame", None, "")]
    assert "is the port set to binary code?" in steps[1]["found"]


@pytest.mark.parametrize(
    ("end", "step", "fault"),
    [(0xCF71, "station", "behind_gateway"), (0xC201, "function", "refused")],
)
async def test_end_codes_of_the_whole_are_told_apart(end: int, step: str, fault: str) -> None:
    async with odd_plc(lambda asked: [asked.answer(b"", end)]) as port:
        (only,) = await steps_of("mc", f"tcp://127.0.0.1:{port}?network=2&pc=3")
    assert (only["step"], only["is_ok"], only["fault"]) == (step, False, fault)
    assert f"{end:04X}H" in only["found"]


async def test_a_cpu_says_how_long_messages_may_be_and_lets_itself_be_read(tmp_path: Path) -> None:
    with snap7_server() as server:
        connection = {"host": "127.0.0.1", "port": server.port, "rack": 0, "slot": 2}
        tags = [{"name": "a", "address": "DB10.DBW0:int"}, {"name": "b", "address": "DB99.DBW0"}]
        config = configured(tmp_path, "s7", connection, tags)
        steps = await steps_of(config, "press-1")
    assert verdicts(steps) == [
        ("station", True, ""),
        ("function", True, ""),
        ("function", True, ""),
        ("model", True, ""),
        ("address", False, ""),
    ]
    assert steps[3]["found"] == "6ES7 315-2EH14-0AB0"
    assert "rack 0, slot 2 (TSAP 0102H)" in steps[0]["tried"]
    assert "bytes" in steps[0]["found"]


@pytest.mark.parametrize(
    ("error", "words"), [(0x8104, "tick 'Permit access with PUT/GET"), (0xD241, "protection level")]
)
async def test_a_cpu_that_lets_nobody_read_is_told_with_what_to_tick(
    error: int, words: str
) -> None:
    async with odd_cpu(lambda asked: [asked.answer(b"", error=error)]) as port:
        steps = await steps_of("s7", f"tcp://127.0.0.1:{port}")
    refused = [("station", True, ""), ("function", False, "refused"), ("model", None, "")]
    assert verdicts(steps) == refused
    assert "PUT/GET: read MB0" in steps[1]["tried"]
    assert words in steps[1]["found"]


async def test_a_cpu_that_refuses_one_byte_may_be_sound() -> None:
    """It has no such byte, or a fault of its own: nobody need tick anything."""
    async with odd_cpu(lambda asked: [asked.answer(bytes((0x05, 0, 0, 0)))]) as port:
        steps = await steps_of("s7", f"tcp://127.0.0.1:{port}")
    assert verdicts(steps)[1:3] == [("function", None, "")] * 2


async def test_a_meter_that_answers_is_named() -> None:
    with library_meter() as theirs:
        port = theirs.server.port
        steps = await steps_of("dlt645", f"tcp://127.0.0.1:{port}?meter={ONE}")
    assert verdicts(steps) == [("meter", True, "")]
    assert ONE in steps[0]["found"]


async def test_the_only_meter_of_a_line_is_found_under_its_own_number() -> None:
    async with line(meter(OTHER)) as (_, proxy):
        steps = await steps_of("dlt645", url(proxy.port, wake_up=0))
    assert verdicts(steps) == [
        ("meter", False, "meter_silent"),
        ("wake_up", None, ""),
        ("other_meter", False, "wrong_meter"),
    ]
    assert steps[-1]["found"] == f"meter {OTHER} is there"


async def test_of_several_meters_nobody_asks_all_at_once(tmp_path: Path) -> None:
    async with line(meter(OTHER)) as (server, proxy):
        shared = {"host": "127.0.0.1", "port": proxy.port, "request_timeout_ms": 300}
        tags = [{"name": "v", "address": "02010100"}]
        config = configured(tmp_path, "dlt645", {**shared, "meter": SILENT}, tags)
        document = yaml.safe_load(config.read_text(encoding="utf-8"))
        other = {**document["devices"][0], "id": "press-2", "asset_no": "M2"}
        document["devices"].append({**other, "connection": {**shared, "meter": OTHER}})
        config.write_text(yaml.safe_dump(document), encoding="utf-8")
        steps = await steps_of(config, "press-1")
        assert [one["step"] for one in steps] == ["meter"]
        assert server.meters[OTHER].asked == 0
        said = await asyncio.to_thread(qulink, "test", config, "press-1")
    assert "Compare the number of the meter with its plate" in said.stdout
    assert "unit" not in said.stdout.partition("Meter")[2]


def url(port: int, **keys: object) -> str:
    more = "".join(f"&{key}={value}" for key, value in keys.items())
    return f"tcp://127.0.0.1:{port}?meter={SILENT}&request_timeout_ms=300{more}"


async def test_a_session_says_how_it_is_secured_and_what_there_is() -> None:
    with AsyncuaServer() as server:
        steps = await steps_of("opcua", f"{server.url}?security=none")
    assert verdicts(steps) == [
        ("security", None, ""),
        ("login", True, ""),
        ("namespaces", True, ""),
    ]
    assert "0: http://opcfoundation.org/UA/" in steps[2]["found"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_and_fault_of_the_drivers_has_words(language: Any) -> None:
    known = catalog(language)
    steps = "frame station model meter other_meter wake_up security login namespaces function"
    faults = "wrong_meter meter_silent silent wrong_answer behind_gateway refused"
    wanted = [f"test_step.{one}" for one in steps.split()]
    wanted += [f"{kind}.{one}" for one in faults.split() for kind in ("fault", "fault_advice")]
    assert [key for key in wanted if key not in known] == []
    assert {known["fault.wrong_meter"], known["fault_advice.meter_silent"]}.isdisjoint({""})
