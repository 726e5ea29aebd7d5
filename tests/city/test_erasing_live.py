"""An enterprise is erased while the city receives its values: nothing of them comes back."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from edge_config.models.city import CityConfig
from gateway.city.access.audit import Action, entries
from gateway.city.app import City, system_ms
from gateway.city.db import monthly
from gateway.city.db.housekeeping import tidy
from gateway.city.db.schema.access import erasure
from gateway.city.db.tables import evidence, quarantine, watermark
from gateway.city.erasing import rows
from gateway.city.erasing.certificate import check
from gateway.city.erasing.erasing import Erasing, Order
from gateway.city.erasing.late import erase_late
from gateway.city.erasing.telling import ErasureError
from gateway.city.registry import enrolment
from gateway.city.stores.api import Rejection, Rows, Series, Store
from gateway.city.stores.choose import make_store
from gateway.core.days import DAY_MS
from gateway.relational.database import connect
from tests.stores.cases import rows as table
from tests.support.broker import Mosquitto
from tests.support.city import (
    OTHER_USCC,
    USCC,
    Sender,
    assembled,
    batch_of,
    city_config,
    city_file,
    city_on,
    fill_ledger,
    rows_of,
    schema_of,
    sender,
)
from tests.support.influx2_contract import BUCKET, ORG, TOKEN, ContractServer
from tests.support.influxd import Influxd
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
GONE, STAYS = ("gw-1", "gw-2"), "gw-9"
ORDER = Order(USCC, "合同终止", "9 号", "张三")
T0 = system_ms() - 3_600_000
EARLIER = T0 - 40 * DAY_MS
"""Raw days stand in tables of months: there are some in two."""


@pytest.fixture(scope="module")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    with Influxd(tmp_path_factory.mktemp("influx")) as server:
        yield server


@pytest.fixture(params=["sqlite+embedded", "postgresql+influxdb1", "postgresql+influxdb2"])
def places(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, Any]]:
    """Where the city keeps what it has: sections of its configuration."""
    found: dict[str, Any] = {}
    database, store = request.param.split("+")
    if database == "postgresql":
        found["database"] = {"url": request.getfixturevalue("postgres_url")}
    if store == "influxdb1":
        server: Influxd = request.getfixturevalue("influxd")
        found["store"] = {"type": store, "url": server.url, "database": server.database()}
    if store != "influxdb2":
        yield found
        return
    monkeypatch.setenv("STORE_TOKEN", TOKEN)
    with ContractServer() as contract:
        at = {"url": contract.url, "org": ORG, "bucket": BUCKET}
        yield found | {"store": {"type": store, "token": {"env": "STORE_TOKEN"}} | at}


class Gate:
    """The way into the city's store, where a test keeps values of the erased enterprise waiting.

    Attributes:
        written: values of it that went into the store: gateway and time.
    """

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open, self.waits = asyncio.Event(), asyncio.Event()
        self.open.set()
        self.written = set[tuple[str, int]]()
        write = store.write

        async def passing(tables: Sequence[Rows]) -> Sequence[Rejection]:
            theirs = [one for one in tables if one.series.enterprise == USCC]
            if theirs and not self.open.is_set():
                self.waits.set()
                await self.open.wait()
            self.written |= {
                (one.series.gateway, at) for one in theirs for at in one.time_ms.tolist()
            }
            return await write(tables)

        monkeypatch.setattr(store, "write", passing)


SCHEMAS = {name: schema_of("speed", device=f"line-{name}") for name in GONE}
SCHEMAS[STAYS] = schema_of("speed", uscc=OTHER_USCC, device="line-9")


@asynccontextmanager
async def talking(broker: Mosquitto) -> AsyncIterator[dict[str, Sender]]:
    """The gateways, connected; each has said what it is."""
    async with (
        sender(broker.port, GONE[0]) as one,
        sender(broker.port, GONE[1]) as two,
        sender(broker.port, STAYS) as three,
    ):
        made = {one.name: one, two.name: two, three.name: three}
        for who in made.values():
            await who.state()
        yield made


async def say(who: Sender, *numbers: int) -> None:
    """Frames with one value each; the first of all brings the schema."""
    for number in numbers:
        schema = SCHEMAS[who.name]
        records = [schema] if number == 1 else []
        await who.send(number, *records, batch_of(schema, time_of(number), float(number)))


def time_of(number: int) -> int:
    return EARLIER if number == 1 else T0 + number * 1_000


async def points(store: Store) -> list[tuple[int, object]]:
    """The neighbour's values."""
    of = Series("grinder", OTHER_USCC, "1", STAYS, "line-9", "B-001")
    found = [await store.history(of, "speed", at, at + 10_000, 100) for at in (EARLIER, T0)]
    return [(one.time_ms, one.value) for some in found for one in some]


async def enrol_neighbour(city: City) -> None:
    city.database.run_now(enrolment.add, STAYS, OTHER_USCC, "1", system_ms())
    await city.gateways.refresh(system_ms(), 0)


async def erase(config: CityConfig) -> dict[str, Any]:
    """As the command does: a process of its own, with a store and a database of its own."""
    database = connect(config.database.url, config.data_dir)
    store = make_store(config.store, config.data_dir)
    await store.open()
    try:
        return await Erasing(config, database, store, system_ms, 0).run(ORDER)
    finally:
        await store.close()
        database.close()


def late(city: City) -> list[str]:
    found = city.database.run_now(entries)
    return [one.detail for one in found if one.action == Action.ERASED_LATE]


def values_in(words: str) -> int:
    return int(words.removeprefix("values "))


def refused(city: City) -> list[tuple[str, bytes]]:
    """What was quarantined of the erased one: whose it was, and what is kept of it."""
    found = [(one["gateway"], one["payload"]) for one in rows_of(city, quarantine)]
    return [one for one in found if one[0] in GONE]


async def test_what_a_city_has_in_its_hands_does_not_come_back(
    mosquitto: Mosquitto, tmp_path: Path, places: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        city_on(mosquitto.url, tmp_path, *GONE, **places) as city,
        talking(mosquitto) as senders,
    ):
        gate = Gate(city.store, monkeypatch)
        await enrol_neighbour(city)
        for who in senders.values():
            await say(who, 1, 2, 3)
        for who in senders.values():
            await who.acked(3)
        await city.ingest.evidence.flush()
        for who in senders.values():  # committed, and not evidence yet
            await say(who, 4)
            await who.acked(4)
        gate.open.clear()
        for who in senders.values():  # decided, and before the store
            await say(who, 5)
        await gate.waits.wait()
        made = await erase(city.config)
        gate.written.clear()
        assert check(made) and made["values"] == {"grinder": {"before": 8, "after": 0}}
        assert all(made["rows"][one]["before"] == 2 for one in ("watermark", "tag_schema"))
        assert made["rows"]["evidence"]["before"] > 1
        assert len(city.database.run_now(monthly.held)) > 1
        for who in senders.values():  # it goes on sending
            await say(who, 6)
        gate.open.set()
        await senders[STAYS].acked(6)
        await until(lambda: bool(late(city)))
        for name in GONE:
            await say(senders[name], 7)
        # the last two of each; on a busy machine the one before, too, if it came after the erasure
        await until(lambda: len(refused(city)) >= 4)
        # in the store were those that had been decided before the city knew of the erasure
        await until(lambda: sum(map(values_in, late(city))) == len(gate.written))
        assert 1 <= len(gate.written) <= 4
        await city.ingest.evidence.flush()
        assert set(refused(city)) == {(name, b"") for name in GONE}
        # nothing of the one, everything of the other
        assert await city.store.held(USCC) == {}
        assert {k: n for k, n in city.database.run_now(rows.counts, USCC, []).items() if n} == {}
        assert await points(city.store) == [(time_of(n), float(n)) for n in range(1, 7)]
        assert await city.store.held(OTHER_USCC) == {"grinder": 6}
        assert [one["values_committed"] for one in rows_of(city, watermark)] == [6]
        assert {one["gateway"] for one in rows_of(city, evidence)} == {STAYS}


async def test_who_was_killed_between_store_and_database_is_cleared_up_after(
    mosquitto: Mosquitto, tmp_path: Path, places: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What no process knows of the housekeeping finds; of who has gateways again it leaves all."""
    async with city_on(mosquitto.url, tmp_path, *GONE, **places) as city:
        await erase(city.config)
        await city.store.write([stored(USCC, GONE[0]), stored(OTHER_USCC, STAYS)])
        await tidy(city.database, city.store, city.config.retention, system_ms())
        assert await city.store.held(USCC) == {} and late(city) == ["values 1"]
        assert await city.store.held(OTHER_USCC) == {"grinder": 1}
        city.database.run_now(enrolment.add, "gw-5", USCC, "1", system_ms() + 1)
        await city.store.write([stored(USCC, "gw-5")])
        await erase_late(city.database, city.store, system_ms())
        assert await city.store.held(USCC) == {"grinder": 1} and late(city) == ["values 1"]


@pytest.mark.parametrize("unheeded", [3, 10**6])
async def test_an_order_to_delete_that_was_taken_certifies_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unheeded: int
) -> None:
    """A store may delete later than it says; only what it does not find any more is gone."""
    monkeypatch.setenv("STORE_TOKEN", TOKEN)
    with ContractServer() as contract:
        at = {"url": contract.url, "org": ORG, "bucket": BUCKET, "token": {"env": "STORE_TOKEN"}}
        config = city_config("127.0.0.1:1", tmp_path, store={"type": "influxdb2"} | at)
        async with assembled(config) as city:
            fill_ledger(city, *GONE)
            await city.store.open()
            await city.store.write([stored(USCC, GONE[0]), stored(OTHER_USCC, STAYS)])
            contract.unheeded = unheeded
            if unheeded < 10:
                made = await erase(config)
                assert made["values"] == {"grinder": {"before": 1, "after": 0}}
            else:
                with pytest.raises(ErasureError, match="it deletes later than it is told to"):
                    await erase(config)
                assert not [one for one in rows_of(city, erasure) if one["certificate"]]
            assert contract.unheeded == max(unheeded - 20, 0)
            assert await city.store.held(OTHER_USCC) == {"grinder": 1}


def stored(uscc: str, gateway: str) -> Rows:
    return table([T0], of=Series("grinder", uscc, "1", gateway, "d", "B-1"), speed=("f8", [1.5]))


async def test_killed_and_taken_up_while_values_go_on_coming(
    mosquitto: Mosquitto, tmp_path: Path, postgres_url: str, influxd: Influxd
) -> None:
    places = {
        "database": {"url": postgres_url},
        "store": {"type": "influxdb1", "url": influxd.url, "database": influxd.database()},
    }
    async with (
        city_on(mosquitto.url, tmp_path, *GONE, **places) as city,
        talking(mosquitto) as senders,
    ):
        file = city_file(tmp_path, mosquitto.url, **places)
        await enrol_neighbour(city)
        for who in senders.values():
            await say(who, 1)
            await who.acked(1)
        words = (USCC, "--reason", "x", "--document", "y", "--apply", "-c", str(file))
        for number, step in enumerate(("_erase_rows", "_erase_again"), start=2):
            died = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.support.dying_erasure", step, *words), cwd=ROOT
            )
            assert await died.wait() == -signal.SIGKILL
            for who in senders.values():
                await say(who, number)
            await senders[STAYS].acked(number)
        made = await erase(city.config)
        assert (made["reason"], made["values"]) == ("x", {"grinder": {"before": 2, "after": 0}})
        assert await city.store.held(USCC) == {}
        assert await points(city.store) == [(time_of(n), float(n)) for n in (1, 2, 3)]
