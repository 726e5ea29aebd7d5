"""A large import is written in parts, and counts as a whole or not at all."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, func, select, text

from gateway.city.access.principal import EVERYTHING
from gateway.city.console.queries.database import equipment_names, machine_row
from gateway.city.console.queries.findings import findings
from gateway.city.db.tables import (
    equipment,
    equipment_rows,
    machine,
    machine_alias,
    status_rows,
)
from gateway.city.identifiers.issuing import identifier_counts
from gateway.city.identifiers.review import unidentified
from gateway.city.ledger import importer
from gateway.city.ledger.importer import import_files
from gateway.city.ledger.importing import parts, turns
from gateway.city.ledger.importing.report import ImportReport
from gateway.city.ledger.listing import listed
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.renaming import RenamingError, rename_machine
from gateway.city.rates.publishing.operational import rate_table
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.support.city_db import USCCS, add_enterprise, add_machine

USCC = USCCS[0]
NOW = day_start_ms(date(2026, 11, 20))
MACHINES, A_PART = 10, 3
TABLES = (equipment_rows, status_rows, machine, machine_alias)
OF_THE_CITY = text("UPDATE alembic_version SET version_num = version_num")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten machines are many, and go three at a time."""

    monkeypatch.setattr(importer, "MANY", A_PART)
    monkeypatch.setattr(turns, "MOST", A_PART)


@pytest.fixture
def city(database: Database, small: None) -> Database:
    database.run_now(add_enterprise, USCC, identifier_code="100000000A")
    return database


def table(folder: Path, machines: int = MACHINES) -> Path:
    file = folder / "m.csv"
    rows = "".join(f"{USCC},A{at},磨床,production,在用,2026-01-01\n" for at in range(machines))
    file.write_text(
        f"uscc,asset_no,name,equipment_class,status,status_since\n{rows}", encoding="utf-8"
    )
    return file


def seen(database: Database) -> set[int]:
    """How many machines each of those who read the ledger finds."""

    def look(connection: Connection) -> set[int]:
        rate = rate_table(connection, "ENR-A", "2026-11", "county", NOW, demonstration=False)
        machines = {
            len(listed(connection, NOW)),
            len(equipment_names(connection, USCC)),
            findings(connection, EVERYTHING, NOW, 5_000).equipment,
            identifier_counts(connection).equipment,
            len(connection.execute(unidentified()).all()),
            rate.city.equipment,
        }
        assert (machine_row(connection, name(0), EVERYTHING) is None) == (machines == {0})
        return machines

    return database.read_now(look)


def name(at: object) -> MachineName:
    return MachineName(USCC, "1", f"A{at}")


def held(connection: Connection) -> list[int]:
    """Rows of each table, hidden ones too."""
    return [connection.scalar(select(func.count()).select_from(one)) or 0 for one in TABLES]


def at_each_commit(database: Database, look: Callable[[list[int]], None]) -> None:
    """Tell how many rows each transaction leaves, just before it ends."""

    def ending(connection: Connection) -> None:
        cursor = connection.connection.cursor()
        counts = []
        for one in TABLES:
            cursor.execute(f"SELECT count(*) FROM {one.name}")
            counts.append(cursor.fetchone()[0])  # type: ignore[index]
        look(counts)

    event.listen(database.engine, "commit", ending)


def test_no_transaction_writes_more_than_a_part(city: Database, tmp_path: Path) -> None:
    """An import of 100,000 held SQLite's only write lock for ten seconds."""
    states = [city.run_now(held)]
    at_each_commit(city, states.append)
    report = city.run_now(import_files, [table(tmp_path)], NOW)
    grown = [max(b - a for a, b in zip(*two, strict=True)) for two in pairwise(states)]
    assert max(grown) == A_PART
    assert grown[-1] == 0  # the last transaction only lets them count
    assert (report.equipment.added, report.status_entries) == (MACHINES, MACHINES)
    assert seen(city) == {MACHINES}


def test_nothing_is_seen_before_the_end_and_the_city_writes_meanwhile(
    city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_turn, between = parts.in_turn, list[set[int]]()

    def watched(*what: Any) -> None:
        in_turn(*what)
        city.run_now(lambda connection: connection.execute(OF_THE_CITY))
        between.append(seen(city))

    monkeypatch.setattr(parts, "in_turn", watched)
    city.run_now(import_files, [table(tmp_path)], NOW)
    assert between == [{0}] * len(between)
    assert len(between) > 1
    assert seen(city) == {MACHINES}


KILLED = """
import os, signal, sys
from pathlib import Path
from gateway.relational.database import connect
from gateway.city.ledger import importer
from gateway.city.ledger.importing import parts, turns

unchanged, calls = parts._write, []

def killed(*arguments):
    calls.append(1)
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return unchanged(*arguments)

parts._write = killed
database = connect(sys.argv[1], Path(sys.argv[2]))
database.run_now(importer.import_files, [Path(sys.argv[3])], int(sys.argv[4]))
"""


def test_a_kill_in_the_middle_leaves_nothing_and_the_next_import_all(
    database: Database, tmp_path: Path
) -> None:
    many = importer.MANY + 200
    database.run_now(add_enterprise, USCC, identifier_code="100000000A")
    url = database.engine.url.render_as_string(hide_password=False)
    arguments = (url, tmp_path, table(tmp_path, many), NOW)
    ended = subprocess.run([sys.executable, "-c", KILLED, *map(str, arguments)], check=False)
    assert ended.returncode == -signal.SIGKILL
    rows = database.run_now(held)
    assert 0 < rows[0] < many
    assert seen(database) == {0}
    report = database.run_now(import_files, [tmp_path / "m.csv"], NOW)
    assert (report.equipment.added, report.status_entries) == (many, many)
    assert seen(database) == {many}
    assert database.run_now(held) == [many] * len(TABLES)  # nothing is left of the first


def test_a_small_import_takes_over_what_an_unfinished_one_left(
    city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_unfinished(city, tmp_path, monkeypatch)
    report = city.run_now(import_files, [table(tmp_path, 2)], NOW)
    assert (report.equipment.added, report.status_entries) == (2, 2)
    assert seen(city) == {2}


def leave_unfinished(database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error in the last transaction, when all parts are written."""

    def broken(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(importer, "conclude", broken)
        with pytest.raises(OSError, match="disk full"):
            database.run_now(import_files, [table(folder)], NOW)
    assert database.run_now(held)[0] == MACHINES
    assert seen(database) == {0}


def test_what_was_abandoned_goes_with_the_next_large_import(
    city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_unfinished(city, tmp_path, monkeypatch)
    other = tmp_path / "other.csv"
    other.write_text((tmp_path / "m.csv").read_text("utf-8").replace(",A", ",B"), "utf-8")
    city.run_now(import_files, [other], NOW)
    assert city.run_now(held)[:2] == [MACHINES, MACHINES]
    assert len(city.run_now(listed, NOW)) == MACHINES


def test_what_is_unfinished_cannot_be_renamed(
    city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_unfinished(city, tmp_path, monkeypatch)
    with pytest.raises(RenamingError, match="no machine of the ledger"):
        city.run_now(rename_machine, name(1), name("x"), NOW)


@pytest.mark.parametrize("moment", ["write_in_parts", "alone"])
def test_a_renaming_between_the_parts_is_no_second_machine(
    city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """A machine takes a number that the import has written already: it is one machine."""
    own = city.run_now(add_machine, USCC, "OLD")
    unchanged, done = getattr(importer, moment), list[int]()

    def interrupted(*arguments: Any) -> Any:
        result = unchanged(*arguments) if moment == "write_in_parts" else None
        if not done:
            done.append(
                city.run_now(rename_machine, name(3)._replace(asset_no="OLD"), name(3), NOW)
            )
        return result if moment == "write_in_parts" else unchanged(*arguments)

    monkeypatch.setattr(importer, moment, interrupted)
    report = city.run_now(import_files, [table(tmp_path)], NOW)
    assert done == [own]
    assert report.equipment.added == MACHINES - 1
    assert seen(city) == {MACHINES}
    row = city.run_now(machine_row, name(3), EVERYTHING)
    assert row is not None
    assert row.id == own


def test_two_large_imports_at_once_are_one_ledger(city: Database, tmp_path: Path) -> None:
    file, reports = table(tmp_path), list[ImportReport]()
    together = threading.Barrier(2)

    def run() -> None:
        together.wait()
        reports.append(city.run_now(import_files, [file], NOW))

    both = [threading.Thread(target=run) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sum(one.equipment.added for one in reports) == MACHINES
    assert sum(one.equipment.unchanged for one in reports) == MACHINES
    assert seen(city) == {MACHINES}


def test_an_import_whose_machine_another_took_counts_as_a_whole(
    city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another large import has written the same and was killed: the ledger has not changed."""
    unchanged = importer.write_in_parts

    def interrupted(*arguments: Any) -> Any:
        result = unchanged(*arguments)
        unchanged(*arguments)
        return result

    monkeypatch.setattr(importer, "write_in_parts", interrupted)
    report = city.run_now(import_files, [table(tmp_path)], NOW)
    assert report.equipment.added == MACHINES
    assert seen(city) == {MACHINES}


def test_a_dry_run_says_the_same_and_writes_nothing(city: Database, tmp_path: Path) -> None:
    file, states = table(tmp_path), [city.run_now(held)]
    at_each_commit(city, states.append)
    said = city.run_now(import_files, [file], NOW, dry_run=True)
    assert states[0] == states[1]
    assert len(states) == 2
    assert city.run_now(import_files, [file], NOW) == said


def test_the_ledger_hides_only_what_is_unfinished(city: Database, tmp_path: Path) -> None:
    """Every later import and renaming reads what parts wrote, as any other row."""
    city.run_now(import_files, [table(tmp_path)], NOW)
    again = city.run_now(import_files, [table(tmp_path)], NOW)
    assert (again.equipment.unchanged, again.status_entries) == (MACHINES, 0)
    city.run_now(rename_machine, name(1), name("x"), NOW)
    numbers = city.run_now(lambda c: set(c.scalars(select(equipment.c.asset_no))))
    assert {"Ax", "A0"} < numbers
    assert "A1" not in numbers
