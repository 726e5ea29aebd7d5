"""Nothing that decides a figure is overwritten: what the ledger said, of which days, since when."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, select, text

from gateway.city.db.schema.ledger_history import (
    ledger_act,
    machine_history,
    roster_history,
    status_history,
    verification_history,
)
from gateway.city.db.tables import enterprise, equipment
from gateway.city.ledger import importer
from gateway.city.ledger.bitemporal.entries import ENTERPRISE, MACHINE, Subject, held_steps
from gateway.city.ledger.bitemporal.steps import at, restated
from gateway.city.ledger.bitemporal.timeline import said_of_enterprise, said_of_machine
from gateway.city.ledger.importer import import_ledger
from gateway.city.ledger.importing import parts
from gateway.city.ledger.machines import find
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.renaming import rename_machine
from gateway.city.ledger.withdrawal import withdraw_machine
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.support.city_db import USCCS, drop_all

USCC = USCCS[0]
FIRST = date(2026, 10, 5)
ENTERPRISES = "uscc,name,county,industry,above_scale,ledger_verified_by,ledger_verified_on,roster,"
MEMBER = "张三,2026-10-01,KEY,2026-01-01"

Day = st.dates(date(2026, 1, 1), date(2026, 1, 20))
Said = st.dictionaries(st.sampled_from("abc"), st.integers(0, 2), min_size=1)


@given(st.lists(st.tuples(Day, Said), max_size=8))
def test_a_value_holds_until_the_next_day_of_its_own(
    said: list[tuple[date, dict[str, int]]],
) -> None:
    """The oracle keeps a value for each attribute and day, and knows where values begin."""
    ever = date(1970, 1, 1)
    steps: dict[date, Mapping[str, Any]] = {ever: dict.fromkeys("abc", 0)}
    days = [ever, *(date(2026, 1, 1) + timedelta(days=one) for one in range(25))]
    oracle = {name: dict.fromkeys(days, 0) for name in "abc"}
    for start, values in said:
        steps |= restated(steps, start, values)
        for name, value in values.items():
            held, old = oracle[name], oracle[name][start]
            for day in [day for day in days if day >= start]:
                if held[day] != old:
                    break
                held[day] = value
    for day in days:
        assert at(steps, day) == {name: oracle[name][day] for name in "abc"}


def written(folder: Path, machines: int, **other: str) -> list[Path]:
    """An enterprise of the roster, and its machines."""
    cells = {"county": "330822", "class": "production", "status": "在用", "member": MEMBER} | other
    files = [folder / "e.csv", folder / "m.csv"]
    files[0].write_text(
        f"{ENTERPRISES}roster_from\n{USCC},甲,{cells['county']},3451,是,{cells['member']}\n",
        encoding="utf-8",
    )
    rows = (
        f"{USCC},A{at},磨床,{cells['class']},{cells['status']},2026-01-01\n"
        for at in range(machines)
    )
    files[1].write_text(
        "uscc,asset_no,name,equipment_class,status,commissioned_on\n" + "".join(rows),
        encoding="utf-8",
    )
    return files


def told(database: Database, files: list[Path], day: date, by: str = "li") -> None:
    import_ledger(database, files, day_start_ms(day), made_by=by)


def is_current(connection: Connection, subject: Subject, rows: Any, key: str, day: date) -> bool:
    """Whether the current rows are what history says of today."""
    held = {row[key]: row for row in connection.execute(select(rows)).mappings()}
    steps = held_steps(connection, subject, held)
    return bool(held) and all(
        at(steps[one], day) == {name: row[name] for name in subject.attributes}
        for one, row in held.items()
    )


@pytest.mark.parametrize("many", [0, 100])
def test_current_rows_are_what_history_says_of_today(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(importer, "MANY", many)
    told(database, written(tmp_path, 3), FIRST)
    later = FIRST + timedelta(days=20)
    told(database, written(tmp_path, 4, county="330881", **{"class": "aux"}), later)
    told(database, written(tmp_path, 4, county="330881", **{"class": "aux"}), later)
    moved = MachineName(USCC, "2", "A1")
    database.run_now(rename_machine, MachineName(USCC, "1", "A1"), moved, day_start_ms(later))
    with database.engine.connect() as connection:
        assert is_current(connection, MACHINE, equipment, "id", later)
        assert is_current(connection, ENTERPRISE, enterprise, "uscc", later)
        kept = connection.execute(select(machine_history.c.valid_from)).scalars().all()
        # three and one are new, three become auxiliary, one moves; the same file says nothing
        assert len(kept) == 4 + 3 + 1
        acts = connection.execute(select(ledger_act).order_by(ledger_act.c.id)).all()
    assert [one.kind for one in acts] == ["import"] * 3 + ["renaming"]
    assert acts[0].made_by == "li"
    assert acts[0].source == "e.csv, m.csv"
    assert sorted(one.change_id for one in acts) == [one.change_id for one in acts]
    assert [one.known_ms for one in acts] == sorted(one.known_ms for one in acts)


def test_what_is_taken_back_stays_to_be_read(database: Database, tmp_path: Path) -> None:
    told(database, written(tmp_path, 1), FIRST)
    name = MachineName(USCC, "1", "A0")
    database.run_now(withdraw_machine, name, "录入两次", day_start_ms(FIRST) + 1, "wang")
    # an earlier first day of the membership, and no verification any more
    told(database, written(tmp_path, 1, status="误录撤销", member=",,KEY,2025-01-01"), FIRST)
    with database.engine.connect() as connection:
        statuses = connection.execute(
            select(status_history.c.valid_from, status_history.c.status).order_by(
                status_history.c.act_id, status_history.c.valid_from
            )
        ).all()
        members = connection.execute(
            select(roster_history.c.valid_from, roster_history.c.approved_by).order_by(
                roster_history.c.act_id, roster_history.c.valid_from
            )
        ).all()
        verified = connection.scalars(
            select(verification_history.c.verified_by).order_by(verification_history.c.act_id)
        ).all()
        reason = connection.scalar(
            select(ledger_act.c.source).where(ledger_act.c.made_by == "wang")
        )
        machine = find(connection, [name], FIRST)[name]
        sayings = said_of_machine(connection, machine)
        firms = said_of_enterprise(connection, USCC)
    began, ever = date(2026, 1, 1), date(1970, 1, 1)
    assert [(one.made_by, one.valid_from, one.values.get("status")) for one in sayings] == [
        ("li", ever, None),
        ("li", began, "in_use"),
        ("wang", ever, "withdrawn"),
        ("wang", began, None),
    ]
    assert [one.valid_from for one in firms if one.values.get("county")] == [ever]
    assert len(firms) == 6
    assert statuses == [(began, "in_use"), (ever, "withdrawn"), (began, None)]
    assert members == [(began, ""), (date(2025, 1, 1), ""), (began, None)]
    assert verified == ["张三", None]
    assert reason == "录入两次"


def test_an_import_that_is_killed_has_said_nothing(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "MANY", 0)
    told(database, written(tmp_path, 3), FIRST)

    def dies(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(importer, "finish", dies)
    with pytest.raises(KeyboardInterrupt):
        told(database, written(tmp_path, 3, **{"class": "aux", "status": "封存"}), FIRST)
    with database.engine.connect() as connection:
        ids = connection.scalars(select(equipment.c.id)).all()
        classes = {
            one["equipment_class"]
            for steps in held_steps(connection, MACHINE, ids).values()
            for one in steps.values()
        }
        assert classes == {"production"}
        assert len(connection.execute(select(machine_history)).all()) == 6
    monkeypatch.undo()
    parts.clear_abandoned(database.engine)
    with database.engine.connect() as connection:
        assert len(connection.execute(select(machine_history)).all()) == 3
        assert len(connection.execute(select(status_history)).all()) == 3


def test_an_older_ledger_is_known_since_its_migration(database: Database) -> None:
    from alembic import command

    from gateway.city.db.upgrade import CITY, upgrade
    from gateway.relational.migrating import alembic_config
    from tests.city.test_versions_migrated import FILL

    with database.engine.begin() as connection:
        drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
        command.upgrade(alembic_config(connection, CITY), "city9")
        for statement in FILL.split(";"):
            connection.execute(text(statement))
    upgrade(database)
    with database.engine.connect() as connection:
        # the second machine is of an import that had not ended
        assert list(held_steps(connection, MACHINE, [1, 2])) == [1]
        assert is_current(connection, ENTERPRISE, enterprise, "uscc", FIRST)
        (act,) = connection.execute(select(ledger_act)).all()
    assert act.kind == "migration"
    assert act.known_ms > day_start_ms(FIRST)
    assert act.change_id == 1
