"""What counties write into a ledger's file beside its rows, and codes that are given up."""

from pathlib import Path

import pytest
from openpyxl import Workbook

from gateway.city.ledger.check import Known, check
from gateway.city.ledger.codes import (
    COUNTIES,
    FORMER_COUNTIES,
    INDUSTRIES,
    Name,
    county_name,
)
from gateway.city.ledger.importer import read_tables
from gateway.city.ledger.importing.write import class_notes
from gateway.city.ledger.sheet.classes import is_class
from gateway.city.ledger.sheet.parsing import Tables
from gateway.cli.city.ledger.spoken import Language, sentence
from tests.ledger.test_import import NOW
from tests.ledger.test_spreadsheets import USCC, Cells, book, line


def read(folder: Path, made: Workbook) -> Tables:
    """A workbook as an import reads it, before it looks into the ledger."""
    made.save(folder / "book.xlsx")
    return read_tables([folder / "book.xlsx"], NOW)


def refused(folder: Path, made: Workbook) -> list[str]:
    """What an import into an empty ledger says is wrong."""
    tables = read(folder, made)
    return list(map(str, sorted([*tables.problems, *check(tables, Known())])))


def places(*counties: object, industry: object = 3451) -> Workbook:
    """An enterprise in each of some counties, all of one industry."""
    made = book()
    sheet = made["e"]
    sheet.delete_rows(2)
    for county in counties:
        sheet.append([USCC, "甲", county, industry, "是"])
    return made


@pytest.mark.parametrize(
    ("cells", "said", "chinese"),
    [
        (
            ["注：由各县填报; 联系人: 王五，电话 0570-000"],
            (
                "is a note (注：由各县填报， 联系人：王五，电话 0), no record; "
                "delete the row, or fill its columns"
            ),
            "是说明文字（注：由各县填报， 联系人：王五，电话 0），不是记录；请删除该行，或填全各列",
        ),
        (
            ["填报人：张三", None, None, "审核人：李四"],
            "is a note (填报人：张三), no record; delete the row, or fill its columns",
            "是说明文字（填报人：张三），不是记录；请删除该行，或填全各列",
        ),
        (
            [None, "（编号）", None, None, None, "（年-月-日）"],
            "is a note (（编号）), no record; delete the row, or fill its columns",
            "是说明文字（（编号）），不是记录；请删除该行，或填全各列",
        ),
        (
            ["甲", "乙", "丙", 1, 2, 3],
            "counts the columns, no record; delete the row",
            "是栏次行，不是记录；请删除该行",
        ),
        (
            [1, 2, 3, 4, 5, 6],
            "counts the columns, no record; delete the row",
            "是栏次行，不是记录；请删除该行",
        ),
    ],
)
def test_a_row_that_is_no_record_is_one_mistake(
    cells: Cells, said: str, chinese: str, tmp_path: Path
) -> None:
    """It was one for each column, of which none told what to do."""
    (found,) = refused(tmp_path, book(line("A1"), cells))
    place = "book.xlsx[m], row 3"
    assert found == f"{place}: {said}"
    assert sentence(found.removeprefix(f"{place}: "), Language.ZH) == chinese


@pytest.mark.parametrize(
    "cells",
    [
        [None, "A2", "磨床", "生产设备", "在用", None],
        ["9133", "A2", "磨床", None, None, None],
        ["91330822MA0000015W", "A2", None, None, None, None],
    ],
)
def test_a_record_that_lacks_cells_is_told_of_its_cells(cells: Cells, tmp_path: Path) -> None:
    for message in refused(tmp_path, book(line("A1"), cells)):
        assert message.startswith("book.xlsx[m], row 3, column ")


def test_decimals_are_no_codes(tmp_path: Path) -> None:
    """Machine 1 of the ledger came in once more as 1.0, and counted twice."""
    (message,) = refused(tmp_path, book(line("1.0"), line("2.0")))
    assert message == (
        "book.xlsx[m], row 2, column asset_no: rows 2–3 hold decimals such as 1.0, "
        "as programs write codes; write 1, or what stands on the machine"
    )


def test_versions_are_codes(tmp_path: Path) -> None:
    tables = read(tmp_path, book(line("1.0"), line("1.1")))
    assert [one.values["asset_no"] for one in tables.equipment] == ["1.0", "1.1"]
    assert not tables.problems


@pytest.mark.parametrize("written", ["nan", "NULL", "None", "NaT"])
def test_what_programs_write_for_nothing_is_no_value(written: str, tmp_path: Path) -> None:
    (message,) = refused(tmp_path, book(line(written)))
    assert message.endswith(f"{written} is what a program writes for nothing; leave the cell empty")


@pytest.mark.parametrize("written", ["330821", 330821, "衢县", "330821 衢县"])
def test_a_county_that_was_given_up_names_those_that_are(written: object, tmp_path: Path) -> None:
    """Its code was taken for a mistyped one of Jiangshan."""
    (message,) = refused(tmp_path, places(written))
    assert message == (
        "book.xlsx[e], row 2, column county: 330821 衢县 is no county any more; "
        "write where it operates, of 330802 柯城区, 330803 衢江区"
    )


@pytest.mark.parametrize("written", ["330826", "3308", "330804"])
def test_no_county_is_guessed_from_a_code(written: str, tmp_path: Path) -> None:
    (message,) = refused(tmp_path, places(written))
    assert f"unknown county '{written}'; there are: " in message


def test_former_counties_keep_their_names_and_are_none_of_today() -> None:
    """Old months say what was, and had only a code for it."""
    assert county_name("330821") == Name("衢县", "Qu County")
    assert not FORMER_COUNTIES.keys() & COUNTIES.keys()
    assert {one for former in FORMER_COUNTIES.values() for one in former.now} <= COUNTIES.keys()


@pytest.mark.parametrize("code", ["3150", "3260", "4500", "5190", "9999", "3519"])
def test_an_industry_of_another_edition_is_told_of(code: str, tmp_path: Path) -> None:
    """Castings were 3130 in 2011, and 3150 was ferro-alloys; both have other codes since 2017."""
    (record,) = read(tmp_path, places("常山县", industry=code)).enterprise
    assert list(map(str, class_notes(record))) == [
        (
            f"book.xlsx[e], row 2, column industry: {code} is no class of industry in "
            "GB/T 4754-2017, perhaps one of an older edition; look it up, and correct the row; "
            "until then it counts under this code"
        )
    ]


def test_every_class_with_a_name_is_one() -> None:
    assert all(map(is_class, INDUSTRIES))
    assert is_class("1319")
    assert is_class("3991") is False


def test_a_title_of_the_other_table_is_told_of(tmp_path: Path) -> None:
    """Counties send one table in which each machine names its enterprise and the county."""
    made = book(line("A1"))
    made["m"]["G1"], made["m"]["H1"] = "县（市、区）", "联系人"
    title, other = refused(tmp_path, made)
    place = "book.xlsx[m], row 1, column "
    assert title == (
        f"{place}县（市、区）: unknown column; it belongs to another table of the ledger, "
        "take it out here"
    )
    assert sentence(other.removeprefix(f"{place}联系人: "), Language.ZH) == (
        "未知的列；自用的列请以“备注”开头"
    )


def test_rows_that_contradict_each_other_say_in_what(tmp_path: Path) -> None:
    made = places("常山县", "江山市", "常山县")
    for row in (line("A1"), line("a1", "铣床"), line("A1")):
        made["m"].append(row)
    assert refused(tmp_path, made) == [
        (
            f"book.xlsx[e], row 3, column uscc: {USCC}: this enterprise stands in row 2 already, "
            "with another county; find out which is right, delete the other"
        ),
        (
            f"book.xlsx[e], row 4, column uscc: {USCC}: this enterprise stands in row 2 already; "
            "delete one of the two rows"
        ),
        (
            "book.xlsx[m], row 3, column asset_no: a1: this asset number stands in row 2 already, "
            "with another asset_no, name; find out which is right, delete the other"
        ),
        (
            "book.xlsx[m], row 4, column asset_no: A1: this asset number stands in row 2 already; "
            "delete one of the two rows"
        ),
    ]
