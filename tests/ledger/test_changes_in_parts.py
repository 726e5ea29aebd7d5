"""What changes many machines, or adds those of new enterprises, is written in parts as well."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, select, update

from gateway.city.db.schema.identifiers import identifier, identifier_outbox
from gateway.city.db.tables import enterprise, equipment, equipment_rows, status_rows
from gateway.city.identifiers.outbox import enqueue
from gateway.city.ledger import importer
from gateway.city.ledger.changes import latest_change
from gateway.city.ledger.history import histories
from gateway.city.ledger.importer import import_files, import_ledger
from gateway.city.ledger.importing import parts, turns
from gateway.city.ledger.importing.parts import clear_replaced
from gateway.city.ledger.importing.report import ImportReport
from gateway.city.ledger.listing import listed
from gateway.city.rates.publishing.operational import rate_table
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.support.city_db import USCCS, add_enterprise, add_machine

USCC, NEW = USCCS[:2]
TODAY = date(2026, 11, 20)
NOW = day_start_ms(TODAY)
MACHINES, A_PART = 10, 3
HEAD = "uscc,asset_no,name,equipment_class,status,status_since\n"
# entered by mistake, corrected on its first day, another since a day, another name only
BECOMES = (
    ("误录撤销", ""), ("封存", "2020-01-01"), ("报废", "2026-05-01"), ("在用", "2020-01-01"),
)  # fmt: skip


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten machines are many, and go three at a time."""
    monkeypatch.setattr(importer, "MANY", A_PART)
    monkeypatch.setattr(turns, "MOST", A_PART)


def fill(connection: Connection, machines: int) -> None:
    """Machines in use since 2020, each with an identifier that the node has confirmed."""
    add_enterprise(connection, USCC, identifier_code="100000000A")
    ids = [add_machine(connection, USCC, f"A{at}") for at in range(machines)]
    connection.execute(
        insert(identifier),
        [
            {"equipment_id": one, "handle": f"h{one}", "handle_key": f"H{one}", "issued_ms": 0}
            for one in ids
        ],
    )
    enqueue(connection, ids, 0)
    connection.execute(update(identifier_outbox).values(state="done"))


def changed(folder: Path, machines: int) -> list[Path]:
    """Each machine gets another name, and most another status."""
    file = folder / "m.csv"
    rows = (
        f"{USCC},A{at},新名,production,{','.join(BECOMES[at % len(BECOMES)])}\n"
        for at in range(machines)
    )
    file.write_text(HEAD + "".join(rows), encoding="utf-8")
    return [file]


def of_new_enterprise(folder: Path, machines: int) -> list[Path]:
    """An enterprise and its machines."""
    files = [folder / "e.csv", folder / "m.csv"]
    files[0].write_text(
        "uscc,name,county,industry,above_scale,ledger_verified_by,ledger_verified_on,roster,"
        f"roster_from\n{NEW},乙,330881,3451,是,张三,2026-01-01,KEY,2026-01-01\n",
        encoding="utf-8",
    )
    rows = (f"{NEW},B{at},磨床,production,在用,2026-01-01\n" for at in range(machines))
    files[1].write_text(HEAD + "".join(rows), encoding="utf-8")
    return files


Files = Callable[[Path, int], list[Path]]
KINDS = pytest.mark.parametrize("files", [changed, of_new_enterprise])


@dataclass(frozen=True)
class Seen:
    """What readers of the ledger see: its machines, their histories, a rate, enterprises."""

    machines: list[tuple[Any, ...]]
    histories: Any
    figures: tuple[int, int, int]
    enterprises: int


def seen(database: Database) -> Seen:
    def look(connection: Connection) -> Seen:
        rows = listed(connection, NOW)
        rate = rate_table(connection, "ENR-A", "2026-11", "county", NOW, demonstration=False).city
        names = select(equipment.c.id, equipment.c.asset_no)
        called = {row.id: row.asset_no for row in connection.execute(names)}
        dated = histories(connection, called)
        return Seen(
            [(one["asset_no"], one["name"], one["status"]) for one in rows],
            {called[machine]: history for machine, history in dated.items()},
            (rate.equipment, rate.enterprises, rate.networked),
            len(connection.execute(select(enterprise)).all()),
        )

    return database.read_now(look)


def imported_at_once(database: Database, files: list[Path], monkeypatch: Any) -> Seen:
    """What the import makes of the ledger in one transaction, taken back."""
    with monkeypatch.context() as patched, database.engine.connect() as connection:
        patched.setattr(importer, "MANY", 10**6)
        import_files(connection, files, NOW)
        patched.setattr(Database, "read_now", lambda _self, look: look(connection))
        result = seen(database)
        connection.rollback()
    return result


@pytest.fixture
def city(database: Database, small: None) -> Database:
    database.run_now(fill, MACHINES)
    return database


@KINDS
def test_parts_make_the_ledger_that_one_transaction_makes(
    city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: Files
) -> None:
    """Readers see the ledger as it was until the last transaction, and as a whole after it."""
    before, names = seen(city), files(tmp_path, MACHINES)
    after = imported_at_once(city, names, monkeypatch)
    assert seen(city) == before != after
    between, in_turn = list[Seen](), parts.in_turn

    def watched(*what: Any) -> None:
        in_turn(*what)
        between.append(seen(city))

    with monkeypatch.context() as patched:
        patched.setattr(parts, "in_turn", watched)
        city.run_now(import_files, names, NOW)
    assert len(between) > 1
    assert between == [before] * len(between)
    assert seen(city) == after
    again = import_ledger(city, names, NOW)
    assert (again.equipment.unchanged, again.status_entries) == (MACHINES, 0)
    assert seen(city) == after


@KINDS
def test_no_transaction_touches_more_than_a_part(
    city: Database, tmp_path: Path, files: Files
) -> None:
    """100,000 changed machines held SQLite's only write lock for many seconds."""
    touched, most = list[int](), list[int]()

    def executed(_c: Any, cursor: Any, statement: str, *_rest: Any) -> None:
        tables = ("machine", "equipment", "identifier_outbox")
        if statement.split(maxsplit=1)[0] in ("INSERT", "UPDATE", "DELETE") and any(
            f" {one}" in statement.split("WHERE", maxsplit=1)[0] for one in tables
        ):
            touched.append(cursor.rowcount)

    def ended(_connection: Connection) -> None:
        most.append(max(touched, default=0))
        touched.clear()

    event.listen(city.engine, "after_cursor_execute", executed)
    event.listen(city.engine, "commit", ended)
    import_ledger(city, files(tmp_path, MACHINES), NOW)
    assert max(most) == A_PART


KILLED = """
import os, signal, sys
from pathlib import Path
from gateway.relational.database import connect
from gateway.city.ledger import importer
from gateway.city.ledger.importing import parts

place, at = sys.argv[5].split(":")
unchanged, calls = getattr(parts, place), []

def killed(*arguments):
    calls.append(1)
    if len(calls) == int(at):
        os.kill(os.getpid(), signal.SIGKILL)
    return unchanged(*arguments)

setattr(parts, place, killed)
database = connect(sys.argv[1], Path(sys.argv[2]))
importer.import_ledger(database, [Path(one) for one in sys.argv[6:]], int(sys.argv[4]))
"""


def killed(database: Database, folder: Path, files: list[Path], place: str) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    arguments = (url, folder, "", NOW, place, *files)
    ended = subprocess.run([sys.executable, "-c", KILLED, *map(str, arguments)], check=False)
    assert ended.returncode == -signal.SIGKILL


@KINDS
def test_a_kill_between_parts_leaves_the_ledger_as_it_was(
    database: Database, tmp_path: Path, files: Files
) -> None:
    many = importer.MANY + 200
    database.run_now(fill, many)
    before, names = seen(database), files(tmp_path, many)
    killed(database, tmp_path, names, "_write:2")
    rows = select(equipment_rows.c.id)
    assert len(database.run_now(lambda c: c.scalars(rows).all())) > len(before.machines)
    assert seen(database) == before
    report = import_ledger(database, names, NOW)
    assert report.equipment.added + report.equipment.updated == many
    kept = database.run_now(lambda c: c.execute(select(equipment_rows.c.replaced_by)).all())
    assert len(kept) == len(seen(database).machines)  # nothing is left of either


def test_a_kill_behind_the_last_part_tells_the_node_later(
    database: Database, tmp_path: Path
) -> None:
    """All has changed, and what was replaced is still there: the city clears it, hour by hour."""
    many = importer.MANY + 200
    database.run_now(fill, many)
    killed(database, tmp_path, changed(tmp_path, many), "queue_updates:2")
    assert {name for _, name, _ in seen(database).machines} == {"新名"}
    listed_again = select(identifier_outbox.c.id).where(identifier_outbox.c.state == "pending")
    assert len(database.run_now(lambda c: c.scalars(listed_again).all())) < many
    after, noted = seen(database), database.run_now(latest_change)
    clear_replaced(database.engine, NOW)
    assert len(database.run_now(lambda c: c.scalars(listed_again).all())) == many
    assert database.run_now(latest_change) > noted  # the registrar waits for it
    assert seen(database) == after
    for table in (equipment_rows, status_rows):
        marks = database.run_now(lambda c, t=table: c.scalars(select(t.c.replaced_by)).all())
        assert set(marks) == {None}


@KINDS
def test_an_error_in_the_last_part_changes_nothing(
    city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: Files
) -> None:
    before, names = seen(city), files(tmp_path, MACHINES)
    write, calls = parts._write, list[int]()

    def broken(connection: Connection, part: Any, import_id: int) -> None:
        write(connection, part, import_id)
        calls.append(len(part))
        if sum(calls) == MACHINES:
            raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(parts, "_write", broken)
        with pytest.raises(OSError, match="disk full"):
            import_ledger(city, names, NOW)
    assert seen(city) == before
    import_ledger(city, names, NOW)
    assert seen(city) != before


def test_two_imports_that_change_the_same_follow_one_another(
    city: Database, tmp_path: Path
) -> None:
    files, reports = changed(tmp_path, MACHINES), list[ImportReport]()
    together = threading.Barrier(2)

    def run() -> None:
        together.wait()
        reports.append(import_ledger(city, files, NOW))

    both = [threading.Thread(target=run) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(one.equipment.updated for one in reports) == [0, MACHINES]
    assert {name for _, name, _ in seen(city).machines} == {"新名"}
    assert len(seen(city).machines) == MACHINES


def test_an_import_whose_versions_another_replaced_counts_as_a_whole(
    city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock that keeps two apart was lost: the ledger is right all the same."""
    unchanged, names = importer.write_in_parts, changed(tmp_path, MACHINES)
    after = imported_at_once(city, names, monkeypatch)

    def interrupted(*arguments: Any) -> Any:
        result = unchanged(*arguments)
        unchanged(*arguments)
        return result

    monkeypatch.setattr(importer, "write_in_parts", interrupted)
    assert import_ledger(city, names, NOW).equipment.updated == MACHINES
    assert seen(city) == after


def test_a_small_import_after_a_large_one_finds_what_counts(city: Database, tmp_path: Path) -> None:
    """Versions that were replaced are still there: a withdrawn machine comes back, on the very
    day that its history once had."""
    city.run_now(import_files, changed(tmp_path, MACHINES), NOW)
    file = tmp_path / "back.csv"
    file.write_text(HEAD + f"{USCC},A0,磨床,production,在用,2020-01-01\n", encoding="utf-8")
    report = city.run_now(import_files, [file], NOW)
    assert (report.equipment.updated, report.status_entries) == (1, 1)
    assert seen(city).machines[0] == ("A0", "磨床", "in_use")
    clear_replaced(city.engine, NOW)
    assert seen(city).machines[0] == ("A0", "磨床", "in_use")


def test_a_dry_run_of_changes_says_the_same_and_writes_nothing(
    city: Database, tmp_path: Path
) -> None:
    files, before = changed(tmp_path, MACHINES), seen(city)
    said = import_ledger(city, files, NOW, dry_run=True)
    assert seen(city) == before
    done = import_ledger(city, files, NOW)
    assert done == said
    assert (done.equipment.updated, done.updates_queued) == (MACHINES, MACHINES)


def test_a_number_that_is_given_up_in_the_file_is_another_machine(
    city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A3 becomes C3, and A3 is a new machine: not a change of the one that was called so."""
    file = tmp_path / "m.csv"
    rows = "".join(f"{USCC},A{at},新名,production,在用,,\n" for at in range(MACHINES))
    head = HEAD.replace("\n", ",formerly\n")
    file.write_text(head + rows + f"{USCC},C3,旧机,production,在用,,A3\n", encoding="utf-8")
    after = imported_at_once(city, [file], monkeypatch)
    report = import_ledger(city, [file], NOW)
    assert (report.equipment.added, report.equipment.updated) == (1, MACHINES)
    assert seen(city).machines == after.machines


@pytest.mark.parametrize(
    ("size", "written_ms", "following"),
    [(200, 10, 200), (400, 80, 200), (100, 1, 150), (150, 1000, 100), (1000, 0, 1000)],
)
def test_a_part_is_as_large_as_is_written_in_some_milliseconds(
    size: int, written_ms: int, following: int
) -> None:
    assert turns.next_size(size, written_ms / 1000) == following
