"""A row of the store is one poll, whatever becomes of a gateway's buffer and clock."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gateway.city.app import City
from gateway.city.db.tables import gap, quarantine, watermark
from gateway.city.ingest.enrolled.lives import POLLS_OF_TWO_LIVES
from gateway.city.ingest.layout import series_of
from gateway.city.stores.api import Series
from gateway.core.batch import Batch, Changes
from gateway.core.days import DAY_MS
from gateway.core.status import Reason
from gateway.wire.frame import BodyEncoder, Header, seal
from gateway.wire.records import GivenUp
from tests.support.broker import Mosquitto
from tests.support.city import EPOCH, Sender, batch_of, city_on, rows_of, schema_of, sender
from tests.support.influxd import Influxd
from tests.support.waiting import until

SCHEMA = schema_of("speed", "power")
SERIES: Series = series_of("gw-1", SCHEMA, 0)


@pytest.fixture(scope="module")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    with Influxd(tmp_path_factory.mktemp("influx")) as server:
        yield server


@pytest.fixture(params=["embedded", "influxdb1"])
def store(request: pytest.FixtureRequest) -> dict[str, Any]:
    if request.param == "embedded":
        return {}
    server: Influxd = request.getfixturevalue("influxd")
    server.query("DROP DATABASE qulink")
    server.query("CREATE DATABASE qulink")
    return {"store": {"type": "influxdb1", "url": server.url, "database": "qulink"}}


def speed_only(at: int, value: float) -> Batch:
    """A poll in which the power has not moved since it was sent, so it is not sent again."""
    return Batch(SCHEMA, at, np.array([True, False]), (np.array([value, 0.0]),))


class Life:
    """Frames of one epoch."""

    def __init__(self, gateway: Sender, epoch: int, first_seq: int = 1) -> None:
        self._gateway, self._epoch, self._seq = gateway, epoch, first_seq - 1

    async def asks(self) -> None:
        """As a copy does that begins an epoch: it says which numbers are gone."""
        body = BodyEncoder().encode([GivenUp(self._seq + 1, self._seq + 1)])
        await self._gateway.raw(seal(body, Header(self._epoch, 0, 0, chain=7)))
        await until(lambda: any(ack.answers == 7 for ack in self._gateway.acks))

    async def tells(self, *records: Batch | Changes) -> None:
        """One frame; waits for its acknowledgement."""
        self._seq += 1
        body = BodyEncoder().encode([SCHEMA, *records])
        times = [int(np.min(one.time_ms)) for one in records]
        values = sum(one.count for one in records)
        header = Header(self._epoch, self._seq, values, first_ms=min(times), last_ms=max(times))
        await self._gateway.raw(seal(body, header))
        name = f"{self._epoch:016x}"
        acks = self._gateway.acks
        await until(lambda: any(a.epoch == name and a.upto >= self._seq for a in acks))


async def rows(city: City, begin: int) -> dict[int, dict[str, float]]:
    """The store's rows, by milliseconds since ``begin``."""
    found: dict[int, dict[str, float]] = {}
    for name in ("speed", "power"):
        for point in await city.store.history(SERIES, name, begin, begin + 1_000, 1_000):
            found.setdefault(point.time_ms - begin, {})[name] = float(point.value)
    return found


async def test_polls_of_two_lives_are_in_no_row_together(
    mosquitto: Mosquitto, tmp_path: Path, store: dict[str, Any]
) -> None:
    """The clock was ahead, and confirmed by a city whose own was; then it is set right."""
    at = time.time_ns() // 1_000_000 - 60_000
    async with (
        city_on(mosquitto.url, tmp_path, "gw-1", **store) as city,
        sender(mosquitto.port, "gw-1") as gateway,
    ):
        first = Life(gateway, EPOCH)
        for tick in range(0, 100, 10):
            await first.tells(batch_of(SCHEMA, at + tick, 1.0, 1.0))
        second = Life(gateway, EPOCH + 1)
        await second.tells(batch_of(SCHEMA, at + 40, 2.0, 2.0))
        await second.tells(speed_only(at + 50, 3.0))  # the power still is 2.0
        told = gateway.acks[-1].unstored
        await second.tells(batch_of(SCHEMA, at + 100, 4.0, 2.0))
        found = await rows(city, at)
        assert found == {
            **{tick: {"speed": 1.0, "power": 1.0} for tick in range(0, 100, 10)},
            100: {"speed": 4.0, "power": 2.0},
        }
        assert told == {"line-1": (2, at + 50)}  # and is sent anew
        assert {row["reason"] for row in rows_of(city, quarantine)} == {POLLS_OF_TWO_LIVES}
        (hole,) = [row for row in rows_of(city, gap) if row["cause"] == Reason.QUARANTINE.code]
        assert (hole["device"], hole["from_ms"], hole["to_ms"]) == ("line-1", at + 40, at + 51)
        marks = {row["epoch"]: row for row in rows_of(city, watermark)}
        mark = marks[f"{EPOCH + 1:016x}"]
        assert (mark["values_committed"], mark["values_quarantined"]) == (2, 3)


async def test_what_an_earlier_life_left_over_is_stored(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """A copy that was found out sends its frames anew; sources may date values long ago."""
    at = time.time_ns() // 1_000_000 - 3_600_000
    old = Changes(
        SCHEMA,
        np.array([0], np.uint32),
        np.array([at - 90_000], np.int64),
        (np.array([7.0]),),
    )
    async with (
        city_on(mosquitto.url, tmp_path, "gw-1") as city,
        sender(mosquitto.port, "gw-1") as gateway,
    ):
        await Life(gateway, EPOCH).tells(batch_of(SCHEMA, at + 500, 1.0, 1.0))
        copy = Life(gateway, EPOCH + 1, 21)
        await copy.asks()
        await copy.tells(batch_of(SCHEMA, at + 100, 2.0, 2.0), old)  # was under way
        await Life(gateway, EPOCH + 2).tells(batch_of(SCHEMA, at + 501, 3.0, 3.0), old)
        # Nor does a clock without a battery mix anything, years before the first life.
        await Life(gateway, EPOCH + 3).tells(batch_of(SCHEMA, at - 2 * 365 * DAY_MS, 3.0, 3.0))
        assert rows_of(city, quarantine) == []
        assert await city.store.count(["gw-1"], at - 90_000, at + 1_000) == 7
        # What goes on late of an earlier life is no set-back clock.
        await Life(gateway, EPOCH, 2).tells(batch_of(SCHEMA, at + 490, 9.0, 9.0))
        assert rows_of(city, quarantine) == []
