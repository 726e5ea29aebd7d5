"""What a sheet shows otherwise than it holds, and rows that are about nothing."""

from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from gateway.city.ledger.listing import listed
from gateway.city.ledger.sheet.hidden import Hidden
from gateway.city.ledger.sheet.values import commissioning_day
from gateway.relational.database import Database
from tests.ledger.test_import import NOW
from tests.ledger.test_spreadsheets import (
    HEADER,
    TODAY,
    Cells,
    assets,
    book,
    line,
    load,
    refused,
)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (12_000, "0.00E+00"), (12_000, "##0.0E+0"), (7, '"1#"0'), (7, '0"号"'), (1234, "00-00"),
        (7, 'General"号"'), (7, "[DBNum1]0"), (7, "0.00"), (5000, "0,"), (1, "0%"),
        (0.00001, "General"),
    ],
)  # fmt: skip
def test_a_number_that_is_shown_as_something_else_is_no_code(
    value: float, code: str, database: Database, tmp_path: Path
) -> None:
    """12E3 was typed, 1.20E+04 is shown: it became the machine 12000."""
    made = book(line(value))
    made["m"]["B2"].number_format = code
    (message,) = refused(database, tmp_path, made)
    assert message.startswith("book.xlsx[m], row 2, column asset_no: is the number ")
    assert message.endswith("format the column as text and write it again")


@pytest.mark.parametrize("code", ["0_ ", "#,##0", "[Red]0", "@", "[$-804]0", "0_);\\(0\\)"])
def test_a_number_that_is_shown_as_its_digits_is_a_code(
    code: str, database: Database, tmp_path: Path
) -> None:
    made = book(line(1234))
    made["m"]["B2"].number_format = code
    load(database, tmp_path, made)
    assert assets(database) == ["1234"]


@pytest.mark.parametrize("written", ["1.2e+17", "9E+7", "1.23E+05"])
def test_codes_that_any_program_has_shortened(
    written: str, database: Database, tmp_path: Path
) -> None:
    (message,) = refused(database, tmp_path, book(line(written)))
    assert f"{written} is a number that a spreadsheet has shortened" in message


def half_seen() -> Workbook:
    made = book([*line("A1"), "x"], [*line("A2", commissioned_on=None), "y"])
    made["m"]["G1"] = "备注"
    for column in ("F", "G"):
        made["m"].column_dimensions[column].hidden = True
    made["m"]["F2"] = date(2024, 3, 1)
    return made


def test_columns_that_nobody_sees_are_not_imported_in_silence(
    database: Database, tmp_path: Path
) -> None:
    place, said = "book.xlsx[m], row 1, column commissioned_on", "this column"
    (message,) = refused(database, tmp_path, half_seen())
    assert message.startswith(f"{place}: hidden: {said}; show what belongs into the ledger")
    for hidden, done, day_held in (
        (Hidden.LEAVE, "left out", ""), (Hidden.TAKE, "taken along", "2024-03-01"),
    ):  # fmt: skip
        report = load(database, tmp_path, half_seen(), hidden)
        (told,) = (note for note in map(str, report.notes) if "hidden" in note)
        assert told == f"{place}: hidden and {done}: {said}"
        held = database.run_now(listed, NOW)
        assert [one["commissioned_on"] or "" for one in held] == [day_held, ""]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["合计", None, "2台"], "is a row of sums (合计), no record; delete the row"),
        ([None, "小计：2", None], "is a row of sums (小计：2), no record; delete the row"),
        (["Total", 2], "is a row of sums (Total), no record; delete the row"),
        (HEADER, "repeats the header; delete the row"),
    ],
)
def test_rows_about_no_machine_say_so(
    cells: Cells, said: str, database: Database, tmp_path: Path
) -> None:
    found = refused(database, tmp_path, book(line("A1"), cells))
    assert found == [f"book.xlsx[m], row 3: {said}"]


def test_a_machine_may_be_called_as_a_sum(database: Database, tmp_path: Path) -> None:
    load(database, tmp_path, book(line("合计-1", "总计秤")))
    assert assets(database) == ["合计-1"]


@pytest.mark.parametrize("year", [204, 1204, 2204, 9999])
def test_no_machine_was_commissioned_in_such_a_year(year: int) -> None:
    """It would be out of every figure until then, or was there before there were machines."""
    with pytest.raises(ValueError, match="is no year of a machine's commissioning: 1900 to 2036"):
        commissioning_day(f"{year:04d}-05-31", TODAY)
