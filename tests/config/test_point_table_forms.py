"""Point tables as people have them."""

from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest

from edge_config.loading.load import ConfigError, load_gateway
from edge_config.loading.resolved import ResolvedTag
from gateway.drivers.modbus.address import Address
from gateway.drivers.registry import installed
from tests.config.examples import GATEWAY, write_gateway

HEADER = ["测点", "地址", "单位", "倍率"]
FORCE = ["force", "holding:100", "kN", 0.1]
SPEED = ["speed", "holding:101", "m/s", None]
Rows = Sequence[Sequence[object]]


def book(folder: Path, *sheets: Rows, merged: str = "", hidden: str = "", keys: str = "") -> Path:
    """A gateway whose point table has these sheets; the last one has merged or hidden parts."""
    made = openpyxl.Workbook()
    made.remove(made.worksheets[0])
    for at, lines in enumerate(sheets):
        sheet = made.create_sheet(f"s{at}")
        for line in lines:
            sheet.append(line)
    if merged:
        sheet.merge_cells(merged)
    for place in hidden.split():
        if place.isdigit():
            sheet.row_dimensions[int(place)].hidden = True
        else:
            sheet.column_dimensions[place].hidden = True
    made.save(folder / "points.xlsx")
    text = GATEWAY.replace("tags_file: points.csv", f"tags_file: points.xlsx{keys}")
    return write_gateway(folder, text)


def tags_of(file: Path) -> tuple[ResolvedTag, ...]:
    return load_gateway(file, installed()).devices[0].groups[0].tags


def names(file: Path) -> list[str]:
    return [tag.config.name for tag in tags_of(file)]


def said(file: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        tags_of(file)
    return [str(one).replace(f"{file.parent}/", "") for one in caught.value.problems]


@pytest.mark.parametrize(
    "above",
    [
        [["1号冲床点表"]],
        [["1号冲床点表"], ["编制：张三", None, "2024-05-01"], [None]],
        [["设备编号", "A-01", "单位", "某某公司"]],
    ],
)
def test_titles_above_the_header_are_passed_over(above: Rows, tmp_path: Path) -> None:
    file = book(tmp_path, [*above, HEADER, FORCE], merged="A1:B1" if len(above) == 1 else "")
    if above[0][0] != "设备编号":
        assert names(file) == ["force"]
    else:
        assert names(book(tmp_path, [*above, HEADER, FORCE])) == ["force"]


@pytest.mark.parametrize("own", ["序号", "备注", "权限", "Remark", "备注（安装位置）", "NO."])
def test_columns_that_engineers_keep_for_themselves(own: str, tmp_path: Path) -> None:
    assert names(book(tmp_path, [[own, *HEADER], ["只读 1", *FORCE]])) == ["force"]


@pytest.mark.parametrize("title", ["读写", "R/W", "access", "读写权限"])
@pytest.mark.parametrize(
    ("word", "access"),
    [("只读", "read"), ("R", "read"), ("读写", "read-write"), ("ＲＷ", "read-write"), ("", "read")],
)
def test_who_may_write_a_tag(title: str, word: str, access: str, tmp_path: Path) -> None:
    (tag,) = tags_of(book(tmp_path, [[*HEADER, title], [*FORCE, word]]))
    assert tag.config.access == access


def test_a_word_for_writing_that_is_unclear_is_refused(tmp_path: Path) -> None:
    (told,) = said(book(tmp_path, [[*HEADER, "读写"], [*FORCE, "只写"]]))
    assert "column 读写" in told and "'read'" in told


def test_an_unknown_column_says_how_to_keep_it(tmp_path: Path) -> None:
    assert said(book(tmp_path, [[*HEADER, "采样"], [*FORCE, 1]])) == [
        (
            "points.xlsx:row 1, column 采样: unknown column; one that you keep for yourself begins "
            "with 备注 or remark"
        )
    ]


@pytest.mark.parametrize(
    "titles",
    [
        ["测点\n(名称)", "地址（十进制）", "单 位", "倍率*"],
        ["\u200b测点\u00a0", "地址 ", " Unit", "SCALE"],
    ],
)
def test_titles_with_what_changes_nothing(titles: list[str], tmp_path: Path) -> None:
    (tag,) = tags_of(book(tmp_path, [titles, FORCE]))
    assert (tag.config.unit, tag.config.scale) == ("kN", 0.1)


def test_a_remark_that_changes_the_meaning_is_no_remark(tmp_path: Path) -> None:
    first, *_ = said(book(tmp_path, [["测点", "地址(十六进制)", "单位"], ["force", "100", "kN"]]))
    assert "column 地址(十六进制): unknown column" in first


def test_the_sheet_is_the_visible_one_that_looks_like_a_point_table(tmp_path: Path) -> None:
    cover = [["某某公司"], ["2024-05-01"]]
    assert names(book(tmp_path, cover, [HEADER, FORCE])) == ["force"]


def test_two_point_tables_ask_which(tmp_path: Path) -> None:
    sheets = ([HEADER, FORCE], [HEADER, SPEED])
    (message,) = said(book(tmp_path, *sheets))
    assert "holds tags in the sheets 's0' and 's1'; choose one with 'tags_sheet'" in message
    assert names(book(tmp_path, *sheets, keys="\n        tags_sheet: s1")) == ["speed"]
    (message,) = said(book(tmp_path, *sheets, keys="\n        tags_sheet: S2"))
    assert "has no sheet 'S2'; there are: 's0', 's1'" in message


def test_the_header_row_can_be_named(tmp_path: Path) -> None:
    sheet = [HEADER, ["name", "address"], FORCE]
    keys = "\n        tags_header_row: "
    assert names(book(tmp_path, [HEADER, HEADER, FORCE], keys=f"{keys}2")) == ["force"]
    (message,) = said(book(tmp_path, sheet, keys=f"{keys}9"))
    assert "has nothing in row 9, where its header should be" in message


def test_merged_cells_never_become_defaults(tmp_path: Path) -> None:
    rows = [HEADER, FORCE, SPEED]
    assert said(book(tmp_path, rows, merged="D2:D3")) == [
        (
            "points.xlsx:row 2, column 倍率: the cells D2:D3 are merged; split them and write the "
            "value into each"
        )
    ]
    two = [["测点", "寄存器", None], [None, "地址", "类型"], FORCE[:3]]
    assert said(book(tmp_path, two, merged="B1:C1")) == [
        (
            "points.xlsx:row 1, column 寄存器: the cells B1:C1 are merged; split them and write "
            "the value into each"
        )
    ]
    remarks = [[*HEADER, "备注"], [*FORCE, "左侧"], SPEED]
    assert names(book(tmp_path, remarks, merged="E2:E3")) == ["force", "speed"]


def test_what_a_spreadsheet_did_not_keep_is_named(tmp_path: Path) -> None:
    formula = [HEADER, ["force", '="holding:"&100', "kN", "=1/10"], ["b", 40001.1, "#REF!", 1]]
    advice = "open the file in Excel or WPS and save it, or paste the formulas as values"
    assert said(book(tmp_path, formula)) == [
        f"points.xlsx:row 2, column 地址: holds a formula without a result; {advice}",
        f"points.xlsx:row 2, column 倍率: holds a formula without a result; {advice}",
        (
            "points.xlsx:row 3, column 地址: is the number 40001.1 to the spreadsheet, which drops "
            "zeros at the ends; format the column as text and write it again"
        ),
        "points.xlsx:row 3, column 单位: #REF! is an error of the spreadsheet; write the value",
    ]


def test_rows_that_nobody_sees_are_named(tmp_path: Path) -> None:
    rows = [HEADER, *([f"t{at}", f"holding:{at}"] for at in range(5))]
    assert said(book(tmp_path, rows, hidden="3 4 6")) == [
        "points.xlsx:row 3: hidden, by hand or by a filter: rows 3–4, 6; show them, or delete them"
    ]


def test_a_column_that_nobody_sees_is_named(tmp_path: Path) -> None:
    assert said(book(tmp_path, [[*HEADER, "备注"], [*FORCE, "x"]], hidden="D E")) == [
        "points.xlsx:row 1, column 倍率: this column is hidden; show it, or delete it"
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("holding：100", "holding:100"),
        ("４０１０１", "holding:100"),
        ("holding:0x0010", "holding:16"),
        ("holding:1001H", "holding:4097"),
        ("holding:0ah.3", "holding:10.3"),
        ("4x00101", "holding:100"),
        ("4X101", "holding:100"),
        ("3x7:float32", "input:6:float32"),
        ("\u200b40101\u00a0", "holding:100"),
    ],
)
def test_addresses_as_people_write_them(written: str, meant: str, tmp_path: Path) -> None:
    points = f"测点,地址\nforce,{written}\n"
    (tag,) = tags_of(write_gateway(tmp_path, points=points))
    assert isinstance(tag.address, Address)
    assert str(tag.address).removesuffix(":uint16") == meant


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("0x0010", "perhaps 'holding:16' on the wire"),
        ("1001H", "perhaps 'holding:4097' on the wire"),
        ("100", "perhaps 'holding:100' on the wire"),
        ("4001", "'40001' in a manual's five digits, 'holding:4001' on the wire"),
        ("40000", "4xxxx counts from 1: '40001' is 'holding:0'"),
        ("30000", "3xxxx counts from 1: '30001' is 'input:0'"),
        ("holding:0x", "'0x' in 'holding:0x' is no address"),
        ("4x123456", "is no Modbus address; write it as"),
    ],
)
def test_addresses_that_may_mean_two_things(written: str, advice: str, tmp_path: Path) -> None:
    (message,) = said(write_gateway(tmp_path, points=f"测点,地址\nforce,{written}\n"))
    assert advice in message


def test_an_empty_cell_may_say_so_and_numbers_may_be_wide(tmp_path: Path) -> None:
    points = "测点,地址,单位,倍率,死区\na,holding:0,—,/,－\nb,holding:1,％,０．１,无\n"
    first, second = tags_of(write_gateway(tmp_path, points=points))
    assert (first.config.unit, first.config.scale, first.config.deadband) == ("", None, 0)
    assert (second.config.unit, second.config.scale, second.config.deadband) == ("%", 0.1, 0)


def test_small_digits_are_no_digits(tmp_path: Path) -> None:
    """10² was read as 102, and m³/h as m3/h."""
    (tag,) = tags_of(write_gateway(tmp_path, points="测点,地址,单位\na,holding:0,m³/h\n"))
    assert tag.config.unit == "m³/h"
    (problem,) = said(write_gateway(tmp_path, points="测点,地址,倍率\na,holding:0,10²\n"))
    assert "10²" in problem


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("冲压力", "; the Chinese name stands in label_zh (中文名)"),
        ("Press Force", "; did you mean 'press_force'?"),
        ("P-1.a", "; did you mean 'p_1_a'?"),
        ("1st", ""),
    ],
)
def test_names_that_a_store_cannot_take(name: str, advice: str, tmp_path: Path) -> None:
    (message,) = said(write_gateway(tmp_path, points=f"测点,地址\n{name},holding:0\n"))
    assert message.endswith(f"at most 63, not '{name}'{advice}")


@pytest.mark.parametrize(
    ("column", "written", "meant"),
    [
        ("type", "FLOAT", "float32"),
        ("type", "LREAL", "float64"),
        ("type", "WORD", "uint16"),
        ("table", "保持寄存器", "holding"),
        ("table", "03", "holding"),
    ],
)
def test_words_of_controllers_lead_to_ours(
    column: str, written: str, meant: str, tmp_path: Path
) -> None:
    cells = {"table": "holding", "address": "100", "type": "uint16"} | {column: written}
    titles = ",".join(f"地址.{key}" for key in cells)
    points = f"测点,{titles}\nforce,{','.join(cells.values())}\n"
    (message,) = said(write_gateway(tmp_path, points=points))
    assert message.endswith(f"not '{written}'; did you mean '{meant}'?")


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("10%", "; write 0.1"),
        ("1/10", "; write 0.1"),
        ("×0.1", "; write 0.1"),
        ("÷10", "; write 0.1"),
        ("\u22120.1", "; write -0.1"),
        ("0.1 kN", "; write 0.1 alone, a unit stands in 'unit'"),
        ("1.234,5", ""),
    ],
)
def test_what_people_write_for_a_number_is_told_how_to_write(
    written: str, advice: str, tmp_path: Path
) -> None:
    (message,) = said(book(tmp_path, [HEADER, ["force", "holding:100", "kN", written]]))
    assert message == f"points.xlsx:row 2, column 倍率: must be a number, not {written!r}{advice}"


def test_a_part_of_an_unknown_whole_is_not_advised(tmp_path: Path) -> None:
    (message,) = said(book(tmp_path, [["测点", "地址", "死区"], ["force", "holding:100", "1%"]]))
    assert message.endswith("must be a number, not '1%'")


@pytest.mark.parametrize("again", [["name", "address", "unit", "scale"], HEADER])
def test_titles_that_stand_there_twice_are_no_tag(again: list[str], tmp_path: Path) -> None:
    """In two languages, or at the top of each printed page."""
    assert said(book(tmp_path, [HEADER, again, FORCE])) == [
        "points.xlsx:row 2: names the columns once more; delete this row"
    ]


def test_a_row_that_was_copied_and_not_changed_is_warned_of(tmp_path: Path) -> None:
    rows = [FORCE, ["force2", *FORCE[1:]], ["raw", FORCE[1], "", None]]
    (warning,) = load_gateway(book(tmp_path, [HEADER, *rows]), installed()).warnings
    assert "row 3, column 地址: tag 'force' has the same address" in str(warning)
