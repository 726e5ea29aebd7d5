"""Enterprises in order, filtered, page by page; why some have no rate."""

import re
from datetime import date
from fractions import Fraction

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from gateway.city.access.principal import EVERYTHING, Scope, ScopeKind
from gateway.city.console.pages.enterprises.lacking import Lack, lack_of
from gateway.city.console.pages.enterprises.listing import Line, Wanted, arrange, wanted
from gateway.city.console.queries.database import EnterpriseRow, enterprises_on
from gateway.city.console.queries.figures import Figures
from gateway.city.db import tables
from gateway.city.ledger.bitemporal.acts import Doing, Kind, begin, conclude
from gateway.city.ledger.bitemporal.entries import ENTERPRISE, write_steps
from gateway.city.ledger.codes import Name
from gateway.city.ledger.machines import SINCE_EVER
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.reports.table import RateCell
from tests.console.http import blocks, get
from tests.console.town import NOW_MS, Town, uscc_of

KEYS = re.compile(r'data-k="r-(\w+)"')


async def _listed(address: str, asked: str) -> list[int]:
    page = (await get(f"{address}/enterprises?lang=en&{asked}")).text
    return [[uscc_of(at) for at in range(9)].index(key) for key in KEYS.findall(page)]


async def test_the_address_sorts_and_filters(address: str) -> None:
    assert await _listed(address, "") == [0, 4, 2, 3, 1, 5]
    assert await _listed(address, "sort=rate&order=asc") == [5, 1, 3, 2, 4, 0]
    assert await _listed(address, "sort=machines") == [4, 2, 0, 3, 1, 5]
    assert await _listed(address, "sort=county") == [5, 1, 0, 4, 3, 2], "within one by name"
    assert await _listed(address, "sort=name") == [1, 0, 3, 2, 4, 5], "by pinyin: c, j, l, q"
    assert await _listed(address, "county=330881&sort=industry") == [2, 3]
    assert await _listed(address, "industry=22") == [4, 5]
    assert await _listed(address, "name=ＭＡ0000003") == [3]
    assert await _listed(address, "lacking=1") == []
    assert await _listed(address, "sort=x&order=y&page=-1") == [0, 4, 2, 3, 1, 5]


async def test_the_file_has_what_the_page_lists(address: str) -> None:
    file = (await get(f"{address}/enterprises?format=json&county=330881&sort=machines")).json()
    assert [row["key"] for row in file["rows"]] == [uscc_of(2), uscc_of(3)]


async def test_a_long_list_is_paged_and_keeps_what_was_asked(address: str, city: Town) -> None:
    def enter(connection: Connection) -> None:
        row = {"county": "330822", "industry": "3451", "above_scale": False}
        rows = [{"uscc": uscc_of(at), "name": f"厂{at}"} | row for at in range(100, 160)]
        connection.execute(insert(tables.enterprise), rows)

    city.database.run_now(enter)
    first = (await get(f"{address}/enterprises?sort=name&order=asc&lang=en")).text
    assert len(KEYS.findall(first)) == 50
    assert "66 enterprises" in first
    (onward,) = re.findall(r'href="(\?[^"]+)" rel="next"', first)
    assert "sort=name" in onward
    second = (await get(f"{address}/enterprises{onward.replace('&amp;', '&')}")).text
    assert len(KEYS.findall(second)) == 16
    assert len(KEYS.findall((await get(f"{address}/enterprises?page=999")).text)) == 16
    assert "60 outside the definition" in first
    shown = await blocks(f"{address}/enterprises{onward.replace('&amp;', '&')}")
    assert len(KEYS.findall(shown["cells"])) == 16, "what updates itself is the same page"


def spoil(connection: Connection) -> None:
    """Nobody has verified the ledger of the only enterprise of a county."""
    mine = tables.ledger_verification.c.uscc == uscc_of(5)
    connection.execute(delete(tables.ledger_verification).where(mine))
    row = tables.enterprise.c.uscc == uscc_of(5)
    unverified = {"ledger_verified_on": None, "ledger_verified_by": None}
    connection.execute(update(tables.enterprise).where(row).values(unverified))


async def test_a_county_without_machines_says_why(address: str, city: Town) -> None:
    """柯城区 was "— 0/0": nobody could see that its only ledger was not verified."""

    city.database.run_now(spoil)
    for path in ("/", "/counties/330803"):
        page = (await get(f"{address}{path}?lang=zh")).text
        assert "1 家台账截至该日未核实" in page, path
    assert await _listed(address, "lacking=1") == [5]


def move(connection: Connection, at: int, before: str, since: str) -> None:
    """An enterprise belongs to another county from 4 November on."""
    uscc = uscc_of(at)
    own = tables.enterprise.c.uscc == uscc
    row = dict(connection.execute(select(tables.enterprise).where(own)).one()._mapping)
    for start, county in ((SINCE_EVER, before), (date(2025, 11, 4), since)):
        doing = Doing(Kind.IMPORT, "", "", NOW_MS)
        act = begin(connection, doing)
        said = {name: row.get(name) or "" for name in ENTERPRISE.attributes}
        said |= {"county": county, "employees": None, "revenue_wan": None, "above_scale": True}
        write_steps(connection, ENTERPRISE, act, {uscc: {start: said}})
        conclude(connection, act, doing)
    connection.execute(update(tables.enterprise).where(own).values(county=since))


async def test_a_month_lists_who_belonged_to_a_county_then(address: str, city: Town) -> None:
    """A county's total was that of the month, and the enterprises beside it were those of now."""
    city.database.run_now(move, 1, "330822", "330824")
    for month, county, places in (
        ("2025-10", "330822", [0, 1]), ("2025-11", "330822", [0]), ("2025-11", "330824", [1]),
    ):  # fmt: skip
        body = (await get(f"{address}/counties/{county}?month={month}&format=json")).json()
        total, *listed = body["rows"]
        assert sorted(row["key"] for row in listed) == [uscc_of(at) for at in places], month
        assert total["equipment"] == sum(row["equipment"] for row in listed), month
    assert (await get(f"{address}/counties/330824?month=2025-10")).status_code == 404


async def test_what_a_county_lacked_is_of_who_belonged_to_it_then(address: str, city: Town) -> None:
    """It went by the county of now: of one that had been left nothing was said."""
    city.database.run_now(spoil)
    city.database.run_now(move, 5, "330803", "330824")
    for month, county in (("2025-10", "330803"), ("2025-11", "330824")):
        page = (await get(f"{address}/?month={month}&lang=zh")).text
        row = page[page.index(f'href="/counties/{county}') :].partition("</tr>")[0]
        assert "1 家台账截至该日未核实" in row, month


async def test_the_past_of_a_county_is_the_same_to_its_officer(city: Town) -> None:
    """It was cut by the counties of now, and was no figure that the city had ever told."""
    city.database.run_now(move, 1, "330822", "330824")
    figures = Figures(city.context)
    mover = uscc_of(1)
    left, entered = (Scope(ScopeKind.COUNTIES, frozenset({one})) for one in ("330822", "330824"))
    whole = await figures.month("ENR-A", EVERYTHING, month="2025-10")
    own = await figures.month("ENR-A", left, month="2025-10")
    assert own.cells["county"]["330822"] == whole.cells["county"]["330822"]
    assert own.city.equipment == 36
    assert own.cells["enterprise"].keys() == {uscc_of(0)}, "rows are of who sees them now"
    assert own.names.keys() == {uscc_of(0)}
    before = await figures.month("ENR-A", entered, month="2025-10")
    assert (before.city.equipment, dict(before.cells["enterprise"])) == (0, {})
    itself = await figures.month(
        "ENR-A", Scope(ScopeKind.ENTERPRISES, frozenset({mover})), month="2025-10"
    )
    assert itself.cells["enterprise"][mover] == whole.cells["enterprise"][mover]
    now = [(await figures.month("ENR-A", one)).city.equipment for one in (left, entered)]
    assert now == [24, 12]
    read = city.database.read_now
    listed = [read(enterprises_on, one, date(2025, 10, 31), None).keys() for one in (left, entered)]
    assert listed == [{uscc_of(0)}, set()]


CELL = RateCell("x", Name("x", "x"), 0, 0, 0, None, None)
ENR_A = builtin_definitions()["ENR-A"]


@pytest.mark.parametrize(
    ("cell", "verified", "machines", "lack"),
    [
        (None, True, 3, Lack.OUTSIDE),
        (CELL, False, 3, Lack.UNVERIFIED),
        (CELL, True, 0, Lack.NO_MACHINES),
        (CELL, True, 3, Lack.NONE_COUNTED),
        (RateCell("x", Name("x", "x"), 0, 2, 1, None, None), True, 2, Lack.NO_DATA),
        (RateCell("x", Name("x", "x"), 0, 2, 1, Fraction(0), None), True, 2, None),
    ],
)
def test_what_an_enterprise_lacks(
    cell: RateCell | None, verified: bool, machines: int, lack: Lack | None
) -> None:
    assert lack_of(ENR_A, cell, verified=verified, machines=machines) is lack


def _line(name: str, rate: Fraction | int | None) -> Line:
    row = EnterpriseRow(name, name, "1", "2", True, None, None)
    return Line(row, None, None if rate is None else Fraction(rate), None, None)


def test_who_has_no_figure_comes_last_in_both_directions() -> None:
    lines = [_line("a", None), _line("b", 2), _line("c", 0), _line("d", None)]
    for order, names in (("desc", "bcad"), ("asc", "cbad")):
        found = arrange(lines, wanted({"sort": "rate", "order": order}))
        assert "".join(one.row.name for one in found) == names
    assert Wanted(sort="rate").next_order("rate") == "asc"
    assert Wanted(sort="rate").next_order("name") == "asc"
    assert Wanted(sort="name", falling=False).next_order("rate") == "desc"


def test_rates_that_hardly_differ_are_in_their_order() -> None:
    most = 2**31 - 1  # machines of an enterprise, at most: two such rates differ by 2⁻⁶² of them
    rates = [Fraction(one, at) for at in (most, most - 1) for one in (most - 2, most - 3, 1)]
    lines = [_line(str(at), rate) for at, rate in enumerate(rates)]
    found = arrange(lines, wanted({"sort": "rate", "order": "asc"}))
    assert [one.lead for one in found] == sorted(rates)
