"""The day from which a change holds: written in a row, for a whole file, or that of the import."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from gateway.city.access.audit import entries
from gateway.city.db.schema.rates import rate_result
from gateway.city.db.tables import enterprise, equipment
from gateway.city.ledger.bitemporal.entries import ENTERPRISE, MACHINE, held_steps
from gateway.city.ledger.bitemporal.steps import at
from gateway.city.ledger.history import histories
from gateway.city.ledger.importer import import_ledger
from gateway.city.ledger.importing.report import ImportReport
from gateway.city.ledger.machines import find
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.sheet.problems import LedgerError
from gateway.city.rates.frozen.touched import frozen_from
from gateway.cli.city.ledger.ledger_output import told_days
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.support.city_db import USCCS

USCC = USCCS[0]
TODAY = date(2026, 11, 5)
MAY, JUNE, SEPTEMBER = date(2026, 5, 1), date(2026, 6, 1), date(2026, 9, 15)
HEAD = "统一社会信用代码,资产编号,设备名称,设备类别,状态,变更生效日期"


def load(
    database: Database,
    folder: Path,
    day: date,
    *rows: str,
    effective: date | None = None,
    machines: int = 1,
) -> ImportReport:
    """Import machines A0, A1 … of one enterprise, whose rows end as given."""
    files = [folder / "e.csv", folder / "m.csv"]
    files[0].write_text(
        f"uscc,name,county,industry,above_scale\n{USCC},甲,330822,3451,是\n", encoding="utf-8"
    )
    lines = [f"{USCC},A{at},磨床,{row}\n" for row in rows for at in range(machines)]
    files[1].write_text(HEAD + "\n" + "".join(lines), encoding="utf-8")
    return import_ledger(database, files, day_start_ms(day) + 1, effective=effective)


def machine(database: Database) -> int:
    name = MachineName(USCC, "1", "A0")
    return database.read_now(find, [name], TODAY)[name]


def class_on(database: Database, day: date) -> str:
    number = machine(database)
    steps = database.read_now(held_steps, MACHINE, [number])[number]
    return str((at(steps, day) or {})["equipment_class"])


def current_class(database: Database) -> str:
    with database.engine.connect() as connection:
        query = select(equipment.c.equipment_class).where(equipment.c.asset_no == "A0")
        return str(connection.scalar(query))


@pytest.mark.parametrize("machines", [1, 150])  # written at the end, and in parts before
def test_a_change_holds_from_the_day_that_its_row_names(
    database: Database, tmp_path: Path, machines: int
) -> None:
    load(database, tmp_path, date(2026, 1, 5), "辅助设备,在用,", machines=machines)
    report = load(database, tmp_path, TODAY, "生产设备,在用,2026-09-15", machines=machines)
    assert report.since == {SEPTEMBER: machines}
    days = (MAY, date(2026, 9, 14), SEPTEMBER, TODAY)
    assert [class_on(database, day) for day in days] == ["aux", "aux", "production", "production"]


def test_a_row_s_own_day_comes_before_that_of_the_file(database: Database, tmp_path: Path) -> None:
    load(database, tmp_path, date(2026, 1, 5), "辅助设备,在用,")
    report = load(database, tmp_path, TODAY, "生产设备,闲置,", effective=SEPTEMBER)
    assert report.since == {SEPTEMBER: 1}
    history = database.read_now(histories, [machine(database)])[machine(database)]
    assert (history[SEPTEMBER].code, history[SEPTEMBER].dated) == ("idle", True)
    report = load(database, tmp_path, TODAY, "检测设备,闲置,2026-06-01", effective=SEPTEMBER)
    assert report.since == {JUNE: 1}
    assert min(database.read_now(histories, [machine(database)])[machine(database)]) < JUNE


def test_what_a_later_day_overrules_does_not_hold_today_and_is_told(
    database: Database, tmp_path: Path
) -> None:
    """The current row is what history says of today, whatever the order of knowledge."""
    load(database, tmp_path, date(2026, 1, 5), "辅助设备,在用,")
    load(database, tmp_path, JUNE, "生产设备,在用,")
    report = load(database, tmp_path, TODAY, "检测设备,在用,2026-05-01")
    assert [class_on(database, day) for day in (date(2026, 4, 30), MAY, JUNE)] == [
        "aux",
        "test",
        "production",
    ]
    assert current_class(database) == "production"
    (note,) = report.notes
    assert (note.column, "not today (production)" in note.message) == ("设备类别", True)


def test_a_change_that_was_so_for_longer_is_dated_back(database: Database, tmp_path: Path) -> None:
    load(database, tmp_path, date(2026, 1, 5), "辅助设备,在用,")
    load(database, tmp_path, JUNE, "生产设备,在用,")
    report = load(database, tmp_path, TODAY, "生产设备,在用,2026-05-01")
    assert class_on(database, MAY) == "production"
    assert report.since == {MAY: 1}
    (note,) = report.notes
    assert "is so today already" in note.message
    again = load(database, tmp_path, TODAY, "生产设备,在用,2026-05-01")
    assert (again.since, again.notes, again.equipment.unchanged) == ({}, (), 1)


def test_a_county_changes_from_a_day(database: Database, tmp_path: Path) -> None:
    load(database, tmp_path, date(2026, 1, 5))
    path = tmp_path / "moved.csv"
    path.write_text(
        f"uscc,name,county,industry,above_scale,valid_from\n{USCC},甲,330881,3451,是,2026-06-01\n",
        encoding="utf-8",
    )
    assert import_ledger(database, [path], day_start_ms(TODAY)).since == {JUNE: 1}
    steps = database.read_now(held_steps, ENTERPRISE, [USCC])[USCC]
    counties = [(at(steps, day) or {})["county"] for day in (MAY, JUNE)]
    assert counties == ["330822", "330881"]
    with database.engine.connect() as connection:
        assert connection.scalar(select(enterprise.c.county)) == "330881"


def test_no_change_holds_from_tomorrow_or_from_ever(database: Database, tmp_path: Path) -> None:
    for day, said in (
        ("2026-11-06", "lies in the future"),
        ("1960-01-01", "is no day of a change"),
    ):
        with pytest.raises(LedgerError, match=f"m.csv, row 2, column 变更生效日期: {day} {said}"):
            load(database, tmp_path, TODAY, f"生产设备,在用,{day}")


def test_frozen_months_are_named_and_stay(database: Database, tmp_path: Path) -> None:
    cells = {"definition_hash": "0", "dimension": "city", "cell": "", "numerator": 1}
    cells |= {"denominator": 2, "enterprise_count": 1, "synthetic": False, "computed_ms": 1}
    stored = [
        cells | {"definition": name, "month": month, "status": status, "vintage": vintage}
        for name, month, status, vintage in (
            ("ENR-A", "2026-08", "P", 1),
            ("ENR-A", "2026-08", "F", 2),
            ("ENR-A", "2026-09", "P", 1),
            ("ENR-B", "2026-09", "F", 2),
            ("ENR-A", "2026-10", "P", 1),
        )
    ]
    database.run_now(lambda connection: connection.execute(insert(rate_result), stored))
    frozen = database.read_now(frozen_from, SEPTEMBER, demonstration=False)
    assert frozen == [("2026-09", True), ("2026-10", False)]
    assert database.read_now(frozen_from, SEPTEMBER, demonstration=True) == []
    load(database, tmp_path, date(2026, 1, 5), "辅助设备,在用,")
    now = load(database, tmp_path, TODAY, "生产设备,在用,").since
    (line,) = told_days(now, TODAY, [], frozen)
    assert "from 2026-11-05 on" in line
    assert "frozen months (2026-09 final, 2026-10 provisional) are not touched" in line
    late = list(told_days({SEPTEMBER: 3}, TODAY, frozen, frozen))
    assert late[0] == "3 of the rows change what held before 2026-11-05, from 2026-09-15 on"
    assert late[1].startswith("late for frozen months: 2026-09 final, 2026-10 provisional; they")
    assert list(told_days({}, TODAY, frozen, frozen)) == []


def test_who_imported_is_in_the_audit_log(database: Database, tmp_path: Path) -> None:
    load(database, tmp_path, TODAY, "生产设备,在用,")  # nobody is known
    path = tmp_path / "e.csv"
    for _ in range(2):  # a dry run leaves nothing
        import_ledger(database, [path], day_start_ms(TODAY), made_by="李四", dry_run=True)
    path.write_text(path.read_text(encoding="utf-8").replace("甲,330822", "甲,330881"), "utf-8")
    import_ledger(database, [path], day_start_ms(TODAY), made_by="李四")
    (entry,) = database.read_now(entries)
    assert (entry.who, entry.action, entry.subject) == ("李四", "ledger-import", "e.csv")
    assert "enterprises +0 ~1" in entry.detail
