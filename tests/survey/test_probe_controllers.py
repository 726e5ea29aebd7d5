"""``qulink probe`` of controllers and meters: found, named, and written into a configuration."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.drivers.dlt645.peers import ONE, OTHER, library_meter, line, meter
from tests.drivers.mc.odd_plc import Asked, odd_plc
from tests.drivers.mc.peers import virtual_plc
from tests.drivers.s7.peers import snap7_server
from tests.edge.plant import USCC
from tests.support.command import qulink

pytestmark = pytest.mark.timeout(300)


async def found(*words: object) -> dict[str, Any]:
    done = await asyncio.to_thread(qulink, "probe", *words, "--json")
    assert done.stdout, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


async def test_a_controller_is_found_with_its_model() -> None:
    with virtual_plc() as (port, _):
        (only,) = (await found("mc", f"tcp://127.0.0.1:{port}"))["devices"]
    assert only["connection"] == {"host": "127.0.0.1", "port": port, "frame": "3e"}
    assert "code " in only["identity"]["model"]


async def test_the_frames_that_a_controller_takes_are_found() -> None:
    def script(asked: Asked) -> list[bytes]:
        return [asked.answer(b"Q03UDVCPU       \x66\x03")] if asked.begin[:1] == b"\x54" else []

    async with odd_plc(script) as port:
        answer = await found("mc", f"tcp://127.0.0.1:{port}?request_timeout_ms=300")
    (only,) = answer["devices"]
    assert only["connection"]["frame"] == "4e"
    assert only["identity"] == {"model": "Q03UDVCPU, code 0366H"}


async def test_a_cpu_is_found() -> None:
    with snap7_server() as server:
        (only,) = (await found("s7", f"tcp://127.0.0.1:{server.port}"))["devices"]
    assert (only["connection"]["rack"], only["connection"]["slot"]) == (0, 1)
    assert only["identity"]["PUT/GET: read MB0"] == "allowed"
    assert only["identity"]["order number of the CPU (SZL 0011)"] == "6ES7 315-2EH14-0AB0"


async def test_the_meter_of_a_line_is_found_and_written(tmp_path: Path) -> None:
    config = tmp_path / "gateway.yaml"
    gateway = {"id": "gw", "enterprise_uscc": USCC, "synthetic": True}
    text = yaml.safe_dump({"gateway": gateway, "buffer": {"path": str(tmp_path / "b.db")}})
    config.write_text(text, encoding="utf-8")
    written = ["--config", config, "--write", "meter-1", "--asset-no", "EM-001"]
    async with line(meter(OTHER)) as (_, proxy):
        url = f"tcp://127.0.0.1:{proxy.port}"
        answer = await found("dlt645", url, *written, "--profile", "meter_dlt645")
    assert [one["name"] for one in answer["devices"]] == [f"meter {OTHER}"]
    (device,) = yaml.safe_load(config.read_text(encoding="utf-8"))["devices"]
    assert device["connection"]["meter"] == OTHER


async def test_what_a_meter_gives_proposes_its_profile() -> None:
    """Identifiers mean the same in every meter, unlike the addresses of a controller's program."""
    async with line(meter(OTHER)) as (server, proxy):
        answer = await found("dlt645", f"tcp://127.0.0.1:{proxy.port}?meter={OTHER}")
        (asked,) = (one.asked for one in server.meters.values())
    (device,) = answer["devices"]
    assert "0201FF00[2]" in device["readable"]
    assert device["labels"]["di_00010000"] == "正向有功总电能"
    assert device["profiles"][0]["profile"] == "meter_dlt645"
    assert asked < 60


async def test_a_meter_that_falls_silent_is_asked_no_more() -> None:
    heard: list[bytes] = []

    def deaf(data: bytes) -> bytes:
        heard.append(data)
        return data if len(heard) == 1 else b""

    async with line(meter(OTHER)) as (server, proxy):
        proxy.alter = deaf
        url = f"tcp://127.0.0.1:{proxy.port}?meter={OTHER}&request_timeout_ms=100"
        (device,) = (await found("dlt645", url))["devices"]
        (asked,) = (one.asked for one in server.meters.values())
    assert device["connection"]["meter"] == OTHER
    assert "no answer within 100 ms" in device["remarks"][0]
    assert asked < 8


async def test_a_meter_of_the_library_is_found_by_its_number() -> None:
    with library_meter() as theirs:
        url = f"tcp://127.0.0.1:{theirs.server.port}?meter={ONE}"
        (only,) = (await found("dlt645", url))["devices"]
    assert only["connection"]["meter"] == ONE


async def test_a_line_without_an_answer_says_what_to_do() -> None:
    async with line() as (_, proxy):
        url = f"tcp://127.0.0.1:{proxy.port}?request_timeout_ms=200"
        done = await asyncio.to_thread(qulink, "probe", "dlt645", url)
    assert done.returncode == 1
    assert "name one by ?meter=" in done.stderr
