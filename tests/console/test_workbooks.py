"""Workbooks of rates, read again by a reader that computes nothing."""

import io
import zipfile
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from openpyxl import load_workbook

from gateway.city.rates.exports.workbook import workbook
from gateway.web.tables import Table
from tests.console.http import get
from tests.console.test_published import base

__all__ = ["base"]

NOTHING = Table("r", ("vintage",), [], {})


def sheets(body: bytes) -> list[list[list[Any]]]:
    book = load_workbook(io.BytesIO(body), read_only=True)
    return [[list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book]


async def test_a_workbook_holds_figures_their_meaning_and_revisions(address: str) -> None:
    answer = await get(f"{address}/?format=xlsx&lang=zh")
    assert 'county.xlsx"' in answer.headers["content-disposition"]
    data, explained, revisions = sheets(answer.content)
    assert "演示数据" in data[0][0]
    city = dict(zip_longest(data[1], data[2]))
    assert (city["名称"], city["联网设备（台）"], city["台账设备（台）"]) == ("全市", 64, 138)
    assert (city["合并口径联网率（%）"], city["代码"]) == (46.38, "city")
    told = {line[0]: line[-1] for line in explained[1:]}
    assert (told["指标口径"], told["数据状态"], told["制表人"]) == ("ENR-A", "初步", "local")
    assert "四舍五入" in told["修约说明"] and "不是 0" in told["空白单元格"]
    assert len(str(told["口径记录摘要"])) == 64 and told["计算公式"]
    assert "尚未冻结" in revisions[2][0]
    english = sheets((await get(f"{address}/counties/330822?format=xlsx&lang=en")).content)
    assert english[0][1][:3] == ["Code", "Name", "Networked machines"]
    assert len(english[0]) == 5


async def test_a_public_workbook_says_what_is_withheld_and_names_nobody(base: str) -> None:
    answer = await get(f"{base}/published?format=xlsx&lang=zh")
    data, _, revisions = sheets(answer.content)
    lines = {row[1]: dict(zip_longest(data[1], row)) for row in data[2:]}
    assert lines["柯城区"]["台账设备（台）"] == "不予公布"
    assert isinstance(lines["全市"]["台账设备（台）"], int)
    assert revisions[1][:3] == ["版次", "数据状态", "计算时间"]
    assert (revisions[2][0], revisions[2][1]) == (1, "最终")
    assert "更正人" not in revisions[1]


def test_numbers_are_numbers_and_texts_are_never_computed() -> None:
    rows = [{"key": "=1+1", "pooled_percent": Decimal("50.10"), "networked": None}]
    table = Table("t", ("key", "pooled_percent", "networked"), rows, {})
    body = workbook(table, [("a", "@x\x00")], NOTHING, "zh", demonstration=False)
    data, explained, _ = sheets(body)
    assert data[1] == ["=1+1", 50.1], "what is not known is empty"
    assert explained[0] == ["a", "@x"]
    with zipfile.ZipFile(io.BytesIO(body)) as parts:
        assert parts.testzip() is None
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet and 'topLeftCell="A2"' in sheet
    (cell,) = [one for one in load_workbook(io.BytesIO(body)).worksheets[0][2] if one.value == 50.1]
    assert cell.number_format == "0.00"
