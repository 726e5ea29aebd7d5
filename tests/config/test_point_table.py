"""Point tables as spreadsheets save them."""

import io
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest

from edge_config.files.point_columns import HEADERS
from edge_config.loading.load import ConfigError, load_gateway
from edge_config.loading.resolved import ResolvedTag
from edge_config.mistakes.shape import declared
from edge_config.models.base import PATTERN_WORDS
from edge_config.models.tag import TAG_NAME, TagConfig
from gateway.drivers.registry import installed
from tests.config.examples import GATEWAY, write_gateway

CHINESE = "测点名称,地址,单位,角色,中文名,倍率\r\nspeed,holding:0,米/秒,数值,线速度,0.1\r\n"


def tags_of(file: Path) -> tuple[ResolvedTag, ...]:
    return load_gateway(file, installed()).devices[0].groups[0].tags


def workbook(folder: Path, rows: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    book.save(folder / "points.xlsx")
    return write_gateway(folder, GATEWAY.replace("points.csv", "points.xlsx"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_encodings(encoding: str, tmp_path: Path) -> None:
    (tag,) = tags_of(write_gateway(tmp_path, points=CHINESE.encode(encoding)))
    assert (tag.config.unit, tag.config.label_zh) == ("米/秒", "线速度")
    assert (tag.config.role, tag.config.scale) == ("value", 0.1)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters(delimiter: str, tmp_path: Path) -> None:
    points = "name,address,unit\nspeed,holding:7,mm\n".replace(",", delimiter)
    (tag,) = tags_of(write_gateway(tmp_path, points=points))
    assert (tag.address.address, tag.config.unit) == (7, "mm")


def test_every_column(tmp_path: Path) -> None:
    points = (
        "name,address,unit,role,label_zh,label_en,scale,offset,minimum,maximum,deadband,"
        "max_silence_ms,asset_no\n"
        "t,input:3:int16,°C,alarm,温度,temperature,0.1,-40,-10,99.5,0.2,5000,0007\n"
    )
    (tag,) = tags_of(write_gateway(tmp_path, points=points))
    expected = TagConfig(
        name="t",
        address="input:3:int16",
        unit="°C",
        role="alarm",
        label_zh="温度",
        label_en="temperature",
        scale=0.1,
        offset=-40,
        minimum=-10,
        maximum=99.5,
        deadband=0.2,
        max_silence_ms=5000,
        asset_no="0007",
    )
    assert tag.config == expected


def test_address_in_columns(tmp_path: Path) -> None:
    points = "名称,地址.table,地址.address,地址.type,地址.bit\na,holding,3,,5\nb,input,4,float32,\n"
    first, second = tags_of(write_gateway(tmp_path, points=points))
    assert (str(first.address), str(second.address)) == ("holding:3.5", "input:4:float32")


def test_rows_join_the_tags_of_the_group(tmp_path: Path) -> None:
    text = GATEWAY.replace(
        "        tags_file", '        tags: [{name: own, address: "coil:1"}]\n        tags_file'
    )
    names = [tag.config.name for tag in tags_of(write_gateway(tmp_path, text))]
    assert names == ["own", "speed", "stroke"]


def test_empty_rows_are_skipped_but_counted(tmp_path: Path) -> None:
    points = "name,address\n\nspeed,holding:0\n,\nstroke,nowhere\n"
    with pytest.raises(ConfigError, match=r"points\.csv:row 5, column address: 'nowhere'"):
        tags_of(write_gateway(tmp_path, points=points))


def test_same_tag_inline_and_in_the_table(tmp_path: Path) -> None:
    text = GATEWAY.replace(
        "        tags_file", '        tags: [{name: speed, address: "coil:1"}]\n        tags_file'
    )
    with pytest.raises(ConfigError) as caught:
        tags_of(write_gateway(tmp_path, text))
    assert str(caught.value).endswith(
        "points.csv:row 2, column name: the machine has a tag 'speed' already; "
        f"first in {tmp_path}/gateway.yaml, line 9"
    )


def test_xlsx_with_numbers_as_excel_keeps_them(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["名称", "地址", "倍率", "最大静默", "资产编号"],
        ["speed", 40101, 0.5, 5000.0, 12],
        [None, None, None, None, None],
        ["stroke", "holding:2", None, None, None],
    ]
    first, second = tags_of(workbook(tmp_path, rows))
    assert (first.address.address, first.config.scale) == (100, 0.5)
    assert (first.config.max_silence_ms, first.config.asset_no) == (5000, "12")
    assert second.config.scale is None


def test_xlsx_with_wrong_types(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["name", "address", "倍率", "deadband", "max_silence_ms"],
        ["speed", "holding:0", 1, True, 1000.5],
        [7, "holding:1", 2, "", None],
    ]
    with pytest.raises(ConfigError) as caught:
        tags_of(workbook(tmp_path, rows))
    said = [str(problem).partition("points.xlsx:")[2] for problem in caught.value.problems]
    assert said == [
        "row 2, column deadband: must be a number, not 'true'",
        "row 2, column max_silence_ms: must be a whole number of milliseconds, not '1000.5'",
        f"row 3, column name: {PATTERN_WORDS[TAG_NAME]}, not '7'",
    ]


def test_damaged_workbooks(tmp_path: Path) -> None:
    file = workbook(tmp_path, [["name", "address"], ["speed", "holding:0"]])
    body = (tmp_path / "points.xlsx").read_bytes()
    for cut in range(0, len(body), 97):
        (tmp_path / "points.xlsx").write_bytes(body[:cut])
        with pytest.raises(ConfigError, match=r"points\.xlsx cannot be read as XLSX"):
            tags_of(file)


def test_zip_that_is_no_workbook(tmp_path: Path) -> None:
    file = workbook(tmp_path, [["name", "address"]])
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("hello.txt", "hello")
    (tmp_path / "points.xlsx").write_bytes(body.getvalue())
    with pytest.raises(ConfigError, match=r"cannot be read as XLSX"):
        tags_of(file)


def test_zip_bomb(tmp_path: Path) -> None:
    file = workbook(tmp_path, [["name", "address"]])
    bomb = tmp_path / "points.xlsx"
    with (
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/workbook.xml", "w") as entry,
    ):
        for _ in range(130):
            entry.write(bytes(1024 * 1024))
    with pytest.raises(ConfigError, match="unpacks to more than 128 MiB"):
        tags_of(file)


def test_a_workbook_needs_no_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = workbook(tmp_path, [["name", "address"], ["speed", "holding:0"]])
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    assert [tag.config.name for tag in tags_of(file)] == ["speed"]


def test_headers_lead_to_keys_of_a_tag() -> None:
    assert set(HEADERS.values()) == set(declared(TagConfig))


def said(file: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        tags_of(file)
    return [str(problem).removeprefix(f"{file.parent}/") for problem in caught.value.problems]


def test_mistakes_in_the_header_and_below_it_are_told_at_once(tmp_path: Path) -> None:
    points = "测点,寄存器地址,数据类型,type,倍率,备注\nspeed,40001:float32,,,零点一,\n"
    assert said(write_gateway(tmp_path, points=points)) == [
        "points.csv:row 1, column 数据类型: unknown column; did you mean 'address.type'?",
        "points.csv:row 1, column type: unknown column; did you mean 'address.type'?",
        "points.csv:row 2, column 倍率: must be a number, not '零点一'",
    ]


def test_cells_that_no_column_takes_are_not_lost(tmp_path: Path) -> None:
    points = "name,address,\nspeed,holding:0,fast\nstroke,holding:1,,a, b\n"
    assert said(write_gateway(tmp_path, points=points)) == [
        "points.csv:row 2: the cell 'fast' stands under no header",
        "points.csv:row 3: the cell 'a' stands under no header",
        "points.csv:row 3: the cell 'b' stands under no header",
    ]


def test_a_quotation_mark_that_is_not_closed_is_found_where_it_opens(tmp_path: Path) -> None:
    points = 'name,address\nspeed,holding:0\n"stroke,holding:1\nforce,holding:2\n'
    assert said(write_gateway(tmp_path, points=points)) == [
        "points.csv:row 3: a quotation mark that opens here is not closed"
    ]


def test_empty_lines_above_the_header_do_not_hide_the_delimiter(tmp_path: Path) -> None:
    (tag,) = tags_of(write_gateway(tmp_path, points="\n \nname;address\nspeed;holding:7\n"))
    assert tag.address.address == 7
