"""Several hosts lead in turn, each with a file of its own: no machine gets two identifiers."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from gateway.city.db.schema.identifiers import identifier, identifier_counter, identifier_outbox
from gateway.city.identifiers import agreement
from gateway.city.identifiers.agreement import agree
from gateway.city.identifiers.issued import Issue, IssuedFile
from gateway.city.identifiers.issuing import issue
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.renaming import rename_machine
from gateway.relational.database import Database
from tests.support.city_db import USCCS, add_machine
from tests.support.node import NOW_MS
from tests.support.registering import MACHINES, fill, new_file, rules
from tests.support.waiting import until


@pytest.fixture
def here() -> Iterator[IssuedFile]:
    """The file of this host."""
    made = new_file()
    yield made
    made.close()


@pytest.fixture
def there() -> Iterator[IssuedFile]:
    """That of another one."""
    made = new_file()
    yield made
    made.close()


def handles(database: Database) -> dict[int, str]:
    query = select(identifier.c.equipment_id, identifier.c.handle)
    return database.run_now(lambda c: {row[0]: row[1] for row in c.execute(query)})


def issued_by(database: Database, file: IssuedFile, limit: int = MACHINES) -> None:
    database.run_now(issue, rules(issued=file), NOW_MS, limit)


def restored(database: Database) -> None:
    """The database as it was before the first identifier."""

    def forget(connection: object) -> None:
        for table in (identifier_outbox, identifier, identifier_counter):
            connection.execute(delete(table))  # type: ignore[attr-defined]

    database.run_now(forget)


async def test_a_host_that_never_led_knows_what_the_others_issued(
    database: Database, here: IssuedFile, there: IssuedFile, caplog: pytest.LogCaptureFixture
) -> None:
    """Then the database is restored, and this host leads."""
    fill(database)
    issued_by(database, there)
    before = handles(database)
    await agreement.reached(database, here)
    restored(database)
    new = database.run_now(lambda c: add_machine(c, USCCS[0], "A900", category="451"))
    issued_by(database, here, MACHINES + 1)
    after = handles(database)
    assert after.pop(new) not in before.values()
    assert after == before
    assert f"{here.path} lacked {MACHINES} identifiers" in caplog.text


async def test_a_database_that_lacks_what_was_issued_is_named(
    database: Database, here: IssuedFile, caplog: pytest.LogCaptureFixture
) -> None:
    fill(database)
    issued_by(database, here)
    await agreement.reached(database, here)
    assert caplog.text == ""
    restored(database)
    issued_by(database, here, 3)
    await agreement.reached(database, here)
    assert f"the database lacks {MACHINES - 3} identifiers" in caplog.text
    assert "restored from a copy" in caplog.text


async def test_an_identifier_of_two_machines_is_told_and_left(
    database: Database, here: IssuedFile, there: IssuedFile, caplog: pytest.LogCaptureFixture
) -> None:
    """Issued there; the database was restored and another host led, which had not heard of it."""
    fill(database, 1)
    issued_by(database, there)
    (handle,) = handles(database).values()
    other = MachineName(USCCS[0], "1", "OTHER")
    here.add([Issue(agreement.Handle.parse(handle), other)], NOW_MS)
    await agreement.reached(database, here)
    (line,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert handle in line.getMessage()
    assert f"{USCCS[0]}/1/OTHER there, {USCCS[0]}/1/A000 here" in line.getMessage()
    ((_, again),) = here.issues_to([other])
    assert str(again.handle) == handle


def test_a_machine_that_was_renamed_is_no_contradiction(
    database: Database, here: IssuedFile
) -> None:
    fill(database, 2)
    issued_by(database, here)
    old = MachineName(USCCS[0], "1", "A000")
    database.run_now(rename_machine, old, old._replace(asset_no="B-1"), NOW_MS)
    found = database.read_now(agree, here)
    assert (found.lacking, found.contradicted, found.further) == ([], [], 0)


def test_all_is_compared_portion_by_portion(
    database: Database, here: IssuedFile, there: IssuedFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agreement, "PORTION", 3)
    fill(database)
    issued_by(database, there)
    assert len(database.read_now(agree, here).lacking) == MACHINES
    assert here.count() == MACHINES
    assert database.read_now(agree, here).lacking == []


def test_a_later_look_reads_what_came_since(
    database: Database, here: IssuedFile, there: IssuedFile
) -> None:
    fill(database, 2)
    issued_by(database, there)
    assert database.read_now(agree, here, NOW_MS + 1).lacking == []
    assert len(database.read_now(agree, here, NOW_MS).lacking) == 2


async def test_every_worker_follows_what_is_issued_elsewhere(
    database: Database,
    there: IssuedFile,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(agreement, "PERIOD_S", 0.05)
    fill(database)
    file = tmp_path / "data" / "issued.db"  # in a folder that nobody has made yet
    following = asyncio.create_task(agreement.run(database, file, lambda: NOW_MS))
    await until(lambda: following.done() or file.exists())
    own = IssuedFile(file)
    try:
        for count in (5, MACHINES):
            await asyncio.to_thread(issued_by, database, there, count)
            issued = len(handles(database))
            await until(lambda issued=issued: own.count() == issued)  # type: ignore[misc]
        assert own.count() == MACHINES
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
        own.close()
