"""What is published is attacked; nothing that is withheld is found better than the rules allow."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest

from gateway.city.rates.cells.tally import Tally
from gateway.city.rates.publishing.grid import TOTAL, Key
from gateway.city.rates.publishing.publish import MonthTable, Public, publish
from gateway.city.rates.publishing.record import rules_of_publication
from gateway.city.rates.publishing.rules import Rules
from gateway.city.rates.publishing.withholding import NOTHING_WITHHELD, Withheld, withhold
from tests.rates.publishing.attack import (
    Attack,
    Found,
    Seen,
    Truth,
    rate_interval,
    too_well_known,
    truth_of,
)
from tests.rates.publishing.cities import city, next_month

RULES = rules_of_publication()
CITY = (TOTAL, TOTAL)
Table = Sequence[Tally]


def without(name: str) -> Rules:
    return RULES.model_copy(update={name: False})


def published(tables: Sequence[Table], rules: Rules) -> list[tuple[Seen, Withheld]]:
    """Months of one definition as the public sees them, through the door that all use."""
    found, earlier = [], NOTHING_WITHHELD
    for at, table in enumerate(tables):
        earlier = withhold([table], rules, earlier)
        month = MonthTable("ENR-A", f"2026-{at + 1:02}", "F", 1, table)
        cells = publish(month, Public(earlier)).cells
        shown = {
            key: None
            if one.figures is None
            else Truth(
                one.figures.networked,
                one.figures.equipment - one.figures.networked,
                one.figures.enterprises,
            )
            for key, one in cells.items()
        }
        found.append((Seen(shown), earlier))
    return found


def attacked(tables: Sequence[Table], rules: Rules, *, insiders: bool = False) -> Iterator[Found]:
    """Everything that is known too well, over all months."""
    truths = [truth_of(table) for table in tables]
    months = published(tables, rules)
    for at, (seen, withheld) in enumerate(months):
        later = _still_right(truths, months, at)
        yield from _in_month(tables[at], truths[at], seen, withheld, later)
        if insiders:
            yield from _by_insiders(tables[at], truths[at], seen, withheld)


def _still_right(
    truths: Sequence[dict[Key, Truth]], months: Sequence[tuple[Seen, Withheld]], at: int
) -> dict[Key, Truth]:
    """What later months show of cells that are withheld in this one and did not change."""
    hidden = [key for key, cell in months[at][0].cells.items() if cell is None]
    return {
        key: truths[at][key]
        for seen, _ in months[at + 1 :]
        for key in hidden
        if seen.cells.get(key) == truths[at][key]
    }


def _in_month(
    table: Table,
    truth: dict[Key, Truth],
    seen: Seen,
    withheld: Withheld,
    later: dict[Key, Truth],
    insider: Tally | None = None,
) -> Iterator[Found]:
    attack = Attack(seen, [insider] if insider else ())
    for key, cell in later.items():
        attack.fix(key, cell)
    for key in sorted(withheld.sensitive & attack.at.keys()):
        if insider is None or not _in(insider, key):
            yield from too_well_known(attack, key, truth[key], truth[CITY], RULES.interval_percent)


def _by_insiders(
    table: Table, truth: dict[Key, Truth], seen: Seen, withheld: Withheld
) -> Iterator[Found]:
    """Each small cell beside a sensitive one, as its largest enterprise reads it."""
    for key in sorted(withheld.protecting):
        within = [one for one in table if (one.county, one.industry) == key]
        if within and len(within) < 4:
            largest = max(within, key=lambda one: (one.equipment, one.uscc))
            yield from _in_month(table, truth, seen, withheld, {}, largest)


def _in(one: Tally, key: Key) -> bool:
    return key[0] in {one.county, TOTAL} and key[1] in {one.industry, TOTAL}


def three_months(seed: int) -> list[Table]:
    first = city(seed)
    second = next_month(seed + 1000, first)
    return [first, second, next_month(seed + 2000, second)]


@pytest.mark.parametrize("seed", range(5))
def test_nothing_that_is_withheld_is_found(seed: int) -> None:
    tables = three_months(seed)

    assert not list(attacked(tables, RULES, insiders=seed < 2))
    assert all(not one.all_parts for _, one in published(tables, RULES))


@pytest.mark.parametrize(
    ("seed", "enterprises", "industries"),
    [(77, 200, 4), (77, 200, 14), (16, 60, 8), (20, 60, 8), (5, 200, 20)],
)
def test_nor_in_cities_of_other_shapes(seed: int, enterprises: int, industries: int) -> None:
    table = city(seed, enterprises=enterprises, industries=industries)
    assert not list(attacked([table], RULES))


def test_a_dominant_enterprise_among_small_ones_is_hidden_by_its_county() -> None:
    table = city(3, enterprises=700, industries=60)
    roster = [one for at, one in enumerate(table) if at % 3]
    assert not withhold([roster, table], RULES).all_parts


def test_without_cells_that_protect_others_a_subtraction_finds_them() -> None:
    exact = [
        one
        for one in attacked([city(1)], without("secondary"))
        if one.interval.least == one.interval.most == one.truth
    ]

    assert {"equipment", "networked", "silent", "enterprises"} == {one.quantity for one in exact}


def test_without_a_stable_pattern_a_later_month_tells_of_an_earlier_one() -> None:
    before = [Tally(*one) for one in _SMALL if one[0] != "a1-more"]
    after = [Tally(*one) for one in _SMALL] + [
        Tally("a1-third", "A", "1", 9, 20),
        Tally("a1-fourth", "A", "1", 5, 20),
    ]
    months = [before, after]

    assert list(attacked(months, without("stable")))
    assert not list(attacked(months, RULES))


_SMALL = [
    ("a1", "A", "1", 0, 60),
    *((f"a2-{at}", "A", "2", at % 2, 1) for at in range(5)),
    *((f"b1-{at}", "B", "1", at % 2, 1) for at in range(6)),
    *((f"b2-{at}", "B", "2", at % 2, 1) for at in range(5)),
    *((f"{c}3-{at}", c, "3", 10, 20) for c in "AB" for at in range(10)),
    ("a1-more", "A", "1", 20, 22),
]
"""A1 has one large enterprise (with ``a1-more`` two) beside cells of small ones."""


def test_where_k_alone_is_protected_n_is_found() -> None:
    table = [Tally(*one) for one in _SMALL if one[0] != "a1-more"]

    found = list(attacked([table], without("joint")))

    assert "equipment" in {one.quantity for one in found if one.key == ("A", "1")}
    assert "networked" not in {one.quantity for one in found}
    assert not list(attacked([table], RULES))


def test_the_rate_of_a_withheld_cell_stays_open() -> None:
    table = city(3)
    ((seen, withheld),) = published([table], RULES)
    attack, truth = Attack(seen), truth_of(table)

    for key in sorted(withheld.sensitive & attack.at.keys())[:6]:
        one = truth[key]
        rate = one.networked / (one.networked + one.silent)
        least, most = rate_interval(attack, key)
        assert least <= rate + 1e-3 and most >= rate - 1e-3
        assert most - least > 0.05, key


def test_what_was_withheld_once_stays_withheld() -> None:
    months = published(three_months(4), RULES)

    for (_, earlier), (seen, _) in pairwise(months):
        hidden = earlier.sensitive | earlier.protecting
        assert all(seen.cells[key] is None for key in hidden & seen.cells.keys())
