"""Statuses that are corrected, and corrections that are corrected."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.city.db.tables import equipment_status
from gateway.city.ledger.importer import import_files
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.withdrawal import withdraw_machine
from gateway.core.days import day_start_ms
from gateway.relational.database import Database

NOW = day_start_ms(date(2026, 11, 20)) + 43_200_000
USCC = "91330822MA0000015W"
BEGAN = date(2020, 1, 1)
SEALED = date(2026, 11, 10)


def said(database: Database, folder: Path, status: str, since: str = "") -> list[str]:
    """Import one machine; gives what its author is told."""
    (folder / "e.csv").write_text(
        f"uscc,name,county,industry,above_scale\n{USCC},甲,常山县,3451,是\n", encoding="utf-8"
    )
    heads = "uscc,asset_no,name,equipment_class,status,status_since,commissioned_on"
    row = f"{USCC},A-1,磨床,production,{status},{since},{BEGAN}"
    (folder / "m.csv").write_text(f"{heads}\n{row}\n", encoding="utf-8")
    report = database.run_now(import_files, [folder / "e.csv", folder / "m.csv"], NOW)
    return [note.message for note in report.notes]


def history(database: Database) -> dict[date, str]:
    query = select(equipment_status.c.valid_from, equipment_status.c.status)
    return database.run_now(lambda c: dict(map(tuple, c.execute(query))))


@pytest.mark.parametrize("since", ["2020-01-01", "2026-11-05"])
def test_a_row_that_a_later_entry_overrules_is_told(
    since: str, database: Database, tmp_path: Path
) -> None:
    """The machine stayed sealed, and the import said that one row was unchanged."""
    assert said(database, tmp_path, "in_use") == []
    assert said(database, tmp_path, "sealed", str(SEALED)) == []
    (told,) = said(database, tmp_path, "in_use", since)
    assert told == (
        f"在用 since {since} does not hold today: the ledger has 封存 since 2026-11-10; "
        "to correct that, name 2026-11-10 or a later day"
    )
    assert history(database) == {BEGAN: "in_use", SEALED: "sealed"}
    assert said(database, tmp_path, "in_use", str(SEALED)) == [], "as it was told"
    assert history(database) == {BEGAN: "in_use", SEALED: "in_use"}


def test_an_entry_in_the_past_is_kept_and_what_overrules_it_told(
    database: Database, tmp_path: Path
) -> None:
    said(database, tmp_path, "in_use")
    said(database, tmp_path, "sealed", str(SEALED))
    (told,) = said(database, tmp_path, "idle", "2026-11-01")
    assert told.startswith("闲置 since 2026-11-01 does not hold today")
    assert history(database)[date(2026, 11, 1)] == "idle"
    assert said(database, tmp_path, "sealed", "2026-11-03") == [], "it says what holds today"


@pytest.mark.parametrize(("since", "start"), [("", BEGAN), ("2026-11-18", date(2026, 11, 18))])
def test_a_machine_that_was_withdrawn_comes_back_as_a_new_one(
    since: str, start: date, database: Database, tmp_path: Path
) -> None:
    """It came back from today on only, so its month lacked the days before."""
    said(database, tmp_path, "in_use")
    database.run_now(withdraw_machine, MachineName(USCC, "1", "A-1"), "录入两次", NOW)
    assert said(database, tmp_path, "withdrawn") == [], "and stays so"
    assert said(database, tmp_path, "in_use", since) == [
        "this machine was withdrawn as entered by mistake, and is back by this row"
    ]
    assert history(database) == {start: "in_use"}
