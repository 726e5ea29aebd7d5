"""An act is undone by another: what was held before holds again, and what was known stays known."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from gateway.city.access.audit import Action, EntryFilter, entries
from gateway.city.db.tables import enterprise, equipment, ledger_verification, roster_member
from gateway.city.ledger.bitemporal.acts import Doing, Kind
from gateway.city.ledger.bitemporal.entries import ENTERPRISE, MACHINE, held_steps
from gateway.city.ledger.bitemporal.steps import at, restated
from gateway.city.ledger.changes import latest_change
from gateway.city.ledger.history import histories
from gateway.city.ledger.importer import MANY, import_ledger
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.papers.entering import Ending, end, enter_files
from gateway.city.ledger.renaming import rename_machine
from gateway.city.ledger.stops.held import standing
from gateway.city.ledger.stops.sort import STOPS
from gateway.city.ledger.undoing.acts import acts_page, machines_told
from gateway.city.ledger.undoing.reversing import changed_names, steps_back, steps_hindered
from gateway.city.ledger.undoing.tellings import Telling
from gateway.city.ledger.undoing.undo import UndoError, Undoing, undoing
from gateway.city.ledger.undoing.undone import undo_act
from gateway.city.ledger.withdrawal import withdraw_machine
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.support.city_db import USCCS

USCC = USCCS[0]
DAY = date(2026, 11, 5)
DAYS = [DAY - timedelta(days=30 * back) for back in range(12)]
FIRM = (
    "uscc,name,county,industry,above_scale,ledger_verified_by,ledger_verified_on,roster,roster_from"
)
MACHINES = "uscc,asset_no,name,equipment_class,status,status_since,commissioned_on,valid_from"
FIRST = ("A1,磨床,production,在用,2024-01-01,2024-01-01,", "A2,铣床,production,在用,2024-01-01,,")


def load(database: Database, folder: Path, later: int, firm: str, *rows: str) -> None:
    """Import an enterprise and machines, some days after the first import."""
    files = [folder / "e.csv", folder / "m.csv"]
    files[0].write_text(f"{FIRM}\n{USCC},甲,{firm}\n", encoding="utf-8")
    files[1].write_text(f"{MACHINES}\n" + "".join(f"{USCC},{one}\n" for one in rows), "utf-8")
    import_ledger(database, files[: 1 + bool(rows)], ms(later), made_by="wang.li")


def ms(later: int) -> int:
    return day_start_ms(DAY + timedelta(days=later)) + 1


def undo(database: Database, number: int, later: int) -> Undoing:
    return database.run_now(undo_act, number, Doing(Kind.UNDO, "li.wei", str(number), ms(later)))


def newest(database: Database) -> int:
    return database.read_now(acts_page, None, 1)[0][0].number


def held(connection: Connection, known: int | None = None) -> Mapping[str, Any]:
    """What holds of each day, and what stands in the current rows."""
    ids = connection.scalars(select(equipment.c.id).order_by(equipment.c.id)).all()
    found: dict[str, Any] = {
        f"{of} {day}": at(steps, day)
        for subject, wanted in ((MACHINE, ids), (ENTERPRISE, [USCC]))
        for of, steps in held_steps(connection, subject, wanted, known).items()
        for day in DAYS
    }
    if known is None:
        tables = (equipment, enterprise, roster_member, ledger_verification)
        for table in tables:
            found[table.name] = connection.execute(select(table).order_by(*table.c)).all()
        found["statuses"] = histories(connection, ids)
    return found


@pytest.fixture
def city(database: Database, tmp_path: Path) -> Database:
    load(database, tmp_path, 0, "330822,3451,是,,,,", *FIRST)
    return database


CHANGED = (
    "A1,磨床,aux,停用,2026-08-01,2024-02-01,2026-07-01",
    "A2,铣床,production,报废,2026-09-01,,",
)


def test_an_import_is_undone_and_what_was_known_stays_known(city: Database, tmp_path: Path) -> None:
    before, first = city.read_now(held), city.read_now(latest_change)
    rows = [one.replace("停用", "闲置") for one in CHANGED]
    load(city, tmp_path, 1, "330881,2032,否,王力,2026-11-01,KEY,2026-01-01", *rows)
    changed, second = city.read_now(held), city.read_now(latest_change)
    act = newest(city)
    planned = city.read_now(undoing, act)
    done = undo(city, act, 2)
    assert done.counts == planned.counts
    assert done.counts == {
        "machines": 2, "enterprises": 1, "rosters": 1, "verifications": 1, "stops": 0,
        "undated": 0,
    }  # fmt: skip
    assert min(done.since) == date(1970, 1, 1)  # the commissioning is of all days
    assert city.read_now(held) == before != changed
    assert city.read_now(held, first) == {k: v for k, v in before.items() if " " in k}
    assert city.read_now(held, second) == {k: v for k, v in changed.items() if " " in k}
    undo(city, newest(city), 3)  # of the undoing
    assert city.read_now(held) == changed
    (first_undoing, second_undoing) = city.read_now(entries, EntryFilter(Action.LEDGER_UNDO))
    assert (first_undoing.who, first_undoing.subject) == ("li.wei", str(act))
    assert "machines 2" in second_undoing.detail


def test_a_new_machine_never_was_once_its_import_is_undone(city: Database, tmp_path: Path) -> None:
    load(city, tmp_path, 1, "330822,3451,是,,,,", "A3,车床,production,在用,2024-01-01,,")
    act, added = newest(city), city.read_now(held)
    done = undo(city, act, 2)
    assert (done.new, done.counts["machines"], list(done.since)) == (1, 1, [date(2024, 1, 1)])
    statuses = city.read_now(held)["statuses"]
    assert [one.code for one in statuses[max(statuses)].values()] == ["withdrawn"]
    undo(city, newest(city), 3)
    assert city.read_now(held) == added


def test_a_withdrawal_and_stops_are_undone(city: Database, tmp_path: Path) -> None:
    before = city.read_now(held)
    name = MachineName(USCC, "1", "A1")
    city.run_now(withdraw_machine, name, "录入两次", ms(1), "wang.li")
    undo(city, newest(city), 2)
    assert city.read_now(held) == before
    file = tmp_path / "s.csv"
    head = "uscc,stop_from,stop_to,stop_reason,document,said_by"
    file.write_text(f"{head}\n{USCC},2026-10-01,2026-10-08,检修,7号,王力\n", "utf-8")
    city.run_now(enter_files, STOPS, [file], ms(3), "wang.li")
    (said,) = city.read_now(standing)
    undo(city, newest(city), 4)
    assert city.read_now(standing) == []
    undo(city, newest(city), 5)
    (again,) = city.read_now(standing)
    assert again.what == said.what
    city.run_now(end, STOPS, Ending(again.number, "未停"), ms(6), "wang.li")
    ended = newest(city)
    undo(city, ended, 7)
    assert [one.what for one in city.read_now(standing)] == [said.what]
    with pytest.raises(UndoError, match=f"later acts changed the same: {newest(city)};"):
        undo(city, ended, 8)


def test_what_stands_in_the_way_is_named(city: Database, tmp_path: Path) -> None:
    first = newest(city)
    load(city, tmp_path, 1, "330822,3451,是,,,,", "A1,磨床,aux,在用,,2024-01-01,2026-07-01")
    classed = newest(city)
    load(city, tmp_path, 2, "330822,3451,是,,,,", "A1,磨床,production,在用,,2024-01-01,2026-08-01")
    again, before = newest(city), city.read_now(held)
    for number, words in (
        (classed, f"later acts changed the same: {again};"),
        (first, f": {classed}, {again};"),
        (again + 1, "there is no act"),
    ):
        with pytest.raises(UndoError, match=words):
            undo(city, number, 3)
    assert city.read_now(held) == before
    undo(city, again, 3)
    with pytest.raises(UndoError, match=f"the same: {newest(city)};"):
        undo(city, again, 4)


def test_another_attribute_that_a_later_act_changed_stays_changed(
    city: Database, tmp_path: Path
) -> None:
    load(city, tmp_path, 1, "330822,3451,是,,,,", "A1,磨床,aux,在用,,2024-01-01,2026-07-01")
    act = newest(city)
    file = tmp_path / "k.csv"
    head = "uscc,asset_no,name,equipment_class,status,key_equipment,valid_from"
    file.write_text(f"{head}\n{USCC},A1,磨床,aux,在用,是,2026-08-01\n", "utf-8")
    import_ledger(city, [file], ms(2))
    undo(city, act, 3)
    (number,) = (row.id for row in city.read_now(held)["equipment"] if row.asset_no == "A1")
    steps = city.read_now(held_steps, MACHINE, [number])[number]
    for day, is_key in ((date(2026, 7, 15), False), (date(2026, 9, 1), True)):
        values = at(steps, day) or {}
        assert (values["equipment_class"], values["key_equipment"]) == ("production", is_key)


def test_acts_of_which_no_history_is_kept_are_refused(city: Database, tmp_path: Path) -> None:
    a, b = MachineName(USCC, "1", "A1"), MachineName(USCC, "2", "B1")
    city.run_now(rename_machine, a, b, ms(3), "wang.li")
    with pytest.raises(UndoError, match="give the machine its former number"):
        undo(city, newest(city), 4)


def test_what_has_no_days_goes_back_too(city: Database, tmp_path: Path) -> None:
    before = city.read_now(held)
    mark = f"{MACHINES},workshop,model,verified_by,verified_on\n"
    files = [tmp_path / "e.csv", tmp_path / "m.csv"]
    files[0].write_text(f"{FIRM}\n{USCC},乙,330822,3451,是,,,,\n", encoding="utf-8")
    row = f"{USCC},A1,平面磨床,production,在用,,2024-01-01,,一车间,M7140,王力,2026-11-01\n"
    files[1].write_text(mark + row, encoding="utf-8")
    import_ledger(city, files, ms(1), made_by="wang.li")
    changed, act = city.read_now(held), newest(city)
    assert city.read_now(machines_told, act, [1])[0][1][0][1]["model"] == "M7140"
    done = undo(city, act, 2)
    assert done.counts["undated"] == 2 and not done.counts["machines"]
    assert city.read_now(held) == before != changed
    undo(city, newest(city), 3)
    assert city.read_now(held) == changed
    load(city, tmp_path, 4, "330822,3451,是,,,,", "A1,外圆磨床,production,在用,,2024-01-01,")
    with pytest.raises(UndoError, match="later acts"):
        undo(city, act, 5)
    undo(city, newest(city), 6)  # the later one, after which its names are what the first brought
    undo(city, act, 7)
    assert city.read_now(held) == before


def test_names_of_a_large_import_go_back(city: Database, tmp_path: Path) -> None:
    rows = [f"N{one},磨床,production,在用,2024-01-01,2024-01-01," for one in range(MANY + 1)]
    load(city, tmp_path, 1, "330822,3451,是,,,,", *rows)
    before = city.read_now(held)
    load(city, tmp_path, 2, "330822,3451,是,,,,", *(one.replace("磨", "铣") for one in rows))
    assert undo(city, newest(city), 3).counts["undated"] == MANY + 1
    assert city.read_now(held) == before


NAMES = ("class", "key", "digital")
VALUES = st.integers(0, 2)
SAID = st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1)
STEPS = st.dictionaries(st.sampled_from(DAYS[:-1]), st.tuples(VALUES, VALUES, VALUES), max_size=4)


@given(STEPS, st.lists(st.tuples(st.sampled_from(DAYS), SAID), min_size=1, max_size=3))
def test_attributes_are_again_what_they_were_on_each_day(
    others: dict[date, tuple[int, ...]], acts: list[tuple[date, dict[str, int]]]
) -> None:
    before = {DAYS[-1]: dict.fromkeys(NAMES, 0)}
    before |= {day: dict(zip(NAMES, one, strict=True)) for day, one in others.items()}
    (start, said), *later = acts
    after = {**before, **restated(before, start, said)}
    now = after
    for day, other in later:
        now = {**now, **restated(now, day, other)}
    one = Telling(dict(before), dict(after), dict(now))
    back = {**now, **steps_back(one)}
    if steps_hindered(one):
        return
    for day in DAYS:
        was, held_then = at(before, day) or {}, at(back, day) or {}
        for name in NAMES:
            kept = at(now, day) or {}
            expected = was if name in changed_names(one) else kept
            assert held_then[name] == expected[name], (day, name)
