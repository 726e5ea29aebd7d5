"""What no data agreement names is not stored, is counted as such, and is said."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.city.access.audit import Action, entries
from gateway.city.app import City
from gateway.city.db.tables import gap, machine_books, quarantine, watermark
from gateway.city.ingest.enrolled.agreed import Agreed, Sifting
from gateway.city.ledger.agreements.agreement import Agreement, Terms, read_points
from gateway.city.ledger.agreements.held import said, standing
from gateway.city.ledger.agreements.sort import AGREEMENTS, entry_of
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.papers.entering import Ending, end, enter_files
from gateway.city.ledger.papers.sort import PaperError
from gateway.city.ledger.sheet.problems import LedgerError
from gateway.core.batch import Batch, Changes
from gateway.core.days import DAY_MS, day_of, day_start_ms
from gateway.core.status import Reason
from gateway.relational.database import Database
from gateway.wire.records import MachineRecord
from tests.support.broker import Mosquitto
from tests.support.city import (
    USCC,
    Clock,
    batch_of,
    city_on,
    machine_now,
    rows_of,
    schema_of,
    sender,
)
from tests.support.city_db import USCCS, add_enterprise
from tests.support.waiting import until

HEAD = "统一社会信用代码,协议编号,依据文件,数据用途,协议起始日期,协议终止日期,采集点位,填报人\n"
SINCE = date(2026, 1, 1)


def agreed(*points: str, last: date | None = None, first: date = SINCE) -> Agreement:
    return Agreement(USCC, "A-1", "衢数协〔2026〕1 号", "统计", first, last, points, "王五")


def line(
    uscc: str = USCC,
    number: str = "A-1",
    points: str = "grinder/speed",
    days: tuple[str, str] = ("2026-01-01", ""),
) -> str:
    return f"{uscc},{number},衢数协〔2026〕1 号,联网率统计,{','.join(days)},{points},王五\n"


def enter(
    database: Database, folder: Path, *lines: str, now_ms: int | None = None
) -> tuple[int, int, int]:
    file = folder / "agreements.csv"
    file.write_text(HEAD + "".join(lines), encoding="utf-8")
    when = day_start_ms(date(2026, 9, 1)) if now_ms is None else now_ms
    made = database.run_now(enter_files, AGREEMENTS, [file], when, made_by="李四")
    return made.added, made.changed, made.unchanged


# -- what is allowed, by patterns ---------------------------------------------------------


def test_patterns_name_profile_and_tag() -> None:
    assert read_points("grinder/*, speed；*/state\n*") == ("grinder/*", "*/speed", "*/state", "*/*")
    one = agreed(*read_points("grinder/s?eed, */state"))
    assert one.allows("grinder", "speed") and one.allows("press", "state")
    assert not one.allows("press", "speed") and not one.allows("grinder", "Speed")


@pytest.mark.parametrize("text", ["", ";", "a/b/c", "磨床/转速", "[a-z]/x", "x" * 64])
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        read_points(text)


@given(
    present=st.lists(st.booleans(), min_size=3, max_size=3),
    allowed=st.sets(st.sampled_from(["a", "b", "c"])),
    age=st.integers(-2, 2),
)
def test_what_is_kept_and_what_is_outside_make_up_what_came(
    present: list[bool], allowed: set[str], age: int
) -> None:
    """Whole polls and single values alike; the columns of what is kept stay in step."""
    schema = schema_of("a", "b", "c")
    time_ms = day_start_ms(SINCE) + age * DAY_MS
    points = tuple(f"grinder/{one}" for one in sorted(allowed)) or ("press/x",)
    batch = Batch(schema, time_ms, np.array(present), (np.array([1.0, 2.0, 3.0]),))
    index = np.flatnonzero(present).astype(np.uint32)
    values = np.array([1.0, 2.0, 3.0])[index]
    changes = Changes(schema, index, np.full(len(index), time_ms), (values,) if len(index) else ())
    for record in (batch, changes):
        sifting = Sifting(Agreed(Terms((agreed(*points),))), [], SINCE + timedelta(days=5))
        kept = [one for _, one in sifting.sift([(1, record)])]
        left = sum(one.count for one in sifting.outside.values())
        assert sum(one.count for one in kept) + left == record.count
        names = {"abc"[i] for i in index} & allowed if age >= 0 else set()
        assert sum(one.count for one in kept) == len(names)
        for one in kept:
            if isinstance(one, Changes) and one.count:
                assert [*one.columns[0]] == [1.0 + "abc".index(name) for name in sorted(names)]


def test_what_nothing_narrows_is_not_copied() -> None:
    batch = batch_of(schema_of("a"), day_start_ms(SINCE), 1.0)
    sifting = Sifting(Agreed(Terms((agreed("*/*"),))), [], SINCE)
    ((_, kept),) = sifting.sift([(1, batch)])
    assert kept is batch


# -- the ledger ---------------------------------------------------------------------------


def test_agreements_are_entered_changed_and_ended_by_acts(
    database: Database, tmp_path: Path
) -> None:
    uscc, now_ms = USCCS[0], day_start_ms(date(2026, 9, 1))
    database.run_now(lambda c: add_enterprise(c, uscc))
    assert enter(database, tmp_path, line(uscc), line(uscc, "A-2")) == (2, 0, 0)
    assert enter(database, tmp_path, line(uscc)) == (0, 0, 1)
    assert enter(database, tmp_path, line(uscc, points="grinder/*")) == (0, 1, 0)
    last = date(2026, 9, 30)
    entry = database.read_now(entry_of, uscc, "A-1")
    ending = Ending(entry, "合同到期", last)
    database.run_now(end, AGREEMENTS, ending, now_ms + 1_000, made_by="李四")
    with pytest.raises(PaperError, match="said it anew"):  # who saw the entry before is told
        database.run_now(end, AGREEMENTS, ending, now_ms + 2_000, made_by="王五")
    assert [one.what.number for one in database.read_now(said)] == ["A-1", "A-2", "A-1", "A-1"]
    first, second = database.read_now(standing)
    assert (first.what.points, first.what.last_day) == (("grinder/*",), last)
    assert (second.what.points, second.what.last_day) == (("grinder/speed",), None)
    assert not first.what.holds(date(2026, 10, 1)) and first.what.holds(last)
    noted = [one.action for one in database.read_now(entries)]
    assert noted == [*[Action.LEDGER_AGREEMENTS] * 2, Action.LEDGER_AGREEMENT_END]
    with pytest.raises(PaperError, match="A-1, A-2"):
        database.read_now(entry_of, uscc, "A-9")
    for day in (SINCE - timedelta(days=1), None):
        with pytest.raises(PaperError, match="begins"):
            database.run_now(end, AGREEMENTS, Ending(second.number, "x", day), now_ms)


def test_every_mistake_of_a_table_is_told_at_once(tmp_path: Path, database: Database) -> None:
    database.run_now(lambda c: add_enterprise(c, USCCS[0]))
    with pytest.raises(LedgerError) as told:
        enter(
            database,
            tmp_path,
            line(USCCS[0], points="磨床/转速"),
            line(USCCS[0], "B", days=("2026-05-01", "2026-04-01")),
            line(USCCS[0], "B"),
        )
    assert [(one.row, one.column) for one in told.value.problems] == [
        (2, "采集点位"),
        (3, "协议终止日期"),
        (4, "协议编号"),
    ]
    with pytest.raises(LedgerError, match="no such enterprise"):
        enter(database, tmp_path, line(USCCS[1]))
    assert database.read_now(said) == []


# -- what is stored -----------------------------------------------------------------------


async def send(
    city: City, mosquitto: Mosquitto, seq: int, at_ms: int, *values: float
) -> Sequence[int]:
    """One poll of speed and recipe; returns what became of all values so far."""
    schema = schema_of("speed", "recipe")
    counts = MachineRecord("line-1", "1", "B-001", day_of(at_ms), 2, 2, at_ms, at_ms)
    async with sender(mosquitto.port, "gw-1") as gateway:
        await gateway.send(seq, schema, batch_of(schema, at_ms, *values), counts)
        await gateway.acked(seq)
    (mark,) = rows_of(city, watermark)
    return [mark[f"values_{name}"] for name in ("committed", "quarantined", "unagreed")]


async def test_points_outside_are_not_stored_and_the_books_say_so(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    clock = Clock()
    async with city_on(mosquitto.url, tmp_path, "gw-1", clock=clock) as city:
        at_ms = city.now_ms()
        assert await send(city, mosquitto, 1, at_ms, 1.0, 2.0) == [2, 0, 0]  # none was ever made
        tomorrow = str(day_of(at_ms + DAY_MS))
        enter(city.database, tmp_path, line(days=("2020-01-01", tomorrow)), now_ms=at_ms)
        await city.gateways.refresh(at_ms, 0)
        assert await send(city, mosquitto, 2, at_ms + 1, 3.0, 4.0) == [3, 1, 1]
        assert await city.store.count(["gw-1"], at_ms, at_ms + 2) == 3
        machine = await machine_now(city, MachineName(USCC, "1", "B-001"))
        assert machine is not None
        assert {name: one.value for name, one in machine.values.items()}["speed"] == 3.0
        assert machine.values["recipe"].value == 2.0  # of before
        (hole,) = rows_of(city, gap)
        found = (hole["cause"], hole["tags"], hole["tag_group"])
        assert found == (Reason.AGREEMENT.code, '["recipe"]', "fast")
        (kept,) = rows_of(city, quarantine)
        assert (kept["payload"], kept["value_count"]) == (b"", 1)
        assert "points recipe of device line-1" in kept["reason"]
        # behind its last day nothing new is stored, whatever time it has, nor any counters
        clock.ahead_ms = 2 * DAY_MS
        before = rows_of(city, machine_books)
        assert await send(city, mosquitto, 3, at_ms + 2, 5.0, 6.0) == [3, 3, 3]
        assert await city.store.count(["gw-1"], at_ms, at_ms + 3) == 3
        assert rows_of(city, machine_books) == before
        # of another it is, and the gateway is told to send anew what stood still meanwhile
        enter(city.database, tmp_path, line(number="A-2", points="*"), now_ms=at_ms)
        await city.gateways.refresh(city.now_ms(), 0)
        async with sender(mosquitto.port, "gw-1") as gateway:
            schema = schema_of("speed", "recipe")
            await gateway.send(4, batch_of(schema, city.now_ms(), 7.0, 8.0))
            ack = await gateway.acked(4)
        assert ack.unstored.keys() == {"line-1"}
        (mark,) = rows_of(city, watermark)
        assert (mark["values_committed"], mark["values_unagreed"]) == (5, 3)


async def test_where_agreements_are_demanded_nothing_is_kept_without(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    demanded = {"required": True}
    async with city_on(mosquitto.url, tmp_path, "gw-1", agreements=demanded) as city:
        at_ms = city.now_ms()
        assert await send(city, mosquitto, 1, at_ms, 1.0, 2.0) == [0, 2, 2]
        assert await city.store.count(["gw-1"], at_ms, at_ms + 1) == 0
        assert rows_of(city, machine_books) == []
        (hole,) = rows_of(city, gap)
        assert (hole["cause"], hole["tags"]) == (Reason.AGREEMENT.code, "[]")
        async with sender(mosquitto.port, "gw-1") as gateway:
            await gateway.raw(b"garbage")  # what cannot be read is not kept either
            await until(lambda: len(rows_of(city, quarantine)) == 2)
        assert {one["payload"] for one in rows_of(city, quarantine)} == {b""}
