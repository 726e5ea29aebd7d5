"""What nobody knows is never shown as 0 %."""

import csv
import io
import re
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert

from gateway.city.console.app import build
from gateway.city.db import tables
from tests.console.conftest import served
from tests.console.http import get
from tests.console.town import town, uscc_of
from tests.support.city_db import change_evidence

WORDS = {"zh": "未知", "en": "unknown"}
RATE = re.compile(r'<td class="num rate"[^>]*>([^<]*)</td>')
EMPTY_USCC = uscc_of(90)


@pytest.mark.parametrize("language", WORDS)
async def test_a_month_without_any_data_has_no_rate(tmp_path: Path, language: str) -> None:
    async with town(tmp_path) as made:
        made.database.run_now(change_evidence, delete(tables.evidence))
        async with served(build(made.context)) as base:
            page = (await get(f"{base}/?lang={language}")).text
            assert f'data-k="pooled">{WORDS[language]}</p>' in page
            for path in ("/", "/industries", "/enterprises"):
                page = (await get(f"{base}{path}?lang={language}")).text
                rates = RATE.findall(page)
                assert rates
                assert set(rates) == {WORDS[language]}
                assert ">0 / " not in re.sub(r"<dl.*?</dl>", "", page, flags=re.DOTALL)
            answer = await get(f"{base}/?format=csv")
            rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
            assert {(row["pooled_percent"], row["networked"]) for row in rows} == {("", "")}
            city_row = (await get(f"{base}/?format=json")).json()["rows"][0]
            assert (city_row["pooled_percent"], city_row["mean_percent"]) == (None, None)
            assert city_row["equipment"] == 138


async def test_a_month_without_any_data_is_a_gap_of_the_line(tmp_path: Path) -> None:
    day = tables.evidence.c.day
    august = delete(tables.evidence).where(day >= date(2025, 8, 1), day < date(2025, 9, 1))
    async with town(tmp_path) as made:
        made.database.run_now(change_evidence, august)
        async with served(build(made.context)) as base:
            chart = (await get(f"{base}/charts/trend.json")).json()
    words = {row["month"]: row["fraction"] for row in chart["datasets"]["actual"]}
    shown = {row["month"]: row["percent"] for row in chart["datasets"]["actual"]}
    assert (shown["2025-08"], words["2025-08"]) == (None, None)
    assert shown["2025-07"] > 0
    assert shown["2025-09"] > 0


async def test_an_enterprise_without_machines_has_no_rate(tmp_path: Path) -> None:
    place = {"county": "330822", "industry": "3451", "above_scale": True}
    row = {"uscc": EMPTY_USCC, "name": "空厂", "identifier_code": "00000091", **place}
    member = {"roster": "KEY", "uscc": EMPTY_USCC, "approved_by": "经信局"}

    def enter(connection: Connection) -> None:
        connection.execute(insert(tables.enterprise).values(row))
        since = date(2020, 1, 1)
        connection.execute(insert(tables.roster_member).values(member | {"valid_from": since}))

    async with town(tmp_path) as made:
        made.database.run_now(enter)
        async with served(build(made.context)) as base:
            page = (await get(f"{base}/enterprises/{EMPTY_USCC}?lang=en")).text
            assert ">unknown" in page
            assert "0.00" not in page
            rows = (await get(f"{base}/enterprises?format=json")).json()["rows"]
    (mine,) = [row for row in rows if row["key"] == EMPTY_USCC]
    assert (mine["pooled_percent"], mine["networked"], mine["equipment"]) == (None, None, 0)
