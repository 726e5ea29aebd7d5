"""The page of a month in full."""

import pytest

from tests.console.http import get
from tests.console.town import Town


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_each_dimension_adds_up_and_says_its_statistics(
    address: str, city: Town, lang: str
) -> None:
    for by in ("county", "industry2", "industry3", "section", "county-industry"):
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
    assert "平台没有企业的排班数据" in rules
    page = (await get(f"{address}/details?definition=DIG-A&month=2025-08&lang=zh")).text
    assert 'id="sensitivity"' not in page


async def test_the_first_page_leads_there(address: str, city: Town) -> None:
    page = (await get(f"{address}/?month=2025-08&lang=en")).text
    assert 'href="/details?month=2025-08"' in page
    assert "ledger coverage" in page
