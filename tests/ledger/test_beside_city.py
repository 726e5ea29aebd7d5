"""The ledger is imported while the city runs and writes."""

import threading
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, func, select, text

from gateway.city.db.tables import equipment, evidence
from gateway.city.evidence import recording
from gateway.city.evidence.recording import record
from gateway.city.evidence.rows import Row
from gateway.city.evidence.samples import Sample
from gateway.city.ledger import importer
from gateway.city.ledger.changes import latest_change
from gateway.city.ledger.importer import import_files
from gateway.city.ledger.machines import MachineIds, find
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.renaming import rename_machine
from gateway.city.registry import enrolment
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.support.city_db import USCCS, add_enterprise, add_machine

USCC = USCCS[0]
NOW = day_start_ms(date(2026, 11, 20))
ENTERPRISE = "uscc,name,county,industry,above_scale\n91330822MA0000015W,甲,330822,3451,是\n"
MACHINES = "uscc,asset_no,name,equipment_class,status\n91330822MA0000015W,A1,磨床,production,在用\n"
OF_THE_CITY = text("UPDATE alembic_version SET version_num = version_num")


def test_the_city_may_write_at_any_moment(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between what an import reads and what it writes first the city commits."""
    (tmp_path / "e.csv").write_text(ENTERPRISE, encoding="utf-8")
    (tmp_path / "m.csv").write_text(MACHINES, encoding="utf-8")
    database.run_now(import_files, [tmp_path / "e.csv"], NOW)
    unchanged = importer.write_enterprises
    city = threading.Thread(target=lambda: database.run_now(lambda c: c.execute(OF_THE_CITY)))

    def interrupted(*arguments: object) -> object:
        report = unchanged(*arguments)  # type: ignore[arg-type]
        city.start()
        city.join(0.5)  # it is through, or it waits for the import
        return report

    monkeypatch.setattr(importer, "write_enterprises", interrupted)
    database.run_now(import_files, [tmp_path / "e.csv", tmp_path / "m.csv"], NOW)
    city.join()
    assert database.run_now(lambda c: c.scalar(select(func.count()).select_from(equipment))) == 1


def test_two_imports_at_once_follow_one_another(database: Database, tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text(ENTERPRISE, encoding="utf-8")
    (tmp_path / "m.csv").write_text(MACHINES, encoding="utf-8")
    files, added = [tmp_path / "e.csv", tmp_path / "m.csv"], list[int]()
    together = threading.Barrier(3)

    def run() -> None:
        together.wait()
        added.append(database.run_now(import_files, files, NOW).equipment.added)

    imports = [threading.Thread(target=run) for _ in range(3)]
    for one in imports:
        one.start()
    for one in imports:
        one.join()
    assert sorted(added) == [0, 0, 1]


def test_evidence_written_while_a_machine_is_renamed_is_its_own(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine sends under its new number; its evidence is on the way when the ledger learns
    that the number is a machine's which it knows."""
    day, own = date(2026, 11, 20), MachineName(USCC, "1", "NEW")

    def fill(connection: Connection) -> None:
        add_enterprise(connection, USCC)
        add_machine(connection, USCC, "OLD")
        enrolment.add(connection, "gw-1", USCC, "1", 0)
        record(connection, [sample(day)], MachineIds(), NOW)

    def sample(on: date) -> Sample:
        return Sample(own, on, "controller", False, "gw-1", 1, NOW, NOW, 1)

    database.run_now(fill)
    (tmp_path / "m.csv").write_text(
        "uscc,asset_no,formerly,name,equipment_class,status\n"
        f"{USCC},NEW,OLD,磨床,production,在用\n",
        encoding="utf-8",
    )
    unchanged, later = recording.write_evidence, date(2026, 11, 21)
    ledger = threading.Thread(
        target=lambda: database.run_now(import_files, [tmp_path / "m.csv"], NOW)
    )

    def interrupted(connection: Connection, rows: list[Row], today: date) -> None:
        ledger.start()
        ledger.join(0.5)  # it is through, or it waits for the evidence
        unchanged(connection, rows, today)

    monkeypatch.setattr(recording, "write_evidence", interrupted)
    database.run_now(record, [sample(later)], MachineIds(), NOW)
    ledger.join()
    machine = database.run_now(find, [own], later)[own]
    query = select(evidence.c.machine_id, evidence.c.day).order_by(evidence.c.day)
    held = database.run_now(lambda c: [tuple(row) for row in c.execute(query)])
    assert held == [(machine, day), (machine, later)]
    assert database.run_now(lambda c: c.scalars(select(equipment.c.id)).all()) == [machine]


def test_imports_and_renamings_are_counted_and_dry_runs_are_not(
    database: Database, tmp_path: Path
) -> None:
    """The city's registrar waits for the next number."""
    files = tmp_path / "e.csv", tmp_path / "m.csv"
    files[0].write_text(ENTERPRISE, encoding="utf-8")
    files[1].write_text(MACHINES, encoding="utf-8")
    database.run_now(import_files, files, NOW, dry_run=True)
    assert database.run_now(latest_change) == 0
    database.run_now(import_files, files, NOW)
    imported = database.run_now(latest_change)
    assert imported > 0
    old, new = (MachineName(USCC, "1", number) for number in ("A1", "A2"))
    database.run_now(rename_machine, old, new, NOW)
    assert database.run_now(latest_change) > imported


LEDGER = ("enterprise", "equipment", "equipment_status", "roster_member", "ledger_verification")


def test_an_import_reads_what_it_names_and_before_it_locks(
    database: Database, tmp_path: Path
) -> None:
    """It read the whole ledger under the lock: ten rows into a million stopped a city for 20 s."""
    files = [tmp_path / "e.csv", tmp_path / "m.csv"]
    files[0].write_text(ENTERPRISE, encoding="utf-8")
    files[1].write_text(MACHINES, encoding="utf-8")
    database.run_now(import_files, files, NOW)
    reads, others = list[str](), list[int]()
    own = threading.get_ident()

    def watched(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if others or not statement.startswith("SELECT"):
            return
        reads.append(statement)
        if len(reads) == WRITE_AFTER and threading.get_ident() == own:
            others.append(1)
            database.run_now(lambda connection: connection.execute(OF_THE_CITY))
            others.clear()

    event.listen(database.engine, "before_cursor_execute", watched)
    database.run_now(import_files, files, NOW)
    event.remove(database.engine, "before_cursor_execute", watched)
    assert len(reads) > WRITE_AFTER
    whole = [one for one in reads if "WHERE" not in one and any(t in one for t in LEDGER)]
    assert [one for one in whole if "ledger_change" not in one] == []


WRITE_AFTER = 8
"""The city writes after so many queries of an import; all of them come before the lock."""
