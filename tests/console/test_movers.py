"""The page that says what moved the rate."""

from decimal import Decimal

from sqlalchemy import delete

from gateway.city.db import tables
from tests.console.http import get
from tests.console.town import Town, uscc_of
from tests.support.city_db import change_evidence


async def test_the_page_names_parts_that_add_up(address: str, city: Town) -> None:
    for by in ("county", "industry", "enterprise"):
        body = (await get(f"{address}/movers?by={by}&month=2025-08&format=json")).json()
        whole = sum(Decimal(row["points"]) for row in body["rows"])
        k0, n0, k1, n1 = (
            sum(row[name] for row in body["rows"])
            for name in ("networked_before", "equipment_before", "networked", "equipment")
        )
        assert body["month_before"] == "2025-07"
        assert k1 > k0
        assert abs(whole - Decimal(100 * (k1 * n0 - k0 * n1)) / (n0 * n1)) < Decimal("0.001")
    page = (await get(f"{address}/movers?by=enterprise&month=2025-08&lang=zh")).text
    assert f'href="/movers/{uscc_of(4)}?month=2025-08"' in page
    assert "个百分点" in page


async def test_an_enterprise_names_its_machines_with_both_reasons(address: str, city: Town) -> None:
    gone = tables.evidence.c
    march = gone.day.between("2025-08-01", "2025-08-31")
    of_one = delete(tables.evidence).where(gone.machine_id == 1, march)
    city.database.run_now(change_evidence, of_one)
    page = (await get(f"{address}/movers/{uscc_of(0)}?month=2025-08&lang=en")).text
    row = page.partition("/1/A-001")[2].partition("</tr>")[0]
    assert "no longer networked" in row
    assert row.index("state-good") < row.index("state-warn")
    assert (await get(f"{address}/movers/X?month=2025-08")).status_code == 404


async def test_the_first_page_names_the_change(address: str, city: Town) -> None:
    page = (await get(f"{address}/?month=2025-08&lang=zh")).text
    assert "比上月（合并口径）" in page
    assert 'href="/movers?month=2025-08"' in page


async def test_the_first_month_of_all_has_none_before_it(address: str, city: Town) -> None:
    first = (await get(f"{address}/enterprises?month=2000-01&lang=en")).text
    since = first.partition("the first month is ")[2][:7]
    answer = await get(f"{address}/movers?month={since}&lang=en")
    assert (answer.status_code, "Nothing is known of" in answer.text) == (404, True)
    assert (await get(f"{address}/movers?definition=ONL")).status_code == 404
