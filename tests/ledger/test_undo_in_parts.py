"""A large act is undone in parts, and as a whole or not at all."""

import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, select

from gateway.city.db.schema.ledger_history import machine_history, status_history, undated_history
from gateway.city.db.tables import equipment, equipment_rows, equipment_status, status_rows
from gateway.city.ledger.bitemporal.acts import Doing, Kind
from gateway.city.ledger.importer import import_ledger
from gateway.city.ledger.importing import turns
from gateway.city.ledger.undoing import undone
from gateway.city.ledger.undoing.acts import acts_page
from gateway.city.ledger.undoing.undo import UndoError
from gateway.city.ledger.undoing.undone import being_undone, undo
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.support.city_db import USCCS, add_enterprise

USCC = USCCS[0]
NOW = day_start_ms(date(2026, 11, 20))
LATER = NOW + 86_400_000
MACHINES, A_PART = 10, 3
HEAD = "uscc,asset_no,name,equipment_class,status,status_since,controller\n"
FIRST, CHANGED = "磨床,production,在用,2026-01-01,甲", "铣床,aux,报废,2026-10-01,乙"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten machines are many, and go three at a time."""
    monkeypatch.setattr(undone, "MANY", A_PART)
    monkeypatch.setattr(turns, "MOST", A_PART)


@pytest.fixture
def city(database: Database, tmp_path: Path) -> Database:
    database.run_now(add_enterprise, USCC)
    load(database, tmp_path, FIRST, MACHINES, NOW)
    return database


def load(database: Database, folder: Path, values: str, machines: int, now_ms: int) -> int:
    """Import machines that all say the same; gives the number of the act."""
    rows = "".join(f"{USCC},A{at},{values}\n" for at in range(machines))
    (folder / "m.csv").write_text(HEAD + rows, encoding="utf-8")
    import_ledger(database, [folder / "m.csv"], now_ms, made_by="wang.li")
    return database.read_now(acts_page, None, 1)[0][0].number


def undo_it(database: Database, number: int) -> None:
    undo(database, number, Doing(Kind.UNDO, "li.wei", str(number), LATER))


def seen(connection: Connection) -> Mapping[str, Any]:
    """All that stands in the ledger of machines."""
    tables = (equipment, equipment_status)
    return {t.name: connection.execute(select(t).order_by(*t.c)).all() for t in tables}


def said(connection: Connection) -> Mapping[str, Any]:
    """What the newest act says of machines, without its number."""
    number, found = acts_page(connection, None, 1)[0][0].number, {}
    for table in (machine_history, status_history, undated_history):
        columns = [one for one in table.c if one.name != "act_id"]
        query = select(*columns).where(table.c.act_id == number).order_by(*columns)
        found[table.name] = connection.execute(query).all()
    return found


def test_parts_undo_what_one_transaction_undoes(
    city: Database, tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = city.read_now(seen)
    undo_it(city, load(city, tmp_path, CHANGED, MACHINES, LATER))
    assert city.read_now(seen) == before
    for table in (equipment_rows, status_rows):  # nothing is left of what was replaced
        marks = city.read_now(lambda c, t=table: c.scalars(select(t.c.replaced_by)).all())
        assert set(marks) == {None}
    told = city.read_now(said)
    monkeypatch.setattr(undone, "MANY", MACHINES)
    undo_it(city, load(city, tmp_path, CHANGED, MACHINES, LATER))
    assert (city.read_now(seen), city.read_now(said)) == (before, told)
    assert all(len(rows) >= MACHINES for rows in told.values())


def test_no_transaction_writes_more_machines_than_a_part(
    city: Database, tmp_path: Path, small: None
) -> None:
    act = load(city, tmp_path, CHANGED, MACHINES, LATER)
    touched, most = list[int](), list[int]()

    def executed(_c: Any, cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.split(maxsplit=1)[0] in ("INSERT", "UPDATE", "DELETE"):
            touched.append(cursor.rowcount)

    def ended(_connection: Connection) -> None:
        most.append(max(touched, default=0))
        touched.clear()

    event.listen(city.engine, "after_cursor_execute", executed)
    event.listen(city.engine, "commit", ended)
    undo_it(city, act)
    assert max(most) == A_PART


KILLED = """
import os, signal, sys
from pathlib import Path
from gateway.city.ledger.bitemporal.acts import Doing, Kind
from gateway.city.ledger.importing import turns
from gateway.city.ledger.undoing import undone
from gateway.relational.database import connect

unchanged, calls = undone._write_part, []

def killed(*arguments, **more):
    calls.append(1)
    if len(calls) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return unchanged(*arguments, **more)

undone._write_part, undone.MANY, turns.MOST = killed, 3, 3
number = int(sys.argv[3])
doing = Doing(Kind.UNDO, "li.wei", str(number), int(sys.argv[4]))
undone.undo(connect(sys.argv[1], Path(sys.argv[2])), number, doing)
"""


def test_a_kill_between_parts_undoes_nothing_and_the_next_try_all(
    city: Database, tmp_path: Path, small: None
) -> None:
    before = city.read_now(seen)
    act = load(city, tmp_path, CHANGED, MACHINES, LATER)
    changed = city.read_now(seen)
    url = city.engine.url.render_as_string(hide_password=False)
    order = [sys.executable, "-c", KILLED, url, str(tmp_path), str(act), str(LATER)]
    assert subprocess.run(order, check=False).returncode == -signal.SIGKILL
    written = city.read_now(lambda c: c.scalars(select(equipment_rows.c.id)).all())
    assert len(written) == MACHINES + 2 * A_PART
    assert city.read_now(seen) == changed
    assert city.read_now(being_undone, act)
    undo_it(city, act)
    assert city.read_now(seen) == before
    assert not city.read_now(being_undone, act)


def test_a_change_between_the_parts_is_noticed(city: Database, tmp_path: Path, small: None) -> None:
    """What somebody says of one of the machines meanwhile is not undone with the rest."""
    act = load(city, tmp_path, CHANGED, MACHINES, LATER)
    meanwhile = list[int]()

    def tell(_step: str, done: int, _total: int) -> None:
        if done == A_PART and not meanwhile:
            meanwhile.append(load(city, tmp_path, CHANGED.replace("乙", "丙"), 1, LATER))

    doing = Doing(Kind.UNDO, "li.wei", str(act), LATER)
    with pytest.raises(UndoError, match="since later acts changed the same"):
        undo(city, act, doing, tell)
    assert {row.controller for row in city.read_now(seen)["equipment"]} == {"乙", "丙"}
