"""Stations behind one Ethernet module share its connection, and never each other's answers."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from edge_config.models.validation import validated
from gateway.drivers.api import DriverError, NoResponseError
from gateway.drivers.frames import Direction, FrameLog
from gateway.drivers.mc import SPEC
from gateway.drivers.mc.driver import McDriver
from gateway.drivers.mc.link import McLink
from tests.drivers import trial
from tests.drivers.mc.odd_plc import Asked, Script, odd_plc
from tests.drivers.mc.peers import VALUES, station, stations
from tests.drivers.trial import values
from tests.edge.one_device import configured
from tests.support.command import qulink

points = partial(trial.points, SPEC)


def key(**written: object) -> Any:
    assert SPEC.link is not None
    return SPEC.link.key(validated(SPEC.connection, {"host": "plc", "port": 5007, **written}))


@asynccontextmanager
async def behind(script: Script, *numbers: int, **more: object) -> AsyncIterator[list[McDriver]]:
    """Connected drivers of stations behind one module."""
    async with odd_plc(script) as port:
        written = [station(port, number, **more) for number in numbers]
        connections = [validated(SPEC.connection, one) for one in written]
        link = McLink(connections)
        drivers = [link.driver(one) for one in connections]
        try:
            for driver in drivers:
                await driver.connect()
            yield drivers
        finally:
            for driver in drivers:
                await driver.close()


def test_stations_share_in_4e_frames_only() -> None:
    """A 3E answer has no number: with the first silence the connection of all would end."""
    assert key(frame="4e", pc=1) == key(frame="4e", pc=2, host="PLC")
    assert key(frame="4e", pc=1) != key(frame="4e", pc=1, transport="udp")
    assert key(pc=1) != key(pc=2)
    assert key(pc=1) == key(pc=1, max_gap=0)  # one CPU, two machines
    assert key(pc=1) != key(pc=1, frame="4e")


@pytest.mark.parametrize(("interval_ms", "is_too_often"), [(50, True), (500, False)])
def test_a_connection_that_is_asked_too_often_is_doubted(
    tmp_path: Path, interval_ms: int, is_too_often: bool
) -> None:
    tags = [{"name": "a", "address": "D0"}, {"name": "b", "address": "D500"}]  # one message
    config = configured(tmp_path, "mc", {}, tags)
    document = yaml.safe_load(config.read_text(encoding="utf-8"))
    (device,) = document["devices"]
    document["devices"] = [
        {**device, "id": f"press-{at}", "asset_no": f"M{at}", "connection": station(5007, at)}
        for at in range(1, 7)
    ]
    document["profiles"][0]["groups"][0]["interval_ms"] = interval_ms
    config.write_text(yaml.safe_dump(document), encoding="utf-8")
    done = qulink("check", config)
    assert done.returncode == 0, done.stderr
    said = "what is behind 127.0.0.1:5007 is sent 120 requests a second over one connection, 8 ms"
    assert (said in done.stdout + done.stderr) == is_too_often


async def test_each_station_has_its_own_frames() -> None:
    async with behind(stations, 1, 2) as drivers:
        logs = [FrameLog(), FrameLog()]
        for driver, log in zip(drivers, logs, strict=True):
            driver.record(log)
        for driver, value in zip(drivers, VALUES.values(), strict=True):
            assert await values(driver, points("D7")) == [value]
    for number, log in zip(VALUES, logs, strict=True):
        (sent,) = (one.data for _, one in log.since() if one.direction is Direction.SENT)
        assert sent[7] == number


async def test_what_a_station_answers_late_is_nobody_elses() -> None:
    """It comes before the neighbour's, has as many words, and says of which station it is."""
    held: list[bytes] = []

    def script(asked: Asked) -> Iterable[bytes]:
        (answer,) = stations(asked)
        if asked.route[1] == 1 and not held:
            held.append(answer)
            return ()
        late, held[:] = held[:1], [b""]
        return [*late, answer]

    async with behind(script, 1, 2, request_timeout_ms=300, monitoring_timer_ms=250) as drivers:
        one, other = drivers
        with pytest.raises(NoResponseError):
            await values(one, points("D7"))
        assert await values(other, points("D7")) == [VALUES[2]]
        assert await values(one, points("D7")) == [VALUES[1]]


async def test_a_station_that_answers_for_another_is_no_value() -> None:
    def script(asked: Asked) -> Iterable[bytes]:
        other = Asked(asked.begin, bytes((2, 1)) + asked.route[2:], asked.command, asked.data)
        return stations(other)

    async with behind(script, 2) as (driver,):
        with pytest.raises(DriverError, match="network 2 station 1 module 3FFH answered for"):
            await values(driver, points("D7"))
