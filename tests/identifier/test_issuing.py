"""No machine gets two identifiers, and no identifier two machines, whatever is restored."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from edge_config.models.city import IdentifierConfig
from gateway.city.db.schema.identifiers import (
    identifier,
    identifier_counter,
    identifier_outbox,
    identifier_review,
)
from gateway.city.db.tables import equipment_rows, machine, status_rows
from gateway.city.identifiers.entries import Verdict
from gateway.city.identifiers.issued import IssuedFile, IssuedFileError
from gateway.city.identifiers.issuing import issue
from gateway.city.identifiers.outbox import claim, mark_resolved, note_verdicts, unresolved
from gateway.city.identifiers.review import approve, begin_reviews, waiting
from gateway.city.ledger.history import statuses_on
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.renaming import machines_named, rename_machine
from gateway.city.ledger.withdrawal import WithdrawalError, withdraw_machine
from gateway.core.days import DAY_MS
from gateway.relational.database import Database
from tests.support.city_db import USCCS, add_enterprise, add_machine, sqlite_city
from tests.support.node import NOW_MS, served
from tests.support.registering import Clock, complete, counts, fill, made, new_file, rules, work_off

HOUR_MS = 3_600_000


def handles(database: Database) -> dict[int, str]:
    query = select(identifier.c.equipment_id, identifier.c.handle)
    return database.run_now(lambda c: {row[0]: row[1] for row in c.execute(query)})


def forget(connection: Connection) -> None:
    """What a copy from before the first issue knows of identifiers."""
    for table in (identifier_outbox, identifier, identifier_counter):
        connection.execute(delete(table))


def set_status(connection: Connection, machine: int, status: str) -> None:
    own = status_rows.c.equipment_id == machine
    connection.execute(update(status_rows).where(own).values(status=status))


async def test_a_restored_database_gives_each_machine_what_it_had(
    database: Database, tmp_path: Path
) -> None:
    fill(database)
    issued = IssuedFile(tmp_path / "issued.db")
    clock = Clock()
    async with served(tmp_path) as node, node.registry() as registry:
        await work_off(made(database, registry, clock, rules(issued=issued)))
        before = handles(database)
        database.run_now(forget)
        clock.ms += 3 * DAY_MS  # the pattern has the day in it
        old = MachineName(USCCS[0], "1", "A000")
        database.run_now(rename_machine, old, old._replace(asset_no="B-1"), clock.ms)
        new = database.run_now(lambda c: add_machine(c, USCCS[0], "A900", category="451"))
        await work_off(made(database, registry, clock, rules(issued=issued)))
        after = handles(database)
        assert after.pop(new) not in before.values()
        assert after == before
        assert counts(database) == complete(21)
        assert node.count() == 21
    issued.close()


async def test_what_the_node_holds_for_another_machine_is_given_up(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Database and file restored, on the day of issue: the numbers collide at the node."""
    fill(database, 4)
    async with served(tmp_path) as node, node.registry() as registry:
        await work_off(made(database, registry, Clock()))
        first = handles(database)
        database.run_now(forget)
        lowest = min(first)  # the ledger comes back in another order: it is missing at first
        database.run_now(approve, sorted(first.keys() - {lowest}), NOW_MS)
        issued = new_file()
        await work_off(made(database, registry, Clock(), rules(issued=issued, review_ms=DAY_MS)))
        await work_off(made(database, registry, Clock(), rules(issued=issued)))
        assert counts(database) == complete(4)
        again = handles(database)
        assert again[lowest] == first[lowest]
        assert len(set(again.values())) == 4
        for machine, handle in again.items():
            record = (await registry.read(handle)).record
            assert record is not None
            texts = {value.type: value.text for value in record.values}
            assert texts["assetNo"] == f"A{sorted(again).index(machine):03d}"
    assert "was the database restored from a copy?" in caplog.text


async def test_another_sites_record_is_not_overwritten(database: Database, tmp_path: Path) -> None:
    fill(database, 1)
    async with served(tmp_path) as node, node.registry() as registry:
        await work_off(made(database, registry, Clock()))
        (handle,) = handles(database).values()
        held = (await registry.read(handle)).record
        database.run_now(forget)
        twin = database.run_now(
            lambda c: add_machine(c, USCCS[0], "A000", category="451", site_no="2")
        )
        database.run_now(approve, [twin], NOW_MS)  # the first one is not asked for yet
        await work_off(made(database, registry, Clock(), rules(review_ms=DAY_MS)))
        assert handles(database)[twin] == "88.999.QZ00/451.20261118.000002"
        assert (await registry.read(handle)).record == held


@pytest.mark.parametrize("site_no", ["A/01", "1#厂/东区"])
async def test_a_site_with_a_slash_is_found_in_its_own_record(
    site_no: str, database: Database, tmp_path: Path
) -> None:
    """The node has the machine, the city does not know it, and the ledger has changed since."""
    fill(database, 0)
    clock, changed = Clock(), "新名"
    database.run_now(
        lambda c: add_machine(c, USCCS[0], "1#注塑机", category="451", site_no=site_no)
    )
    async with served(tmp_path) as node, node.registry() as registry:
        await work_off(made(database, registry, clock))
        first = handles(database)
        database.run_now(forget)
        database.run_now(lambda c: c.execute(update(equipment_rows).values(name=changed)))
        await work_off(made(database, registry, clock))
        assert handles(database) == first
        held = (await registry.read(first[1])).record
        assert held is not None
        assert held.values[0].text == changed
        assert node.count() == 1


def test_each_of_two_machines_that_bore_one_number_gets_back_its_own(database: Database) -> None:
    fill(database, 1)
    by = rules()
    old = MachineName(USCCS[0], "1", "A000")
    database.run_now(issue, by, NOW_MS, 10)
    later = NOW_MS + 2 * DAY_MS
    database.run_now(rename_machine, old, old._replace(asset_no="B-1"), later)

    def number_given_again(connection: Connection) -> None:
        (number,) = machines_named(connection, [old], later).values()
        row = {"uscc": old.uscc, "site_no": "1", "asset_no": old.asset_no, "name": "另一台"}
        kind = {"equipment_class": "production", "category": "451"}
        connection.execute(
            insert(equipment_rows),
            [row | kind | {"id": number, "key_equipment": False, "digital": True}],
        )

    database.run_now(number_given_again)
    database.run_now(issue, by, later, 10)
    before = handles(database)
    assert len(set(before.values())) == 2
    database.run_now(forget)
    database.run_now(issue, by, later + DAY_MS, 10)
    assert handles(database) == before


def test_a_whole_city_is_approved_at_once(database: Database) -> None:
    """More machines than one statement of either database can name."""
    many = 66_000

    def write(connection: Connection) -> list[int]:
        add_enterprise(connection, USCCS[0], identifier_code="QZ00")
        ids = list(range(1, many + 1))
        connection.execute(insert(machine), [{"id": one, "named_ms": 0} for one in ids])
        row = {"uscc": USCCS[0], "site_no": "1", "name": "机床", "equipment_class": "production"}
        row |= {"key_equipment": False, "digital": True}
        connection.execute(
            insert(equipment_rows), [row | {"id": i, "asset_no": f"A{i}"} for i in ids]
        )
        return ids

    ids = database.run_now(write)
    database.run_now(begin_reviews, NOW_MS, 1)
    database.run_now(approve, ids, NOW_MS + 1)
    assert database.run_now(waiting, HOUR_MS, NOW_MS + 1) == []
    first = select(identifier_review.c.since_ms).order_by(identifier_review.c.equipment_id)
    assert database.run_now(lambda c: c.scalar(first)) == NOW_MS


def test_a_machine_waits_for_its_review(database: Database) -> None:
    fill(database, 2)
    first, second = 1, 2
    by = rules(review_ms=24 * HOUR_MS)
    clock = Clock()

    def given() -> set[int]:
        database.run_now(begin, clock.ms)
        database.run_now(issue, by, clock.ms, 100)
        return set(handles(database))

    assert given() == set()
    listed = database.run_now(waiting, by.review_ms, clock.ms)
    assert [(row.asset_no, row.since_ms) for row in listed] == [
        ("A000", NOW_MS),
        ("A001", NOW_MS),
    ]
    database.run_now(approve, [second], clock.ms)
    assert given() == {second}
    clock.ms += 24 * HOUR_MS - 1
    assert given() == {second}
    clock.ms += 1
    assert given() == {first, second}
    assert database.run_now(waiting, by.review_ms, clock.ms) == []


def test_time_alone_releases_nobody_where_a_person_must(database: Database) -> None:
    fill(database, 2)
    review_ms = IdentifierConfig(prefix="88.999", review="released", review_hours=1).review_ms
    by, years = rules(review_ms=review_ms), NOW_MS + 20 * 365 * DAY_MS
    database.run_now(begin, NOW_MS)
    assert database.run_now(issue, by, years, 100) == 0
    assert len(database.run_now(waiting, review_ms, years)) == 2
    database.run_now(approve, [2], years)
    assert database.run_now(issue, by, years, 100) == 1
    assert set(handles(database)) == {2}


def begin(connection: Connection, now_ms: int) -> None:
    begin_reviews(connection, now_ms, 100)


def test_a_late_worker_does_not_speak_for_a_later_claim(database: Database) -> None:
    fill(database, 1)
    database.run_now(issue, rules(), NOW_MS, 10)
    (slow,) = database.run_now(claim, NOW_MS, 10)
    later = NOW_MS + 121_000
    (second,) = database.run_now(claim, later, 10)
    database.run_now(note_verdicts, [Verdict(slow, "refused", "late")], later)
    assert states_of(database) == [("unknown", "")]
    database.run_now(note_verdicts, [Verdict(second, "done")], later)
    assert states_of(database) == [("done", "")]


def test_what_was_read_before_the_ledger_changed_is_not_marked_as_read(database: Database) -> None:
    fill(database, 1)
    database.run_now(issue, rules(), NOW_MS, 10)
    work = database.run_now(claim, NOW_MS, 10)
    database.run_now(note_verdicts, [Verdict(work[0], "done")], NOW_MS)
    read = database.run_now(unresolved, NOW_MS, NOW_MS, 10)
    old = MachineName(USCCS[0], "1", "A000")
    database.run_now(rename_machine, old, old._replace(asset_no="A7"), NOW_MS)
    database.run_now(mark_resolved, read, NOW_MS)
    assert counts(database).resolved == 0


def states_of(database: Database) -> list[tuple[Any, ...]]:
    query = select(identifier_outbox.c.state, identifier_outbox.c.last_error)
    return database.run_now(lambda c: [tuple(row) for row in c.execute(query)])


def test_a_claim_takes_no_more_than_its_limit(database: Database) -> None:
    """PostgreSQL may run an unmaterialised subquery once a row, and lock others each time."""
    fill(database, 40)
    database.run_now(issue, rules(), NOW_MS, 100)

    def plan_badly(connection: Connection) -> int:
        if connection.dialect.name == "postgresql":
            for kind in ("hashjoin", "mergejoin", "hashagg", "sort", "material"):
                connection.exec_driver_sql(f"SET LOCAL enable_{kind} = off")
        return len(claim(connection, NOW_MS, 7))

    assert [database.run_now(plan_badly) for _ in range(7)] == [7, 7, 7, 7, 7, 5, 0]


def test_a_file_of_a_newer_qulink_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "issued.db"
    file = IssuedFile(path)
    file._db.execute("PRAGMA user_version=9")
    file.close()
    with pytest.raises(IssuedFileError, match=r"layout 9.*knows up to 3.*update it"):
        IssuedFile(path)
    with pytest.raises(IssuedFileError, match="keeps what identifiers were issued"):
        IssuedFile(tmp_path / "missing" / "issued.db")


def test_a_copy_of_the_whole_folder_is_no_other_city(tmp_path: Path) -> None:
    """Where the file is copied with the database, both go on as before."""
    (tmp_path / "a").mkdir()
    database, issued = sqlite_city(tmp_path / "a"), IssuedFile(tmp_path / "a" / "issued.db")
    fill(database, 2)
    database.run_now(issue, rules(issued=issued), NOW_MS, 10)
    database.close()
    issued.close()
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    copy = sqlite_city(tmp_path / "b")
    assert len(handles(copy)) == 2
    copy.close()


async def test_a_row_that_was_a_mistake_is_withdrawn(database: Database, tmp_path: Path) -> None:
    fill(database, 3)
    first, second = (MachineName(USCCS[number], "1", f"A00{number}") for number in (0, 1))
    assert database.run_now(withdraw_machine, first, "录入两次", NOW_MS) is False
    async with served(tmp_path) as node, node.registry() as registry:
        one = made(database, registry, Clock())
        await work_off(one)
        assert sorted(handles(database)) == [2, 3]
        assert database.run_now(withdraw_machine, second, "录入两次", NOW_MS) is True
        await work_off(one)
        record = (await registry.read(handles(database)[2])).record
        assert record is not None
        assert "误录撤销" in {value.text for value in record.values}
    with pytest.raises(WithdrawalError, match=r"A009 of .* is no machine of the ledger"):
        database.run_now(withdraw_machine, first._replace(asset_no="A009"), "录入两次", NOW_MS)
    days = [date(2019, 1, 1), date(2024, 1, 1)]
    held = [database.run_now(statuses_on, [1, 2, 3], day) for day in days]
    assert held == [
        {1: "withdrawn", 2: "withdrawn"},
        {1: "withdrawn", 2: "withdrawn", 3: "in_use"},
    ]


def test_a_number_that_was_issued_before_a_restore_is_nobody_elses(database: Database) -> None:
    """Also where the machine that had it does not come back."""
    fill(database, 1)
    by = rules(issued=new_file())
    database.run_now(issue, by, NOW_MS, 10)
    (first,) = handles(database).values()
    database.run_now(forget)
    database.run_now(set_status, 1, "withdrawn")
    new = database.run_now(lambda c: add_machine(c, USCCS[0], "A900", category="451"))
    database.run_now(issue, by, NOW_MS, 10)
    assert handles(database) == {new: first.removesuffix("000001") + "000002"}
