"""Tables to take away, and what the words beside the figures say."""

import csv
import io
import json
import re
from datetime import date
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from gateway.city.console.app import build
from gateway.city.db import tables
from gateway.city.ledger.machines import find_or_name
from gateway.city.ledger.names import MachineName
from gateway.core.days import day_of
from gateway.core.status import GOOD, Reason, uncertain
from gateway.web.tables import Table, as_csv, csv_text
from tests.console.conftest import served
from tests.console.http import get
from tests.console.town import NOW_MS, Town, town, uscc_of
from tests.support.city_db import add_days


async def test_a_table_as_csv_and_json(address: str) -> None:
    answer = await get(f"{address}/?format=csv")
    assert (
        'filename="demonstration-ENR-A-2025-11-county.csv"' in answer.headers["content-disposition"]
    )
    assert answer.content.startswith("\ufeff".encode())
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    by_key = {row["key"]: row for row in rows}
    assert by_key["city"]["networked"] == "64"
    assert by_key["city"]["equipment"] == "138"
    assert by_key["city"]["pooled_percent"] == "46.38"
    assert by_key["330822"]["mean_percent"] == "47.92"
    assert all("演示数据" in row["data"] and row["definition"] == "ENR-A" for row in rows)
    body = (await get(f"{address}/?format=json")).json()
    assert body["demonstration"] is True
    assert body["rows"][0]["networked"] == 64
    assert (await get(f"{address}/?format=pdf")).status_code == 404


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        ("/", 5),
        ("/enterprises", 7),
        ("/counties/330822", 3),
        ("/industries", 5),
        ("/industries/3451", 3),
        (f"/enterprises/{uscc_of(0)}", 24),
        (f"/enterprises/{uscc_of(0)}/1/A-001", 6),
        ("/gaps", 3),
        ("/quality", 16),
        ("/books", 1),
        ("/definitions", 8),
        ("/audit", 0),  # nothing was done
    ],
)
async def test_every_page_is_a_file_too(address: str, path: str, rows: int) -> None:
    page = await get(f"{address}{path}")
    assert "?format=csv" in page.text
    assert "?format=json" in page.text
    body = (await get(f"{address}{path}?format=json")).json()
    assert len(body["rows"]) == rows
    text = (await get(f"{address}{path}?format=csv")).content.decode("utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(text)))
    assert len(lines) == rows
    assert all("演示数据" in line["data"] for line in lines)


async def test_every_file_of_a_chinese_page_has_chinese_headings(address: str) -> None:
    enterprise = f"/enterprises/{uscc_of(0)}"
    for path in (
        "/", "/enterprises", "/counties/330822", "/industries", "/movers", "/gaps", "/quality",
        "/books", "/definitions", "/audit", enterprise, f"{enterprise}/1/A-001",
    ):  # fmt: skip
        page = (await get(f"{address}{path}?lang=zh")).text
        link = re.search(r'"(\?[^"]*format=csv[^"]*)"', page)
        assert link, path
        answer = await get(f"{address}{path}{unescape(link[1])}")
        heads = next(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert [head for head in heads if head.isascii()] == [], path
        assert len(set(heads)) == len(heads), path


async def test_words_stand_for_codes_in_a_chinese_file(address: str) -> None:
    file = await get(f"{address}/enterprises/{uscc_of(0)}?lang=zh&format=csv")
    row = next(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert (row["台账状态"], row["数据状态"], row["计入分母"]) == ("在用", "初步", "是")
    assert (row["设备类别"], row["统一社会信用代码"]) == ("生产设备", uscc_of(0))
    english = await get(f"{address}/enterprises/{uscc_of(0)}?format=csv")
    row = next(csv.DictReader(io.StringIO(english.content.decode("utf-8-sig"))))
    assert (row["status"], row["table_status"], row["counted"]) == ("in_use", "P", "True")


async def test_a_group_of_enterprises_has_its_total(address: str) -> None:
    file = await get(f"{address}/counties/330822?lang=zh&format=csv")
    total, *rows = csv.DictReader(io.StringIO(file.content.decode("utf-8-sig")))
    assert (total["名称"], total["联网设备（台）"], total["台账设备（台）"]) == (
        "常山县",
        "20",
        "36",
    )
    assert len(rows) == 2


async def test_the_books_count_uncertain_values_by_reason(address: str) -> None:
    (row,) = (await get(f"{address}/books?format=json")).json()["rows"]
    assert (row["uncertain"], row["uncertain_by_reason"]) == (12, "clock 5, overflow 7")
    page = (await get(f"{address}/books?lang=en")).text
    assert "uncertain, of ok" in page
    assert '<small class="muted">queue overflow 7</small>' in page


async def test_counts_of_findings_are_not_cut_at_what_a_page_shows(
    address: str, city: Town
) -> None:
    names = [MachineName(uscc_of(0), "1", f"X-{at}") for at in range(73)]
    strangers = city.database.run_now(find_or_name, names, date(2026, 1, 1), NOW_MS)
    for name in names:
        city.database.run_now(add_days, strangers[name], [date(2026, 1, 1), date(2026, 1, 2)])
    assert "<dd>73</dd>" in (await get(f"{address}/quality")).text
    found = (await get(f"{address}/quality?format=json")).json()["rows"]
    assert [row["count"] for row in found if row["finding"] == "orphan"] == [2] * 73


async def test_a_machines_page_tells_what_its_edge_counted(address: str, city: Town) -> None:
    query = select(tables.machine_alias.c.machine_id).where(
        tables.machine_alias.c.uscc == uscc_of(0), tables.machine_alias.c.asset_key == "A-001"
    )
    row = {
        "gateway": "gw-0", "epoch": "a" * 16, "device": "line-1", "day": day_of(NOW_MS),
        "machine_id": city.database.run_now(lambda connection: connection.scalar(query)),
        "valid": 86_390, "expected": 86_400, "seq": 1,
    }  # fmt: skip
    city.database.run_now(lambda c: c.execute(insert(tables.machine_books), [row]))
    page = (await get(f"{address}/enterprises/{uscc_of(0)}/1/A-001?lang=en")).text
    assert "Values valid / due" in page
    assert page.count(">86,390 / 86,400</td>") == 1  # nothing is told of the other days


def test_text_that_looks_like_a_formula_is_disarmed() -> None:
    table = Table("t", ("a",), [{"a": "=1+1"}, {"a": -1}, {"a": "@x"}], {})
    body = bytes(as_csv(table, demonstration=False).body).decode("utf-8-sig")
    assert body.splitlines() == ["a", "'=1+1", "-1", "'@x"]


def cell_in_a_file(text: str) -> str:
    body = csv_text(Table("t", ("a",), [{"a": text}], {}), demonstration=False)
    return list(csv.reader(io.StringIO(body.removeprefix("\ufeff"))))[1][0]


@pytest.mark.parametrize("text", ["＝1+1", "＋1", "－1", "＠x", "\n=1"])
def test_a_formula_in_wide_letters_is_disarmed_too(text: str) -> None:
    assert cell_in_a_file(text) == f"'{text}"


@pytest.mark.parametrize(
    "code", ["000123", "914403001922038216", "12E3", "1.5e10", "3-12", "3/12", "24-3-1", "2024-3"]
)
def test_a_code_that_a_spreadsheet_would_mistake_stays_text(code: str) -> None:
    assert cell_in_a_file(code) == f'="{code}"'


@pytest.mark.parametrize(
    "text", ["A-001", "0", "0.5", "123", "330800", "2024-05-31", "2024-05-31 08:00:00", "46.38", ""]
)
def test_what_a_spreadsheet_understands_is_left_alone(text: str) -> None:
    assert cell_in_a_file(text) == text


async def test_without_a_demonstration_nothing_says_so(tmp_path: Path) -> None:
    async with (
        town(tmp_path, demonstration=False) as made,
        served(build(made.context)) as base,
    ):
        page = (await get(f"{base}/?lang=zh")).text
        assert "演示数据" not in page
        assert 'watermark"' not in page
        rows = (await get(f"{base}/?format=json")).json()
        assert rows["demonstration"] is False
        assert rows["rows"][0]["networked"] is None  # synthetic evidence does not count


async def test_a_value_in_doubt_says_so_and_why(address: str, city: Town) -> None:
    path = f"{address}/enterprises/{uscc_of(0)}/1/A-001"
    doubted: dict[int, dict[str, str]] = {
        uncertain(Reason.LAST_USABLE): {
            "zh": "重复或替代的旧值 · 最后可用值",
            "en": "repeated or made up · last usable value",
        },
        uncertain(Reason.NONE): {"zh": "存疑", "en": "uncertain"},
        uncertain(Reason.CLOCK_DOUBT): {"zh": "时间存疑", "en": "time in doubt"},
        GOOD: {},
    }
    for status, quality, reason in (
        (uncertain(Reason.LAST_USABLE), "uncertain", "last_usable"),
        (uncertain(Reason.NONE), "uncertain", ""),
        (uncertain(Reason.CLOCK_DOUBT), "uncertain", "clock_doubt"),
        (GOOD, "good", ""),
    ):
        city.speak(parts=1, status=status)
        rows = (await get(f"{path}?format=json")).json()["rows"]
        assert {(row["quality"], row["reason"]) for row in rows} == {(quality, reason)}
        text = (await get(f"{path}?format=csv")).content.decode("utf-8-sig")
        assert {row["quality"] for row in csv.DictReader(io.StringIO(text))} == {quality}
        for language, words in doubted[status].items():
            page = (await get(f"{path}?lang={language}")).text
            marked = rf'class="state-mark"(?:(?!<span).)*?</svg>{re.escape(words)}</span>'
            assert len(re.findall(marked, page)) == len(rows)
            assert page.count("state-warn") == (0 if quality == "good" else len(rows))


async def test_a_value_that_no_longer_comes_says_why(address: str, city: Town) -> None:
    """Old values must never look like new ones."""
    lost = (await get(f"{address}/enterprises/{uscc_of(3)}/1/A-001?format=json")).json()["rows"]
    assert {row["cause"] for row in lost} == {"gateway_silent"}
    assert lost[0]["value"] is not None
    gaps = [
        {
            "gateway": "gw-0", "device": "a-001", "tag_group": group, "tags": json.dumps(tags),
            "tags_key": key, "cause": cause, "from_ms": NOW_MS - 1000, "to_ms": None,
        }
        for group, tags, key, cause in (
            ("fast", ["power"], "x", "range"), ("slow", [], "-", "late"),
        )
    ]  # fmt: skip
    city.database.run_now(lambda connection: connection.execute(insert(tables.gap), gaps))
    path = f"{address}/enterprises/{uscc_of(0)}/1/A-001"
    one = (await get(f"{path}?format=json")).json()["rows"]
    assert {row["tag"]: row["cause"] for row in one if row["cause"]} == {"power": "range"}
    city.clock.now_ms += 300_000
    page = (await get(f"{path}?lang=en")).text
    assert page.count("out of range") == 3, "at the value, among the gaps, and of the day"
    assert page.count("5 min ago") == 6
