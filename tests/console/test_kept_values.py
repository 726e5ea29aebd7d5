"""Data quality says how long the store keeps values, if that is not what is promised."""

from dataclasses import replace

import pytest

from gateway.city.console.app import build
from gateway.city.db import monthly
from gateway.city.db.sizes import MonthSize, keep
from gateway.core.days import DAY_MS, day_of
from gateway.web.formats import moment
from tests.console.conftest import served
from tests.console.http import get
from tests.console.town import NOW_MS, Town
from tests.stores.cases import influx2
from tests.support.influx2_contract import ContractServer


@pytest.mark.parametrize(
    ("days", "kind", "words"),
    [
        (30, "shorter", ("保存 30 天", "以前的证据无法复核")),
        (1_000, "longer", ("保存 1,000 天", "没有删除")),
        (0, "ever", ("不删除数据",)),
        (None, "unknown", ("未知", "&#39;read buckets&#39;")),
    ],
)
async def test_what_is_not_as_promised_is_said_with_what_to_do(
    city: Town, monkeypatch: pytest.MonkeyPatch, days: int | None, kind: str, words: tuple[str, ...]
) -> None:
    with ContractServer() as contract:
        contract.kept_s = None if days is None else days * 86_400
        store = influx2(monkeypatch, contract.url)
        await store.open()
        async with served(build(replace(city.context, store=store))) as address:
            page = (await get(f"{address}/quality?lang=zh")).text
            rows = (await get(f"{address}/quality?format=json")).json()["rows"]
        await store.close()
    assert all(word in page for word in (*words, "qulink city retention"))
    assert (str(day_of(NOW_MS - 30 * DAY_MS)) in page) == (kind == "shorter")
    (row,) = [one for one in rows if one["finding"].startswith("retention.")]
    assert row["finding"] == f"retention.{kind}"


async def test_what_raw_days_take_is_shown_as_it_was_counted(city: Town, address: str) -> None:
    """With its time; what was not counted yet, or cannot be told, is not nought."""
    page = (await get(f"{address}/quality?lang=zh")).text
    head, _, table = page.partition('id="sizes"')
    assert head != page and table.count("尚未统计") >= 11
    months = sorted(city.database.read_now(monthly.held))
    sizes = [MonthSize(months[-1], 12_345, 67, 3 * 2**20), MonthSize(months[-2], 8, 0, None)]
    city.database.run_now(keep, sizes, NOW_MS)
    table = (await get(f"{address}/quality?lang=en")).text.partition('id="sizes"')[2]
    told = (f"{months[-1] // 100}-{months[-1] % 100:02d}", "12,345", "67", "3.0 MiB", "unknown")
    assert all(word in table for word in (*told, moment(NOW_MS), "qulink evidence size"))


async def test_as_promised_it_is_a_number(address: str) -> None:
    page = (await get(f"{address}/quality?lang=en")).text
    assert "730 / 730" in page and 'id="kept"' not in page
