"""What is told of every cell: quartiles, coverage, and bounds for what is not known."""

from dataclasses import replace
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import update

from gateway.city.db.schema.rates import rate_result
from gateway.city.rates.cells.cell import Cell, cell, full_cell, percent
from gateway.city.rates.cells.dimensions import (
    CITY,
    DIMENSIONS,
    PARTITIONS,
    all_cells,
    partition,
    unknown,
)
from gateway.city.rates.cells.spread import spread
from gateway.city.rates.cells.tally import Tally
from gateway.city.rates.compute import Counts, Enterprise, tally
from gateway.city.rates.frozen.results import StoredTable, append, vintage_table
from gateway.city.rates.reports.shown import percent_text
from gateway.city.rates.reports.statistics import statistics_words
from gateway.city.rates.reports.table import name_of
from gateway.relational.database import Database


@st.composite
def counts_of(draw: st.DrawFn) -> Counts:
    """Machines of an enterprise whose ledger may have none."""
    counted = draw(st.integers(0, 9))
    networked = draw(st.integers(0, counted))
    return Counts(networked, counted, draw(st.integers(0, counted - networked)), counted, counted)


@st.composite
def cities(draw: st.DrawFn) -> list[Tally]:
    """Enterprises of which some are not verified, and so in no figure."""
    firms, counts = {}, {}
    for number in range(draw(st.integers(1, 8))):
        county = draw(st.sampled_from(["330802", "330822"]))
        industry = draw(st.sampled_from(["3451", "3452", "2032", "0610", "9999"]))
        area = draw(st.sampled_from(["", "QZ-ZZXC"]))
        size = draw(st.sampled_from(["", "small"]))
        verified, own = draw(st.booleans()), draw(counts_of())
        firms[f"E{number}"] = Enterprise("甲", county, industry, True, verified, area, size)
        counts[f"E{number}"] = (
            own if verified else own._replace(networked=0, counted=0, undetermined=0)
        )
    return tally(firms, counts, needs_verified=True)


@given(cities())
def test_every_cell_has_the_statistics_of_its_own_enterprises(tallies: list[Tally]) -> None:
    cells = all_cells(tallies)
    for by in DIMENSIONS:
        for key, part in cells[by].items():
            own = [one for one in tallies if partition([one], by).keys() == {key}]
            assert part == full_cell(own)
            assert part.statistics is not None
            assert part.statistics.spread == spread((one.networked, one.equipment) for one in own)
            assert replace(part, statistics=None) == cell(own)
    for by in PARTITIONS:
        told = [part.statistics for part in cells[by].values() if part.statistics]
        whole = cells[CITY][CITY].statistics
        assert whole is not None
        for name in ("in_scope", "verified", "missing", "undetermined"):
            assert sum(getattr(one, name) for one in told) == getattr(whole, name)


@given(cities(), st.data())
def test_whatever_is_true_of_what_is_not_known_the_rate_lies_between(
    tallies: list[Tally], data: st.DataObject
) -> None:
    found = full_cell(tallies)
    assume(found.bounds is not None)
    assert found.bounds is not None
    networked, equipment = Fraction(0), Fraction(0)
    for one in tallies:
        share = data.draw(st.fractions(0, 1))
        extra = one.assumed if one.missing and one.assumed is not None else one.undetermined
        networked += one.networked + share * extra
        equipment += one.equipment + (one.assumed or 0)
    assert equipment == found.bounds.equipment
    rate = 100 * networked / equipment
    assert 0 <= found.bounds.lower <= rate <= found.bounds.upper <= 100
    if found.pooled is not None:
        assert found.bounds.lower <= found.pooled <= found.bounds.upper


def firm(*, verified: bool) -> Enterprise:
    return Enterprise("甲", "330822", "3451", in_scope=True, verified=verified)


def test_a_missing_enterprise_is_no_zero_and_has_the_machines_of_its_ledger() -> None:
    firms = {"A": firm(verified=True), "B": firm(verified=False), "C": firm(verified=False)}
    counts = {"A": Counts(6, 10, 1, 10, 12), "B": Counts(0, 0, 0, 4, 5)}
    found = full_cell(tally(firms, counts, needs_verified=True))
    assert (found.pooled, found.mean, found.enterprises) == (60, 60, 1)
    told = found.statistics
    assert told is not None
    # B has 4 of its ledger; C has none, and is taken to have as many as A
    assert (told.missing, told.assumed, told.coverage) == (2, 14, Fraction(100, 3))
    assert found.bounds == (25, 87.5, 24)
    assert list(statistics_words_of(found))[-1].endswith("25.00 … 87.50 % (N = 24)")


def test_of_an_empty_ledger_the_mean_of_the_size_class_is_taken() -> None:
    sizes = {"A": "large", "B": "small", "C": "small", "D": "large", "E": "micro", "F": ""}
    firms = {uscc: replace(firm(verified=uscc in "ABC"), size=size) for uscc, size in sizes.items()}
    counts = {
        uscc: Counts(0, number, 0, number, number)
        for uscc, number in (("A", 100), ("B", 10), ("C", 20))
    }
    found = {one.uscc: one.assumed for one in tally(firms, counts, needs_verified=True)}
    mean = Fraction(130, 3)
    assert [found[uscc] for uscc in "DEF"] == [100, mean, mean]
    sizes_of = all_cells(tally(firms, counts, needs_verified=True))["size"]
    assert list(sizes_of) == ["large", "micro", "small", "unknown"]
    assert name_of("size", "unknown").zh == "规模不明"


def test_where_nothing_tells_there_are_no_bounds() -> None:
    found = full_cell(tally({"A": firm(verified=False)}, {}, needs_verified=True))
    assert found.bounds is None
    assert "—" in list(statistics_words_of(found))[-1]


def test_an_unverified_ledger_says_enough_where_it_need_not_be_verified() -> None:
    (one,) = tally({"A": firm(verified=False)}, {"A": Counts(1, 2, 0, 2, 2)})
    assert (one.missing, one.verified) == (False, False)


def test_an_unknown_month_has_coverage_and_no_bounds() -> None:
    part = unknown(all_cells([Tally("A", "330822", "3451", 0, 3)]))[CITY][CITY]
    assert part.statistics is not None
    assert (part.bounds, part.statistics.spread, part.statistics.coverage) == (None, None, 100)


def statistics_words_of(found: Cell) -> list[str]:
    from gateway.city.ledger.codes import Name
    from gateway.city.rates.reports.table import RateCell

    line = RateCell(
        CITY, Name("全市", "City"), found.networked, found.equipment, found.enterprises,
        found.pooled, found.mean, None, found.statistics, found.bounds,
    )  # fmt: skip
    return list(statistics_words(line, percent_text))


def test_industries_have_names_up_to_their_section() -> None:
    keys = [("industry3", "345"), ("industry2", "34"), ("section", "C"), ("area", "QZ-ZZXC")]
    names = [name_of(by, key).zh for by, key in keys]  # type: ignore[arg-type]
    assert names == ["轴承、齿轮和传动部件制造", "通用设备制造业", "制造业", "智造新城"]
    assert name_of("county-industry", "330822/3451").zh == "常山县 · 滚动轴承制造"
    assert name_of("industry3", "999").zh == "行业 999"


def test_what_is_stored_is_read_to_the_bit_and_older_results_are_unknown(
    database: Database,
) -> None:
    firms = {name: firm(verified=name != "C") for name in "ABC"}
    counts = {"A": Counts(1, 3, 1, 3, 3), "B": Counts(2, 7, 0, 7, 7)}
    cells = all_cells(tally(firms, counts, needs_verified=True))
    table = StoredTable("2026-10", 1, "F", "0" * 64, 0, cells)
    database.run_now(append, table, "ENR-A", False)
    parts = (CITY, *DIMENSIONS)
    read = database.read_now(vintage_table, "ENR-A", "2026-10", 1, parts, False)
    assert read is not None
    assert cells == read.cells, "one without functional areas has kept that it has none"

    database.run_now(lambda c: c.execute(update(rate_result).values(in_scope=None, p25=None)))
    older = database.read_now(vintage_table, "ENR-A", "2026-10", 1, parts, False)
    assert older is not None
    whole = older.cells[CITY][CITY]
    assert whole == replace(cells[CITY][CITY], statistics=None)
    assert (whole.pooled, whole.bounds) == (percent(3, 10), None)
