"""The page of a month in full."""

import pytest
from sqlalchemy import delete

from gateway.city.db.tables import evidence
from gateway.city.rates.declared.sheet import Declaration
from gateway.city.rates.declared.values import write
from gateway.city.rates.frozen.freezing import freeze_month
from tests.console.http import get
from tests.console.town import NOW_MS, Town, uscc_of
from tests.support.city_db import change_evidence


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_each_dimension_adds_up_and_says_its_statistics(
    address: str, city: Town, lang: str
) -> None:
    for by in ("county", "industry2", "industry3", "section", "county-industry", "size"):
        where = f"{address}/details?by={by}&month=2025-08&lang={lang}"
        page = (await get(where)).text
        assert ("联网率明细" if lang == "zh" else "The rate in full") in page
        assert "P25" in page
        body = (await get(f"{where}&format=json")).json()
        total, *parts = body["rows"]
        for name in ("networked", "equipment", "enterprises", "ledgers_verified"):
            assert sum(row[name] for row in parts) == total[name]
        assert float(total["lower_percent"]) <= float(total["pooled_percent"])


async def test_other_rules_stand_beside_the_own_one(address: str, city: Town) -> None:
    page = (await get(f"{address}/details?month=2025-08&lang=zh")).text
    rules = page.partition('id="sensitivity"')[2]
    assert rules.count("<tr>") == 5
    assert "本口径" in rules
    assert "排班日历只有日期，没有工时" in rules
    page = (await get(f"{address}/details?definition=DIG-A&month=2025-08&lang=zh")).text
    assert 'id="sensitivity"' not in page


async def test_the_first_page_leads_there(address: str, city: Town) -> None:
    page = (await get(f"{address}/?month=2025-08&lang=en")).text
    assert 'href="/details?month=2025-08"' in page
    assert "ledger coverage" in page


async def test_an_enterprise_shows_what_it_declares_beside_what_was_collected(
    address: str, city: Town
) -> None:
    where = f"{address}/enterprises/{uscc_of(0)}?month=2025-08"
    assert 'id="declared"' not in (await get(f"{where}&lang=zh")).text
    value = Declaration(uscc_of(0), "2025-08", 40, 50, "李四", "问卷")
    city.database.run_now(write, [value], 1, "张三")
    for lang, words in (("zh", "李四 申报，来源：问卷"), ("en", "declared by 李四, source: 问卷")):
        page = (await get(f"{where}&lang={lang}")).text
        shown = page.partition('id="declared"')[2].partition("</section>")[0]
        assert words in shown
        assert "80.00 %" in shown
        assert "40 / 50" in shown


async def test_machines_that_count_otherwise_since_a_month_was_stored_are_not_silent(
    address: str, city: Town
) -> None:
    """The page had the stored rate above, and beside it machines that did not add up to it."""
    freeze_month(city.database, "ENR-A", "2025-10", NOW_MS, demonstration=True)
    first = delete(evidence).where(evidence.c.machine_id == 1)
    city.database.run_now(change_evidence, first)
    for number, is_told in ((1, False), (0, True)):
        where = f"{address}/enterprises/{uscc_of(number)}?month=2025-10"
        page = (await get(f"{where}&lang=zh")).text
        assert ("本月数字保持入库的第 1 版" in page) is is_told
        rows = (await get(f"{where}&format=json")).json()
        assert ("counted_now" in rows) is is_told
    machines = (await get(f"{address}/enterprises/{uscc_of(0)}?month=2025-10&format=json")).json()
    networked = sum(row["networked"] for row in machines["rows"])
    assert machines["counted_now"] == f"{networked} / 24"
    assert (
        f"（{networked + 1} / 24）"
        in (await get(f"{address}/enterprises/{uscc_of(0)}?month=2025-10&lang=zh")).text
    )
