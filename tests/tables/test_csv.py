"""CSV files as Excel, WPS, editors and other programs write them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_config.tables.csv_file import read_csv
from edge_config.tables.reading import read_sheets
from edge_config.tables.sheet import Limits, TableError
from gateway.web.tables import Table, csv_text
from tests.support.cost import counted_cost
from tests.tables.workbooks import rows, workbook

LIMITS = Limits(16 * 2**20, 128 * 2**20, 100_000, 200, 1_000_000)


def cells(body: bytes) -> list[list[str]]:
    return [list(row.cells) for row in read_csv(body, LIMITS).rows]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_every_encoding_delimiter_and_line_end(encoding: str, delimiter: str, end: str) -> None:
    lines = ["name,address,\u5355\u4f4d", "speed,holding:0,\u7c73/\u79d2"]
    text = end.join(line.replace(",", delimiter) for line in lines)
    wanted = [["name", "address", "单位"], ["speed", "holding:0", "米/秒"]]
    assert cells(text.encode(encoding)) == wanted


def test_the_line_that_names_the_delimiter_is_no_row() -> None:
    (row,) = read_csv(b"sep=;\r\na;0,1\r\n", LIMITS).rows
    assert (row.number, list(row.cells)) == (1, ["a", "0,1"])


@pytest.mark.parametrize("delimiter", ["，", "；", "|"])
def test_wide_delimiters_are_known_where_no_other_stands(delimiter: str) -> None:
    text = "名称,地址\na,b\n"
    assert cells(text.replace(",", delimiter).encode()) == [["名称", "地址"], ["a", "b"]]
    assert cells(f"名称,地址\na{delimiter},b\n".encode())[1] == [f"a{delimiter}", "b"]


def test_a_western_code_page_is_not_read_as_chinese() -> None:
    """°C would be the unit 癈."""
    with pytest.raises(TableError, match="Western code page; save it as “CSV UTF-8”"):
        cells("name,unit\na,°C\n".encode("cp1252"))
    assert cells("名称,单位\na,℃\n".encode("gbk"))[1] == ["a", "℃"]


def test_a_title_above_does_not_hide_the_delimiter() -> None:
    assert cells("一号线, 2024\n名称\t地址\t单位\na\tb\tc\n".encode())[2] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('"=""000123"""', "000123"),
        ('="914403001922038216"', "914403001922038216"),
        ("'000123", "000123"),
        ("'=1+1", "=1+1"),
        ("'s-Hertogenbosch", "'s-Hertogenbosch"),
        ("=1+1", "=1+1"),
        (" \u200b\ufeffa\u00a0\u3000", "a"),
        ('"two\nlines"', "two\nlines"),
    ],
)
def test_what_a_cell_means(written: str, meant: str) -> None:
    assert cells(f"h,x\n{written},y\n".encode()) == [["h", "x"], [meant, "y"]]


@given(st.text("0123456789-/=+@＝'Ee.aZ州", min_size=1, max_size=12))
def test_what_our_own_files_protect_is_read_back(text: str) -> None:
    body = csv_text(Table("t", ("a", "b"), [{"a": text, "b": "x"}], {}), demonstration=False)
    (_, row) = read_csv(body.encode(), LIMITS).rows
    assert row.cells[0] in (text, text.removeprefix("'"))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"a," * 3_000_000, "more than 200 columns"),
        (b"a,b\n" + b"x," * 300, "more than 200 columns"),
        (b'a,b\n"' + b"x" * 10_000_000 + b'",c\n', "more than 131072 characters"),
        (b'a,b\n"' + b"x\n" * 1_000_000, "more than 131072 characters"),
        (b'a,b\n"x,y\n', "a quotation mark that opens here is not closed"),
        (b"a,b\n" * 100_001, "more than 100000 rows"),
        (b"\0" * 1_000, "neither UTF-8 nor GB 18030"),
        (b"\xff\xff\xff,\n", "neither UTF-8 nor GB 18030"),
    ],
    ids=range(8),
)
def test_what_is_refused_costs_nothing(body: bytes, said: str) -> None:
    with counted_cost() as spent_s, pytest.raises(TableError, match=said):
        read_csv(body, LIMITS)
    assert spent_s() < 1


def test_a_workbook_under_the_name_of_a_text(tmp_path: Path) -> None:
    file = tmp_path / "points.csv"
    file.write_bytes(workbook(rows("<c><v>7</v></c>")))
    assert [list(row.cells) for row in read_sheets(file, LIMITS)[0].rows] == [["7"]]


@pytest.mark.parametrize("name", ["missing.csv", "points.ods", "large.csv"])
def test_files_that_cannot_be_read(name: str, tmp_path: Path) -> None:
    (tmp_path / "points.ods").write_bytes(b"x")
    (tmp_path / "large.csv").write_bytes(b"x" * 11)
    with pytest.raises(TableError, match=r"cannot be read: No such|must end in|is larger than"):
        read_sheets(tmp_path / name, Limits(10, 10, 10, 10, 10))


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("名称;系数\n1,5;2,5\n0,1;3,5\n", [["名称", "系数"], ["1,5", "2,5"], ["0,1", "3,5"]]),
        ("名称;系数\n压力, 油, 水;0,1\n", [["名称", "系数"], ["压力, 油, 水", "0,1"]]),
        ("name,note\nx,a;b;c;d\n", [["name", "note"], ["x", "a;b;c;d"]]),
        ("表; 1; 2; 3; 4\na,b\n1,2\n", [["表; 1; 2; 3; 4", ""], ["a", "b"], ["1", "2"]]),
    ],
)
def test_commas_of_decimals_and_texts_do_not_hide_the_delimiter(
    text: str, rows: list[list[str]]
) -> None:
    found = [list(row.cells) for row in read_csv(text.encode(), LIMITS).rows]
    assert [row + [""] * (len(rows[0]) - len(row)) for row in found] == rows
