"""Memberships of a roster: what a row says of them, and what cannot be."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.city.db.tables import roster_member
from gateway.city.ledger.importer import import_files
from gateway.city.ledger.rosters import Membership, RosterError, restated
from gateway.city.ledger.sheet.problems import LedgerError
from gateway.core.days import day_start_ms
from gateway.relational.database import Database

NOW = day_start_ms(date(2026, 11, 20))
Span = tuple[str, str]


def day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def stay(span: Span) -> Membership:
    start = day(span[0])
    assert start is not None
    return Membership(start, day(span[1]))


RUNS = [("2024-01-01", "")]
LEFT = [("2024-01-01", "2026-06-01")]
BACK = [("2024-01-01", "2026-06-01"), ("2026-09-01", "")]


@pytest.mark.parametrize(
    ("held", "row", "old", "new"),
    [
        ([], ("2024-01-01", ""), None, ("2024-01-01", "")),
        ([], ("2024-01-01", "2025-01-01"), None, ("2024-01-01", "2025-01-01")),
        (RUNS, ("", ""), RUNS[0], RUNS[0]),
        (RUNS, ("2024-01-01", ""), RUNS[0], RUNS[0]),
        (RUNS, ("2026-01-01", ""), RUNS[0], RUNS[0]),  # this year's edition of the list
        (RUNS, ("2023-01-01", ""), RUNS[0], ("2023-01-01", "")),
        (RUNS, ("", "2026-06-01"), RUNS[0], LEFT[0]),
        (RUNS, ("2024-01-01", "2026-06-01"), RUNS[0], LEFT[0]),
        (LEFT, ("", "2026-06-01"), LEFT[0], LEFT[0]),  # the same file again
        (LEFT, ("2024-01-01", ""), LEFT[0], LEFT[0]),
        (LEFT, ("2024-01-01", "2026-07-01"), LEFT[0], ("2024-01-01", "2026-07-01")),
        (LEFT, ("2026-06-01", ""), None, ("2026-06-01", "")),
        (LEFT, ("2026-09-01", ""), None, ("2026-09-01", "")),
        (LEFT, ("2020-01-01", "2024-01-01"), None, ("2020-01-01", "2024-01-01")),
        (BACK, ("", "2026-06-01"), BACK[0], BACK[0]),
        (BACK, ("", "2026-10-01"), BACK[1], ("2026-09-01", "2026-10-01")),
    ],
)
def test_what_a_row_says(held: list[Span], row: Span, old: Span | None, new: Span) -> None:
    known = [stay(one) for one in held]
    expected = (stay(old) if old else None, stay(new))
    assert restated(known, day(row[0]), day(row[1]), None, "KEY") == expected


@pytest.mark.parametrize(
    ("held", "row", "column", "message"),
    [
        ([], ("", ""), "roster_from", "is empty; say since when it is on roster KEY"),
        (LEFT, ("", ""), "roster_from", "is empty; say since when it is on roster KEY"),
        ([], ("2024-01-01", "2024-01-01"), "roster_to", "2024-01-01 is not after 2024-01-01"),
        (RUNS, ("", "2023-01-01"), "roster_to", "2023-01-01 is not after 2024-01-01"),
        (
            LEFT,
            ("2026-01-01", ""),
            "roster_from",
            "it was on roster KEY from 2024-01-01 to 2026-06-01; from 2026-01-01 overlaps",
        ),
        (
            BACK,
            ("2026-03-01", ""),
            "roster_from",
            "it was on roster KEY from 2024-01-01 to 2026-06-01; from 2026-03-01 overlaps",
        ),
    ],
)
def test_what_cannot_be(held: list[Span], row: Span, column: str, message: str) -> None:
    with pytest.raises(RosterError) as caught:
        restated([stay(one) for one in held], day(row[0]), day(row[1]), None, "KEY")
    assert (caught.value.column, str(caught.value)) == (column, message)


def test_approval_stays_until_another_is_written() -> None:
    held = [Membership(date(2024, 1, 1), None, "经信局")]
    assert restated(held, None, None, None, "KEY")[1].approved_by == "经信局"
    assert restated(held, None, None, "市政府", "KEY")[1].approved_by == "市政府"


HEAD = "uscc,name,county,industry,above_scale,roster,roster_from,roster_to\n"


def write(folder: Path, *spans: Span) -> Path:
    path = folder / "e.csv"
    lines = "".join(
        f"91330822MA0000015W,甲,330822,3451,是,KEY,{start},{end}\n" for start, end in spans
    )
    path.write_text(HEAD + lines, encoding="utf-8")
    return path


def test_an_enterprise_that_left_is_on_no_list_of_another_year(
    database: Database, tmp_path: Path
) -> None:
    """Two editions of a list and one end: nothing runs on behind it."""
    for row, changes in (
        (("2024-01-01", ""), 1),
        (("2025-01-01", ""), 0),
        (("2023-01-01", ""), 1),
        (("", "2026-06-01"), 1),
        (("", "2026-06-01"), 0),
    ):
        report = database.run_now(import_files, [write(tmp_path, row)], NOW)
        assert report.roster_entries == changes
    spans = select(roster_member.c.valid_from, roster_member.c.valid_to)
    assert [tuple(row) for row in database.run_now(lambda c: c.execute(spans).all())] == [
        (date(2023, 1, 1), date(2026, 6, 1))
    ]
    with pytest.raises(LedgerError, match=r"row 2, column roster_from: it was on roster KEY from"):
        database.run_now(import_files, [write(tmp_path, ("2026-01-01", ""))], NOW)
