"""What the public is shown of a table, and what somebody of the city is."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.city.access.principal import ScopeError, parse_scope
from gateway.city.rates.cells.cell import cell
from gateway.city.rates.cells.dimensions import all_cells
from gateway.city.rates.cells.tally import Place, Tally
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.exports.sdmx import sdmx_csv
from gateway.city.rates.publishing.grid import TOTAL, axes_of, grid_of
from gateway.city.rates.publishing.lines import as_file
from gateway.city.rates.publishing.primary import sensitive
from gateway.city.rates.publishing.publish import (
    WHOLE,
    MonthTable,
    Public,
    Reader,
    publish,
)
from gateway.city.rates.publishing.record import rules_of_publication
from gateway.city.rates.publishing.withholding import CITY_KEY, Withheld, withhold
from gateway.city.rates.reports.export import as_table
from gateway.city.rates.reports.table import RateMonth
from tests.rates.publishing.attack import truth_of
from tests.rates.publishing.cities import city

RULES = rules_of_publication()

TALLIES = st.lists(
    st.builds(
        lambda at, county, industry, networked, silent: Tally(
            at, county, industry, networked, networked + silent
        ),
        st.uuids().map(str),
        st.sampled_from("ABC"),
        st.sampled_from("123"),
        st.integers(0, 30),
        st.integers(0, 30),
    ),
    min_size=1,
    max_size=40,
)


def month(tallies: list[Tally]) -> MonthTable:
    return MonthTable("ENR-A", "2026-10", "F", 1, tallies)


def is_sensitive(within: list[Tally]) -> bool:
    """The rules in plain Python."""
    sizes = sorted((one.equipment for one in within), reverse=True)
    networked, total = sum(one.networked for one in within), sum(sizes)
    return (
        len(sizes) < 3
        or Fraction(sizes[0], total) > Fraction(70, 100)
        or Fraction(sum(sizes[:2]), total) > Fraction(85, 100)
        or (networked in {0, total} and len(sizes) < 5)
    )


@given(TALLIES)
def test_cells_are_sensitive_by_the_rules(tallies: list[Tally]) -> None:
    axes = axes_of([tallies])
    found = sensitive(grid_of(tallies, axes), RULES)
    for row, county in enumerate(axes.counties):
        for column, industry in enumerate(axes.industries):
            within = [
                one
                for one in tallies
                if one.equipment
                and county in {one.county, TOTAL}
                and industry in {one.industry, TOTAL}
            ]
            assert found[row, column] == bool(within and is_sensitive(within)), (county, industry)


@given(TALLIES)
def test_what_is_shown_is_what_is_true_and_no_sensitive_cell_is_shown(
    tallies: list[Tally],
) -> None:
    shown = publish(month(tallies), Public(withhold([tallies], RULES))).cells
    assert shown.keys() == truth_of(tallies).keys()
    for (county, industry), one in shown.items():
        within = [
            each
            for each in tallies
            if each.equipment
            and county in {each.county, TOTAL}
            and industry in {each.industry, TOTAL}
        ]
        assert one.figures in (None, cell(within))
        assert one.withheld or not is_sensitive(within)


def test_withheld_none_and_nought_are_three_things() -> None:
    table = city(1)
    public = publish(month(table), Public(withhold([table], RULES)))

    alone = public.at("330802")
    assert (alone.figures, alone.obs_status, alone.conf_status) == (None, "Q", "N")
    nobody = public.at("330802", "1966")
    assert nobody.figures is not None and nobody.figures.pooled is None
    assert (nobody.figures.enterprises, nobody.obs_status, nobody.conf_status) == (0, "M", "F")
    nought = publish(month([Tally(str(at), "A", "1", 0, 4) for at in range(6)]), Public()).at("A")
    assert nought.figures is not None and nought.figures.pooled == 0
    assert (nought.obs_status, nought.conf_status) == ("A", "F")


def computed(tallies: list[Tally]) -> RateMonth:
    record = builtin_definitions()["ENR-A"]
    cells = all_cells(tallies)
    return RateMonth(record, record.hash, "2025-08", "P", 0, 0, False, cells, {})


def test_somebody_of_the_city_sees_every_figure() -> None:
    month_of_all = computed(city(1))
    assert publish(month_of_all, WHOLE).cells == month_of_all.cells


def test_a_reader_sees_the_rows_of_their_scope_and_no_total_of_more() -> None:
    tallies = [Tally("mine", "A", "1", 1, 2), Tally("other", "A", "1", 6, 8)]
    own = Reader(parse_scope("enterprise mine"), {"mine": Place("A", "1", "", "")})
    seen = publish(computed(tallies), own)
    assert list(seen.cells["enterprise"]) == ["mine"]
    assert (seen.city.networked, seen.city.equipment) == (1, 2)


def test_a_reader_of_a_part_never_passes_for_one_of_everything() -> None:
    with pytest.raises(ScopeError, match="enterprise mine"):
        Reader(parse_scope("enterprise mine"))
    with pytest.raises(ScopeError, match="all"):
        Reader(parse_scope("all"), {})


def test_a_page_that_shows_what_was_not_published_fails() -> None:
    record = builtin_definitions()["ENR-A"]
    unpublished: Any = month(city(1))
    with pytest.raises(AttributeError):
        as_file(unpublished, "county", record)
    with pytest.raises(AttributeError):
        sdmx_csv(unpublished, record, "330800")
    of_everybody: Any = computed(city(1))
    with pytest.raises(AttributeError):
        as_table(of_everybody.table("county"))
    assert as_file(publish(month(city(1)), Public()), "county", record).rows
    assert as_table(publish(computed(city(1)), WHOLE).table("county")).rows


def test_a_cell_is_withheld_in_both_tables_of_a_month() -> None:
    few = [Tally(str(at), "A", "1", 1, 4) for at in range(2)]
    others = [Tally(f"o{at}-{c}{i}", c, i, 2, 5) for c in "AB" for i in "12" for at in range(9)]
    mine, all_of_them = [*few, *(o for o in others if o.county + o.industry != "A1")], few + others

    withheld = withhold([mine, all_of_them], RULES)

    assert ("A", "1") in withheld.sensitive
    assert ("A", "1") not in withhold([all_of_them], RULES).sensitive


def test_two_tables_that_differ_by_two_enterprises_do_not_both_show_a_cell() -> None:
    others = [Tally(f"o{at}-{c}{i}", c, i, 2, 5) for c in "AB" for i in "12" for at in range(9)]
    roster = [one for one in others if one.uscc not in {"o1-A1", "o2-A1"}]

    assert ("A", "1") in withhold([roster, others], RULES).sensitive
    assert not withhold([others, others], RULES).sensitive


def test_of_a_city_of_two_enterprises_nothing_is_shown() -> None:
    table = [Tally("1", "A", "1", 3, 9), Tally("2", "B", "1", 3, 9)]
    withheld = withhold([table], RULES)

    assert CITY_KEY in withheld.sensitive
    assert all(one.withheld for one in publish(month(table), Public(withheld)).cells.values())


def test_where_nothing_can_hide_a_cell_only_the_city_is_shown() -> None:
    table = [
        *(Tally(f"a{at}", "A", "1", 0, 5) for at in range(9)),
        Tally("b", "B", "1", 2, 5),
    ]
    shown = publish(month(table), Public(withhold([table], RULES))).cells

    assert [key for key, one in shown.items() if not one.withheld] == [CITY_KEY]
    assert withhold([table], RULES).all_parts


def test_the_same_tables_are_withheld_the_same_in_any_order() -> None:
    table = city(9)
    once: Withheld = withhold([table], RULES)

    assert once == withhold([table[::-1]], RULES)
    assert once == withhold([table], RULES, once)


def test_the_public_is_told_no_statistics() -> None:
    """Quartiles of three enterprises are their rates."""
    shown = publish(month(city(1)), Public(withhold([city(1)], RULES)))
    told = [one.figures for one in shown.cells.values() if one.figures is not None]
    assert told
    assert all(one.statistics is None and one.bounds is None for one in told)
