"""An identifier of a row that was a mistake is withdrawn at the node, and is nobody else's ever."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from sqlalchemy import Connection, delete, select, update

from gateway.city.access.principal import EVERYTHING
from gateway.city.db.schema.identifiers import identifier, identifier_outbox
from gateway.city.db.tables import status_rows
from gateway.city.identifiers.issued import Issue
from gateway.city.identifiers.labelled import labels_of
from gateway.city.identifiers.outbox import queue_updates
from gateway.city.identifiers.progress.standing import Standing, progress
from gateway.city.ledger.listing import listed
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.renaming import rename_machine
from gateway.city.ledger.withdrawal import WithdrawalError, withdraw_machine
from gateway.core.days import DAY_MS
from gateway.identifier.codes.handle import Handle
from gateway.identifier.node.http.snms_face import LISTING
from gateway.identifier.record import Record, Value
from gateway.identifier.registering.marking import WITHDRAWN, is_marked
from gateway.identifier.registering.registry import Outcome, Registry
from gateway.identifier.registering.snms.meanings import Paths
from gateway.identifier.registering.snms.registry import Manner
from gateway.identifier.template import TYPES, WITHDRAWAL_REASON, equipment_values
from gateway.relational.database import Database
from tests.support.city_db import USCCS, add_machine, sqlite_city
from tests.support.node import NOW_MS, served
from tests.support.registering import (
    CONFIG,
    Clock,
    fill,
    gateway_timeouts,
    made,
    rules,
    states,
    work_off,
)

NAME = MachineName(USCCS[0], "1", "A000")
FIRST = "88.999.QZ00/451.20261118.000001"
REASON = "同一台机床录入两次"


def texts(record: Record | None) -> dict[str, str]:
    assert record is not None
    return {value.type: value.text for value in record.values}


async def held(registry: Registry) -> Record | None:
    return (await registry.read(FIRST)).record


async def test_the_record_is_marked_with_the_reason_and_says_so_everywhere(
    database: Database, tmp_path: Path
) -> None:
    fill(database, 2)
    clock = Clock()
    async with served(tmp_path) as node, node.registry() as registry:
        one = made(database, registry, clock)
        await work_off(one)
        assert database.run_now(withdraw_machine, NAME, f" {REASON}\n", NOW_MS) is True
        row = next(iter(database.run_now(listed, NOW_MS, uscc=USCCS[0])))
        assert row["registration"] == "withdrawing"
        await work_off(one)
        told = texts(await held(registry))
        assert (told["runStatus"], told["withdrawalReason"]) == (WITHDRAWN, REASON)
        assert told["assetNo"] == "A000"
        row = next(iter(database.run_now(listed, NOW_MS, uscc=USCCS[0])))
        assert (row["registration"], row["withdrawal_reason"]) == ("withdrawn", REASON)
        assert [label.handle for label in database.run_now(labels_of, EVERYTHING, None)] != []
        assert FIRST not in [
            label.handle for label in database.run_now(labels_of, EVERYTHING, None)
        ]
        counts = database.run_now(progress, 0, NOW_MS).counts
        assert (counts[Standing.WITHDRAWN], counts[Standing.READ_BACK]) == (1, 1)
        # Never another machine's: not by number, not by the same name once more.
        database.run_now(lambda c: add_machine(c, USCCS[0], "A900", category="451"))
        await work_off(one)
        handles = database.run_now(lambda c: list(c.scalars(select(identifier.c.handle))))
        assert len(set(handles)) == 3
        clock.ms += 2 * DAY_MS
        await work_off(one)
        assert texts(await held(registry)) == told, "read back, and left as it is"
        assert states(database)[0] == ("withdraw", "done", 1)


async def test_a_machine_that_is_back_has_its_identifier_back(
    database: Database, tmp_path: Path
) -> None:
    fill(database, 1)
    async with served(tmp_path) as node, node.registry() as registry:
        one = made(database, registry, Clock())
        await work_off(one)
        database.run_now(withdraw_machine, NAME, REASON, NOW_MS)
        await work_off(one)
        database.run_now(lambda c: c.execute(update(status_rows).values(status="in_use")))
        assert database.run_now(queue_updates, {1}, NOW_MS) == 1
        await work_off(one)
        record = await held(registry)
        assert record is not None
        assert not is_marked(record)
        assert WITHDRAWAL_REASON.type not in texts(record)


async def test_a_node_can_be_told_to_delete(database: Database, tmp_path: Path) -> None:
    fill(database, 1)
    manner = Manner(withdrawal="delete")
    async with served(tmp_path) as node, node.registry(manner=manner) as registry:
        one = made(database, registry, Clock())
        await work_off(one)
        database.run_now(withdraw_machine, NAME, REASON, NOW_MS)
        await work_off(one)
        assert (await registry.read(FIRST)).outcome is Outcome.NOT_FOUND
        assert states(database) == [("withdraw", "done", 1)]


async def test_what_the_node_never_heard_of_is_withdrawn_here(
    database: Database, tmp_path: Path
) -> None:
    """Issued while the node was away, and taken back before it was told."""
    fill(database, 1)
    async with served(tmp_path) as node:
        own = node.registry()
    async with own as nobody:
        await work_off(made(database, nobody, Clock()))
    database.run_now(withdraw_machine, NAME, REASON, NOW_MS)
    clock = Clock()
    clock.ms += 60_000
    async with served(tmp_path) as node, node.registry() as registry:
        await work_off(made(database, registry, clock))
        assert node.count() == 0
    assert states(database)[0][:2] == ("withdraw", "done")
    query = select(identifier.c.registered_ms)
    assert database.run_now(lambda c: c.scalar(query)) is None


async def test_another_machines_identifier_is_not_withdrawn(
    database: Database, tmp_path: Path
) -> None:
    fill(database, 1)
    values = equipment_values({"equipName": "x", "enterpriseUscc": USCCS[4], "assetNo": "Z"})
    items = tuple(Value(index, TYPES[index], text) for index, text in values.items())
    theirs = Record(FIRST, CONFIG.template_version, items)
    async with served(tmp_path) as node, node.registry() as registry:
        one = made(database, registry, Clock())
        await work_off(one)
        await registry.update([theirs])
        database.run_now(withdraw_machine, NAME, REASON, NOW_MS)
        await work_off(one)
        assert (await registry.read(FIRST)).record == theirs
    assert states(database) == [("withdraw", "refused", 1)]
    error = database.run_now(lambda c: c.scalar(select(identifier_outbox.c.last_error)))
    assert error == "it describes another machine"


async def test_504_after_a_withdrawal_is_read_and_not_repeated(
    database: Database, tmp_path: Path
) -> None:
    fill(database, 1)
    clock, times = Clock(), [0]
    async with served(tmp_path, gateway_timeouts(times)) as node, node.registry() as registry:
        one = made(database, registry, clock)
        await work_off(one)
        database.run_now(withdraw_machine, NAME, REASON, NOW_MS)
        times[0] = 1
        await work_off(one)
        assert states(database) == [("withdraw", "unknown", 1)]
        times[0] = 9  # any further change would be unknown again
        clock.ms += 2_000
        await work_off(one)
        assert states(database) == [("withdraw", "done", 2)]
        assert times == [9]


def test_a_withdrawal_has_a_reason(database: Database) -> None:
    fill(database, 1)
    for reason in ("", " \n", "x" * 256):
        with pytest.raises(
            WithdrawalError, match=r"say why A000 of .* is withdrawn, in at most 255"
        ):
            database.run_now(withdraw_machine, NAME, reason, NOW_MS)
    assert states(database) == []


@pytest.mark.parametrize("what_is_left", ["file", "listing"])
@pytest.mark.parametrize("withdrawal", ["mark", "delete"])
async def test_withdrawn_before_a_restored_database_knows_its_identifier(
    tmp_path: Path, what_is_left: str, withdrawal: Literal["mark", "delete"]
) -> None:
    """The database is older than the identifier; the file knows it, or else the node's listing."""
    before, restored = (sqlite_city(tmp_path / name) for name in ("before", "restored"))
    fill(before, 2)
    fill(restored, 2)
    by = rules()
    manner = Manner(withdrawal=withdrawal, paths=Paths(listing=LISTING))
    async with served(tmp_path) as node, node.registry(manner=manner) as registry:
        await work_off(made(before, registry, Clock(), by))
        assert restored.run_now(withdraw_machine, NAME, REASON, NOW_MS) is False
        restored.run_now(lambda c: add_machine(c, USCCS[0], "A900", category="451"))
        one = made(restored, registry, Clock(), by if what_is_left == "file" else rules())
        await work_off(one)
        record = await held(registry)
        if withdrawal == "mark":
            assert texts(record)["withdrawalReason"] == REASON
            assert record is not None
            assert is_marked(record)
        else:
            assert record is None
    assert sorted(one[:2] for one in states(restored)) == [
        ("register", "done"),
        ("register", "done"),
        ("withdraw", "done"),
    ]
    assert restored.run_now(labels_of, EVERYTHING, None)[0].handle != FIRST
    given = select(identifier.c.handle).where(identifier.c.equipment_id == 1)
    assert restored.run_now(lambda c: c.scalar(given)) == FIRST


async def test_an_identifier_under_a_name_of_before_is_not_withdrawn(
    database: Database, tmp_path: Path
) -> None:
    """The name is another machine's by now, which is withdrawn; the identifier is the first's."""
    fill(database, 1)
    by = rules()
    later = NOW_MS + DAY_MS
    async with served(tmp_path) as node, node.registry() as registry:
        await work_off(made(database, registry, Clock(), by))
        database.run_now(_forget_identifiers)
        database.run_now(lambda c: add_machine(c, USCCS[0], "A900", category="451"))
        first, second = (NAME._replace(asset_no=one) for one in ("B000", "A900"))
        database.run_now(rename_machine, NAME, first, later)
        database.run_now(rename_machine, second, NAME, later)
        database.run_now(withdraw_machine, NAME, REASON, later)
        waiting = replace(by, review_ms=3 * DAY_MS)  # the first machine gets its own later
        await work_off(made(database, registry, Clock(), waiting))
        assert states(database) == []
        await work_off(made(database, registry, Clock(), by))
        assert states(database) == [("register", "done", 1)]
        record = await held(registry)
        assert record is not None
        assert not is_marked(record)


def _forget_identifiers(connection: Connection) -> None:
    """As a copy from before they were issued does."""
    for table in (identifier_outbox, identifier):
        connection.execute(delete(table))


async def test_mistakes_that_never_had_an_identifier_hide_nobody_behind_them(
    database: Database, tmp_path: Path
) -> None:
    fill(database, 20)
    by = rules()
    last = MachineName(USCCS[1], "1", "A019")
    async with served(tmp_path) as node, node.registry() as registry:
        by.issued.add([Issue(Handle.parse("88.999.QZ01/old.1"), last)], NOW_MS)
        for number in range(20):
            name = MachineName(USCCS[number % 2], "1", f"A{number:03d}")
            database.run_now(withdraw_machine, name, REASON, NOW_MS)
        one = made(database, registry, Clock(), by)
        for _ in range(20 // CONFIG.batch + 1):
            await one.step()
        assert states(database) == [("withdraw", "done", 1)]
        assert database.run_now(lambda c: c.scalar(select(identifier.c.equipment_id))) == 20
