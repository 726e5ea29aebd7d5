"""A machine is its id: names are compared in one way, dated, and never lead to another machine."""

import threading
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, event, func, select

from edge_config.models.ledger_number import MAX_KEY, key_of
from gateway.city.db.schema.identifiers import identifier
from gateway.city.db.tables import equipment, evidence, machine, machine_alias
from gateway.city.evidence.adoption import orphan_query
from gateway.city.evidence.recording import record
from gateway.city.evidence.samples import Sample
from gateway.city.ledger.importer import import_files
from gateway.city.ledger.machines import MachineIds, find, find_or_name
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.renaming import RenamingError, rename_machine
from gateway.city.ledger.sheet.problems import LedgerError
from gateway.city.registry import enrolment
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.support.city_db import USCCS, add_enterprise

DAY = date(2026, 5, 4)
NOW_MS = day_start_ms(DAY) + 36_000_000
DAY_MS = 86_400_000
USCC = USCCS[0]


def name(asset_no: str, site_no: str = "1") -> MachineName:
    return MachineName(USCC, site_no, asset_no)


@pytest.fixture
def city(database: Database) -> Database:
    """One enterprise and a gateway."""

    def fill(connection: Connection) -> None:
        add_enterprise(connection, USCC)
        enrolment.add(connection, "gw-1", USCC, "1", 0)

    database.run_now(fill)
    return database


def imported(database: Database, folder: Path, *rows: str, now_ms: int = NOW_MS) -> None:
    """Import rows ``asset_no,formerly`` of machines in use since 2020."""
    head = "uscc,asset_no,formerly,name,equipment_class,status,status_since\n"
    body = "".join(f"{USCC},{row},磨床,production,in_use,2020-01-01\n" for row in rows)
    file = folder / "machines.csv"
    file.write_text(head + body, encoding="utf-8-sig")
    database.run_now(import_files, [file], now_ms)


def sent(database: Database, asset_no: str, *days: date, ids: MachineIds | None = None) -> None:
    """Values of a machine at ten o'clock on days."""
    samples = [
        Sample(name(asset_no), day, "controller", False, "gw-1", 5, at, at + 9, 1 << 10)
        for day in days
        for at in [day_start_ms(day) + 36_000_000]
    ]
    now_ms = max(NOW_MS, *(one.last_ms for one in samples))
    database.run_now(record, samples, ids or MachineIds(), now_ms)


def number(database: Database, asset_no: str, day: date = DAY) -> int:
    return database.run_now(find, [name(asset_no)], day)[name(asset_no)]


def days_of(database: Database, machine_id: int) -> list[date]:
    query = select(evidence.c.day).where(evidence.c.machine_id == machine_id)
    return sorted(database.run_now(lambda c: c.scalars(query).all()))


def orphans(database: Database) -> set[str]:
    return {row.asset_no for row in database.run_now(lambda c: c.execute(orphan_query(c)).all())}


@pytest.mark.parametrize(
    "spelling", ["br-001", "BR–001", "ＢＲ-００１", " Br‐001 ", "BR−001", "BR－001", "BR—001"]
)
def test_spellings_of_one_number(spelling: str) -> None:
    assert key_of(spelling) == "BR-001"


@given(st.text(max_size=64))
def test_a_key_is_stable_and_fits(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert len(key_of(text)) <= MAX_KEY
    assert key_of(key_of(text)) == key_of(text)


@pytest.mark.parametrize("number", ["1#注塑机", "A/01", "设备（三）", "a b", "ﷺ" * 64])
def test_keys_carry_every_number(city: Database, number: str) -> None:
    found = city.run_now(find_or_name, [name(number)], DAY, NOW_MS)
    assert city.run_now(find, [name(number)], DAY) == found


def test_what_was_just_named_is_not_looked_for(city: Database) -> None:
    """It took PostgreSQL 80 s for 66,000 names, of whose rows it had no statistics yet."""
    searches: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT machine_alias.asset_key"):
            searches.append(statement)

    def named(connection: Connection) -> None:
        event.listen(connection, "before_cursor_execute", note)
        find_or_name(connection, [name("new 1"), name("new 2")], DAY, NOW_MS)

    city.run_now(named)
    assert len(searches) == 1


def test_ids_are_never_used_again(city: Database) -> None:
    first = city.run_now(find_or_name, [name("A")], DAY, NOW_MS)[name("A")]
    for table in (machine_alias, machine):
        city.run_now(lambda c, table=table: c.execute(delete(table)))
    assert city.run_now(find_or_name, [name("B")], DAY, NOW_MS)[name("B")] > first


def test_workers_that_come_at_once_agree(city: Database) -> None:
    names = [name(f"M-{n}") for n in range(200)]
    found: list[dict[MachineName, int]] = []

    def work() -> None:
        found.append(city.run_now(find_or_name, names, DAY, NOW_MS))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 4
    assert all(one == found[0] for one in found)
    assert len(set(found[0].values())) == 200
    query = select(func.count()).select_from(machine)
    assert city.run_now(lambda c: c.scalar(query)) == 200


def test_what_a_machine_sent_before_the_ledger_knew_it_counts(
    city: Database, tmp_path: Path
) -> None:
    days = [DAY - timedelta(days=back) for back in range(3)]
    sent(city, "B-777", *days)
    assert orphans(city) == {"B-777"}
    imported(city, tmp_path, "b–777,")
    own = city.run_now(lambda c: c.scalar(select(equipment.c.id)))
    assert days_of(city, own) == sorted(days)
    assert orphans(city) == set()


def test_a_spelling_is_no_further_machine(city: Database, tmp_path: Path) -> None:
    imported(city, tmp_path, "BR-001,")
    imported(city, tmp_path, "br–001,")
    assert city.run_now(lambda c: c.scalars(select(equipment.c.asset_no)).all()) == ["br-001"]
    with pytest.raises(LedgerError, match="stands in row 2 already"):
        imported(city, tmp_path, "BR-001,", "ＢＲ-001,")


def test_a_renamed_machine_keeps_what_it_has(city: Database, tmp_path: Path) -> None:
    imported(city, tmp_path, "OLD-1,")
    sent(city, "OLD-1", DAY - timedelta(days=2))
    own = number(city, "OLD-1")
    row = {"equipment_id": own, "handle": "88.1/X", "handle_key": "88.1/X", "issued_ms": 0}
    city.run_now(lambda c: c.execute(identifier.insert(), [row]))
    ids = MachineIds()
    sent(city, "NEW-1", DAY - timedelta(days=1), ids=ids)  # the edge was renamed first
    imported(city, tmp_path, "NEW-1,OLD-1")
    sent(city, "OLD-1", DAY, ids=ids)  # and another edge still says the old number
    assert number(city, "NEW-1") == number(city, "OLD-1") == own
    assert days_of(city, own) == [DAY - timedelta(days=back) for back in (2, 1, 0)]
    assert orphans(city) == set()
    imported(city, tmp_path, "NEW-1,OLD-1")  # the same file again
    assert city.run_now(
        lambda c: c.execute(select(equipment.c.id, equipment.c.asset_no)).all()
    ) == [(own, "NEW-1")]


def test_a_number_given_again_is_another_machine_from_that_day(
    city: Database, tmp_path: Path
) -> None:
    imported(city, tmp_path, "OLD-1,")
    own = number(city, "OLD-1")
    city.run_now(rename_machine, name("OLD-1"), name("NEW-1"), NOW_MS)
    later = DAY + timedelta(days=10)
    ids = MachineIds()
    sent(city, "OLD-1", later - timedelta(days=1), ids=ids)
    imported(city, tmp_path, "OLD-1,", now_ms=NOW_MS + 10 * DAY_MS)
    sent(city, "OLD-1", later - timedelta(days=2), later, ids=ids)
    other = number(city, "OLD-1", later)
    assert other != own
    assert days_of(city, own) == [later - timedelta(days=back) for back in (2, 1)]
    assert days_of(city, other) == [later]


def test_numbers_may_go_round_in_a_ring(city: Database, tmp_path: Path) -> None:
    imported(city, tmp_path, "A,", "B,", "C,")
    before = [number(city, one) for one in "ABC"]
    imported(city, tmp_path, "B,A", "C,B", "A,C")
    query = select(equipment.c.asset_no).order_by(equipment.c.id)
    assert city.run_now(lambda c: c.scalars(query).all()) == ["B", "C", "A"]
    assert [number(city, one) for one in "BCA"] == before


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("X,Y", "Y is no machine of this site's ledger"),
        ("A,a", "is what it is called now"),
        ("A,B", "A stands in the ledger beside B: two machines"),
    ],
)
def test_renamings_that_cannot_be(city: Database, tmp_path: Path, row: str, message: str) -> None:
    imported(city, tmp_path, "A,", "B,")
    with pytest.raises(LedgerError, match=message):
        imported(city, tmp_path, row)


def test_a_command_does_not_rename_onto_another_machine(city: Database, tmp_path: Path) -> None:
    imported(city, tmp_path, "A,", "B,")
    with pytest.raises(RenamingError, match=r"B of .* is another machine"):
        city.run_now(rename_machine, name("A"), name("B"), NOW_MS)
    with pytest.raises(RenamingError, match=r"X of .* is no machine of the ledger"):
        city.run_now(rename_machine, name("X"), name("Y"), NOW_MS)
    own = number(city, "A")
    city.run_now(rename_machine, name("A"), name("A", "2"), NOW_MS)  # it moves to another site
    assert city.run_now(find, [name("A", "2")], DAY) == {name("A", "2"): own}
