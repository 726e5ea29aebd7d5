"""Workbooks: what a cell says, what is odd about it, and what is refused before it costs."""

import io
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_config.tables.sheet import Limits, Odd, Row, Sheet, TableError
from edge_config.tables.workbook import read_workbook
from tests.support.cost import counted_cost
from tests.tables.workbooks import MAIN, packed, rows, workbook

LIMITS = Limits(16 * 2**20, 128 * 2**20, 100_000, 200, 1_000_000)


def only(body: bytes) -> Sheet:
    (sheet,) = read_workbook(body, LIMITS)
    return sheet


def cells(body: bytes) -> list[list[str]]:
    return [list(row.cells) for row in only(body).rows]


def odd(row: Row) -> dict[int, tuple[Odd, str]]:
    return {at: (one.kind, one.detail) for at, one in row.odd.items()}


def test_texts_of_every_kind() -> None:
    texts = (
        "<si><t> shared </t></si>"
        "<si><r><t>rich</t></r><r><t xml:space='preserve'> text</t></r>"
        "<rPh><t>how it sounds</t></rPh></si><si><t>two_x000D_lines</t></si>"
    )
    line = (
        '<c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="s"><v>2</v></c>'
        '<c t="inlineStr"><is><t>in\u00a0</t></is></c><c t="b"><v>1</v></c>'
        '<c t="str"><f>A1</f><v>made</v></c>'
    )
    expected = ["shared", "rich text", "two\rlines", "in", "true", "made"]
    assert cells(workbook(rows(line), texts=texts)) == [expected]


def test_cells_stand_where_they_say() -> None:
    sheet = (
        '<sheetData><row r="3"><c r="C3"><v>1</v></c><c><v>2</v></c></row><row/>'
        '<row><c r="AA5"><v>3</v></c></row></sheetData>'
    )
    found = only(workbook(sheet)).rows
    assert [(row.number, len(row.cells)) for row in found] == [(3, 4), (5, 27)]
    assert list(found[0].cells) == ["", "", "1", "2"]


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        ("40101", "General", "40101"),
        ("0.10000000000000001", "General", "0.1"),
        ("30.199999999999999", "0.0", "30.2"),
        ("123", "000000", "000123"),
        ("7", "&quot;A-&quot;000", "A-007"),
        ("5", "0&quot;kW&quot;", "5"),
        ("5", "[Red]0.00_);\\(0\\)", "5"),
        ("914403001922038216", "0", "9.14403001922038E+17"),
        ("-3", "#,##0", "-3"),
        ("45352", "yyyy-mm-dd", "2024-03-01"),
        ("45352", "yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;", "2024-03-01"),
        ("45352.5", "[$-804]yyyy/m/d\\ h:mm", "2024-03-01 12:00:00"),
        ("0.5", "h:mm", "12:00:00"),
        ("59", "d", "1900-02-28"),
        ("1e9", "d", "1000000000"),
        ("5", "[h]:mm", "1900-01-05"),
    ],
)
def test_a_number_is_what_its_author_sees(value: str, code: str, text: str) -> None:
    body = workbook(rows(f'<c s="1"><v>{value}</v></c>'), formats=(code,))
    assert cells(body) == [[text]]


def test_days_may_count_from_1904() -> None:
    properties = '<workbookPr date1904="1"/>'
    body = workbook(rows('<c s="1"><v>43890</v></c>'), properties=properties, formats=("m/d/yy",))
    (sheet,) = read_workbook(body, LIMITS)
    assert sheet.counts_from_1904
    assert list(sheet.rows[0].cells) == ["2024-03-01"]
    assert odd(sheet.rows[0]) == {0: (Odd.DATE, "2024-03-01")}


def test_formulas_count_by_their_saved_result() -> None:
    empty = '<c t="str"><f>IF(1,"")</f><v></v></c>'  # as Excel saves it
    line = (
        f"<c><f>1/10</f><v>0.1</v></c>{empty}<c><f>1/10</f><v/></c><c><f>2</f></c>"
        '<c t="e"><f>1/0</f><v>#DIV/0!</v></c><c><v>9</v></c>'
    )
    (row,) = only(workbook(rows(line))).rows
    assert list(row.cells) == ["0.1", "", "", "", "#DIV/0!", "9"]
    assert {at: kind for at, (kind, _) in odd(row).items()} == {
        0: Odd.NUMBER, 2: Odd.UNCOMPUTED, 3: Odd.UNCOMPUTED, 4: Odd.ERROR, 5: Odd.NUMBER,
    }  # fmt: skip


def test_a_zero_that_no_spreadsheet_has_computed_is_no_result() -> None:
    line = rows("<c><f>1/10</f><v>0</v></c><c><f>2</f><v>2</v></c>")
    for flag, expected in (("1", Odd.UNCOMPUTED), ("0", Odd.NUMBER)):
        body = workbook(line, properties=f'<calcPr fullCalcOnLoad="{flag}"/>')
        found = odd(only(body).rows[0])
        assert (found[0][0], found[1][0]) == (expected, Odd.NUMBER)


def test_merged_cells_are_odd_in_every_row_that_they_cover() -> None:
    sheet = rows(
        '<c t="str"><v>a</v></c><c t="str"><v>x</v></c>', '<c t="str"><v>b</v></c>',
        '<c t="str"><v>c</v></c>', '<c r="D4" t="str"><v>d</v></c>',
    )  # fmt: skip
    merged = '<mergeCells><mergeCell ref="B1:C2"/><mergeCell ref="A4:B9"/></mergeCells>'
    found = only(workbook(sheet + merged)).rows
    both = {1: (Odd.MERGED, "B1:C2"), 2: (Odd.MERGED, "B1:C2")}
    assert [odd(row) for row in found] == [both, both, {}, {}], "an empty area loses nothing"


def test_what_nobody_sees_is_told() -> None:
    hidden = (
        '<sheetData><row><c><v>1</v></c></row><row hidden="1"><c><v>2</v></c></row>'
        '<row ht="0"><c><v>3</v></c></row></sheetData>'
    )
    first, second = read_workbook(workbook(hidden, hidden, states=("", "veryHidden")), LIMITS)
    assert [row.is_hidden for row in first.rows] == [False, True, True]
    assert second.is_hidden


def test_any_prefix_of_elements_is_understood() -> None:
    sheet = (
        f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row><x:c t="inlineStr"><x:is><x:t>a</x:t>'
        "</x:is></x:c></x:row></x:sheetData></x:worksheet>"
    )
    assert cells(workbook(rows(), **{"xl__sheets__1.xml": sheet})) == [["a"]]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.lists(
            st.none()
            | st.integers(-(10**14), 10**14)
            | st.integers(-(10**12), 10**12).map(lambda number: number / 1000)
            | st.text("aZ州 _x<&\"'", min_size=1, max_size=9).filter(str.strip),
            max_size=4,
        ),
        max_size=5,
    )
)
def test_it_reads_what_another_library_writes(table: list[list[object]]) -> None:
    book = openpyxl.Workbook()
    for line in table:
        book.active.append(line)
    body = io.BytesIO()
    book.save(body)
    wanted = [[_shown(value) for value in line] for line in table]
    found = {row.number: row.cells for row in only(body.getvalue()).rows}
    for number, line in enumerate(wanted, start=1):
        assert list(found.get(number, ())) == _without_end(line)


def _shown(value: object) -> str:
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return "" if value is None else str(value).strip()


def _without_end(line: list[str]) -> list[str]:
    while line and not line[-1]:
        line = line[:-1]
    return line


HUNDRED_MIB = 100 * 2**20
ROW = "<row><c><v>1</v></c></row>"
BOMBS: dict[str, Callable[[], bytes]] = {
    "rows": lambda: workbook("<sheetData>" + ROW * (HUNDRED_MIB // len(ROW)) + "</sheetData>"),
    "empty rows": lambda: workbook("<sheetData>" + "<row/>" * 9_000_000 + "</sheetData>"),
    "texts": lambda: workbook(rows(), texts="<si><t>a</t></si>" * 3_000_000),
    "one text": lambda: workbook(rows(), texts=f"<si><t>{'a' * HUNDRED_MIB}</t></si>"),
    "styles": lambda: workbook(rows(), **{"xl__styles.xml": "<a>" * 10_000_000}),
    "a part that is not read": lambda: workbook(rows(), other=" " * HUNDRED_MIB),
    "entities": lambda: workbook(
        rows(),
        **{
            "xl__sheets__1.xml": '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
            f'<worksheet xmlns="{MAIN}"><sheetData><row><c t="str"><v>&b;</v></c></row>'
            "</sheetData></worksheet>"
        },
    ),
    "columns": lambda: workbook(rows("<c><v>1</v></c>" * 16_000)),
    "parts": lambda: packed({f"p{at}": "" for at in range(20_000)}),
    "nesting": lambda: workbook("<a>" * 500_000),
    "overlapping areas": lambda: workbook(
        rows(*['<c t="str"><v>1</v></c>'] * 2_000)
        + "<mergeCells>"
        + '<mergeCell ref="A1:B2000"/>' * 2_000
        + "</mergeCells>"
    ),
}
"""How to make each: for its test alone, as seconds go into them."""


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_before_it_costs_anything(name: str) -> None:
    bomb = BOMBS[name]()
    with counted_cost() as spent_s, pytest.raises(TableError):
        read_workbook(bomb, LIMITS)
    assert spent_s() < 1


def test_limits_of_what_people_may_write() -> None:
    sheet = rows("<c><v>1</v></c>" * 3, "<c><v>1</v></c>" * 3)
    for limits, said in (
        (Limits(10**6, 10**6, 1, 3, 9), "has more than 1 rows"),
        (Limits(10**6, 10**6, 2, 2, 9), "has more than 2 columns"),
        (Limits(10**6, 10**6, 2, 3, 5), "has more than 5 cells"),
    ):
        with pytest.raises(TableError, match=said):
            read_workbook(workbook(sheet), limits)
    assert len(read_workbook(workbook(sheet), Limits(10**6, 10**6, 2, 3, 6))) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old or a protected workbook"),
        (b"hello", "cannot be read as XLSX"),
        (packed({"hello.txt": "hello"}), "cannot be read as XLSX"),
        (workbook(rows('<c t="s"><v>7</v></c>')), "cannot be read as XLSX"),
        (workbook(rows('<c r="1A"><v>7</v></c>')), "cannot be read as XLSX"),
        (workbook(rows("<c><v>seven</v></c>")), "cannot be read as XLSX"),
    ],
)
def test_what_is_no_workbook(body: bytes, said: str) -> None:
    with pytest.raises(TableError, match=said):
        read_workbook(body, LIMITS)


def test_any_damage_is_one_sentence(tmp_path: Path) -> None:
    body = workbook(rows('<c t="s"><v>0</v></c>'), texts="<si><t>a</t></si>")
    for at in range(0, len(body), 7):
        for changed in (body[:at], body[:at] + bytes([body[at] ^ 0xFF]) + body[at + 1 :]):
            try:
                read_workbook(changed, LIMITS)
            except TableError as error:
                assert str(error)


def test_a_text_is_not_counted_from_the_end() -> None:
    """Text number -1 was the last one: the name of another column."""
    body = workbook(rows('<c t="s"><v>-1</v></c>'), texts="<si><t>a</t></si>")
    with pytest.raises(TableError, match="refers to a text that is not there"):
        read_workbook(body, LIMITS)
