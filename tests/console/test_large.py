"""Page by page: gaps, books and gateways of a large city."""

from datetime import date

import pytest
from sqlalchemy import Connection, insert, update

from gateway.city.access.principal import EVERYTHING, parse_scope
from gateway.city.console.queries.freshness import freshness
from gateway.city.console.queries.gaps import GapFilter, gap_count, gaps
from gateway.city.db import tables
from tests.console.http import get
from tests.console.town import Town, uscc_of


async def test_a_large_city_fits_the_first_page(address: str, city: Town) -> None:
    rows = [
        {"id": f"zz-{at}", "uscc": uscc_of(0), "site_no": "1", "enrolled_ms": 1, "partition": 0}
        for at in range(90)
    ]
    city.database.run_now(lambda connection: connection.execute(insert(tables.gateway), rows))
    page = (await get(f"{address}/?lang=en")).text
    assert "4 of 96 gateways online" in page
    assert ">gw-3<" in page, "a silent gateway is shown whatever their number"
    assert page.count('data-k="gw-') == 8


@pytest.mark.parametrize("page", ["0", "1", "-1", "x", "999999999"])
async def test_gaps_by_page_and_filter(address: str, city: Town, page: str) -> None:
    rows = [
        {
            "gateway": "gw-0", "device": "", "tag_group": "", "tags": "[]", "tags_key": "-",
            "cause": "late", "from_ms": 1_000_000 * at, "to_ms": 1_000_000 * at + 5_000,
        }
        for at in range(1, 61)
    ]  # fmt: skip
    city.database.run_now(lambda connection: connection.execute(insert(tables.gap), rows))
    answer = await get(f"{address}/gaps?cause=late&page={page}&lang=en")
    assert answer.status_code == 200
    shown = answer.text.count("<tr><td>")
    assert shown == {"0": 50, "1": 10, "-1": 50, "x": 50, "999999999": 50}[page]
    file = (await get(f"{address}/gaps?cause=late&format=json")).json()
    assert len(file["rows"]) == 60
    assert {row["cause_en"] for row in file["rows"]} == {"read too late"}


async def test_gaps_that_last_come_first_on_every_page(address: str, city: Town) -> None:
    """Whatever pages are asked for, each gap stands on exactly one of them."""
    rows = [
        {
            "gateway": "gw-1", "device": f"d-{at}", "tag_group": "", "tags": "[]", "tags_key": "-",
            "cause": "late", "from_ms": 1_000 + at, "to_ms": None if at % 2 else 9_000_000,
        }
        for at in range(140)
    ]  # fmt: skip
    city.database.run_now(lambda connection: connection.execute(insert(tables.gap), rows))
    wanted, places = GapFilter(EVERYTHING, gateway="gw-1"), list[tuple[bool, int]]()
    for offset in range(0, 150, 50):
        page = city.database.run_now(gaps, wanted, 50, offset)
        places += [(row.to_ms is not None, -row.from_ms) for row in page]
    assert len(places) == 140
    assert places == sorted(places)
    assert city.database.run_now(gap_count, wanted) == 140
    assert (
        city.database.run_now(gap_count, GapFilter(EVERYTHING, gateway="gw-1", only_open=True))
        == 70
    )


async def test_a_city_of_many_gateways_types_an_id_and_turns_pages(
    address: str, city: Town
) -> None:
    rows = [
        {"id": f"zz-{at:03d}", "uscc": uscc_of(0), "site_no": "1", "enrolled_ms": 1, "partition": 0}
        for at in range(250)
    ]
    day = {"epoch": "0" * 16, "device": "a", "day": date(2025, 11, 23), "dropped": "{}"}
    counts = dict.fromkeys(("due", "ok", "failed", "skipped", "suppressed", "buffered"), 0)
    books = [{"gateway": row["id"], **day, **counts} for row in rows]

    def fill(connection: Connection) -> None:
        connection.execute(insert(tables.gateway), rows)
        connection.execute(insert(tables.edge_books), books)

    city.database.run_now(fill)
    assert '<input name="gateway"' in (await get(f"{address}/gaps")).text
    first = (await get(f"{address}/books?lang=en")).text
    assert first.count('<tr><th scope="row"') == 50
    assert 'rel="next"' in first
    last = (await get(f"{address}/books?lang=en&page=5")).text
    assert last.count('<tr><th scope="row"') == 1
    assert len((await get(f"{address}/books?format=json")).json()["rows"]) == 251


async def test_ledgers_that_nobody_looked_at_for_a_year_are_named(address: str, city: Town) -> None:
    assert "天未核实的企业" not in (await get(f"{address}/quality?lang=zh")).text
    row = tables.enterprise.c.uscc == uscc_of(3)
    old = update(tables.enterprise).where(row).values(ledger_verified_on=date(2024, 11, 1))
    city.database.run_now(lambda connection: connection.execute(old))
    page = (await get(f"{address}/quality?lang=zh")).text
    card = page.partition('id="fresh"')[2].partition("</section>")[0]
    assert "上次核实 2024-11-01" in card
    assert card.count("<li>") == 1
    for scope, count in ((EVERYTHING, 1), (parse_scope(f"enterprise {uscc_of(2)}"), 0)):
        found = city.database.read_now(freshness, scope, date(2025, 11, 23), 50)
        assert (found.count, len(found.stale)) == (count, count)
