"""The formula, on cases worked by hand and on invariants."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.city.ledger.codes import STATUSES
from gateway.city.rates.cells.cell import cell, percent
from gateway.city.rates.cells.dimensions import CITY, PARTITIONS, all_cells
from gateway.city.rates.cells.scores import score
from gateway.city.rates.cells.tally import Tally
from gateway.city.rates.compute import Counts, Enterprise, Period, is_asked_for, judge, tally
from gateway.city.rates.days.month import MachineMonth
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.model import Band, Continuity, Definition
from gateway.city.rates.reasons import EXCUSED, REASON_NAMES, UNDATED, Reason, out_of_service
from gateway.city.rates.reports.shown import edges_of, percent_text

PERIOD = Period("2026-10", date(2026, 10, 1), date(2026, 10, 31))
ENR_A = builtin_definitions()["ENR-A"]
ENR_B = builtin_definitions()["ENR-B"]
ONL = builtin_definitions()["ONL"]
PLANT = Enterprise("虚构企业", "330822", "3451", in_scope=True, verified=True)


def plants(*sizes: tuple[int, int]) -> list[Tally]:
    return [Tally(f"E{i}", "330822", "3451", k, n) for i, (n, k) in enumerate(sizes)]


def machine(**changes: object) -> MachineMonth:
    facts: dict[str, object] = {
        "equipment_class": "production",
        "status": "in_use",
        "commissioned_on": None,
        "service_days": 31,
        "silent_days": 0,
        "seen": True,
        "valid_days": 31,
        "last_valid": PERIOD.as_of,
    }
    return MachineMonth(**(facts | changes))  # type: ignore[arg-type]


def test_worked_case_pooled_and_mean_differ() -> None:
    result = cell(plants((200, 180), (40, 10), (20, 4), (12, 0), (8, 2)))
    assert (result.networked, result.equipment, result.enterprises) == (196, 280, 5)
    assert result.pooled == 70
    assert result.mean == 32


def test_nothing_to_divide_is_neither_0_nor_100() -> None:
    assert cell(plants((0, 0))) == cell([])
    assert cell([]).pooled is None
    assert cell([]).mean is None
    assert percent_text(cell([]).pooled) == "—"


def test_an_enterprise_without_machines_does_not_weigh_on_the_mean() -> None:
    assert cell(plants((10, 5), (0, 0))).mean == 50


@pytest.mark.parametrize(
    ("rate", "points"),
    [
        ("0", 0),
        ("10", 0),
        ("10.0000001", 1.5),
        ("20", 1.5),
        ("40", 3),
        ("60", 4.5),
        ("60.0000001", 6),
        ("100", 6),
    ],
)
def test_bands_are_right_closed(rate: str, points: float) -> None:
    assert score(ENR_B.bands, Fraction(rate)) == Fraction(str(points))


def test_band_edge_is_compared_exactly_not_as_shown() -> None:
    barely_above = Fraction(600_001, 10_000)
    assert percent_text(barely_above) == "60.01"
    assert score(ENR_B.bands, barely_above) == 6


@pytest.mark.parametrize(
    ("rate", "shown"),
    [
        (Fraction(0), "0.00"),
        (Fraction(100), "100.00"),
        (Fraction(200, 3), "66.67"),
        (Fraction(100, 3), "33.33"),
        (Fraction(1, 200), "0.01"),  # half goes up
        (Fraction(4_773_499, 100_000), "47.73"),
        (Fraction(4_773_500, 100_000), "47.74"),
        (Fraction(9_999_999, 100_000), "99.99"),
        (Fraction(59_996, 1_000), "59.99"),
        (Fraction(60_001, 1_000), "60.01"),
        (Fraction(1, 1_000), "0.01"),
    ],
)
def test_rounding_is_half_up_and_for_display_only(rate: Fraction, shown: str) -> None:
    assert percent_text(rate) == shown


@pytest.mark.parametrize(
    ("changes", "counted", "networked", "reason"),
    [
        ({}, True, True, Reason.NETWORKED),
        ({"equipment_class": "aux"}, False, False, Reason.CLASS_EXCLUDED),
        ({"status": "standby"}, True, True, Reason.NETWORKED),
        ({"status": "idle"}, False, False, Reason.IDLE),
        ({"status": None}, False, False, Reason.NOT_IN_SERVICE),
        ({"commissioned_on": date(2026, 10, 1)}, False, False, Reason.NEWLY_COMMISSIONED),
        ({"commissioned_on": date(2026, 9, 30)}, True, True, Reason.NETWORKED),
        (
            {"valid_days": 0, "seen": False, "last_valid": None},
            True,
            False,
            Reason.NO_EVIDENCE,
        ),
        (
            {"valid_days": 0, "seen": False, "last_valid": None, "doubtful": True},
            True,
            False,
            Reason.UNCERTAIN_ONLY,
        ),
        ({"valid_days": 0, "last_valid": None}, True, False, Reason.SENSOR_ONLY),
        ({"service_days": 30, "valid_days": 24}, True, True, Reason.NETWORKED),  # exactly 80 %
        ({"service_days": 31, "valid_days": 24}, True, False, Reason.TOO_FEW_DAYS),
        # 80 % of a month's days leave no room for a week of silence
        (
            {"valid_days": 25, "silent_days": 6, "last_valid": date(2026, 10, 25)},
            True,
            True,
            Reason.NETWORKED,
        ),
        # sealed on 20–29: nothing is missed in these days
        (
            {
                "service_days": 20,
                "valid_days": 19,
                "silent_days": 1,
                "last_valid": date(2026, 10, 19),
            },
            True,
            True,
            Reason.NETWORKED,
        ),
    ],
)
def test_enr_a_judges_a_machine(
    changes: dict[str, object], counted: bool, networked: bool, reason: Reason
) -> None:
    found = judge(ENR_A, PLANT, machine(**changes), PERIOD)
    assert (found.counted, found.networked, found) == (counted, networked, reason)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"in_scope": False}, Reason.OUT_OF_SCOPE), ({"verified": False}, Reason.LEDGER_UNVERIFIED)],
)
def test_an_enterprise_outside_takes_its_machines_out_of_both_sides(
    changes: dict[str, bool], reason: Reason
) -> None:
    found = judge(ENR_A, replace(PLANT, **changes), machine(), PERIOD)
    assert (found.counted, found.networked, found) == (False, False, reason)


@pytest.mark.parametrize(("silent", "reason"), [(7, Reason.NETWORKED), (8, Reason.SILENT_AT_END)])
def test_who_is_silent_for_more_than_a_week_of_service_is_not_networked(
    silent: int, reason: Reason
) -> None:
    half = ENR_A.model_copy(update={"continuity": Continuity(percent_of_days=50, within_days=7)})
    facts = machine(
        valid_days=31 - silent,
        silent_days=silent,
        last_valid=PERIOD.as_of - timedelta(days=silent),
    )
    assert judge(half, PLANT, facts, PERIOD) is reason


def test_enr_b_asks_neither_for_continuity_nor_for_a_verified_ledger() -> None:
    seldom = machine(valid_days=1, silent_days=29, last_valid=date(2026, 10, 2))
    assert judge(ENR_B, replace(PLANT, verified=False), seldom, PERIOD).networked


def test_onl_counts_answers_among_connected_machines() -> None:
    assert judge(ONL, PLANT, machine(answering=True), PERIOD) is Reason.ANSWERING
    assert judge(ONL, PLANT, machine(), PERIOD) is Reason.NOT_ANSWERING
    unseen = machine(seen=False, answering=True)
    assert judge(ONL, PLANT, unseen, PERIOD) is Reason.NEVER_CONNECTED


def test_every_reason_has_words() -> None:
    assert set(REASON_NAMES) == set(Reason)


Plants = dict[str, Enterprise]
Machines = list[tuple[str, MachineMonth]]


def tallies(definition: Definition, plants: Plants, machines: Machines) -> list[Tally]:
    """Every machine judged by itself."""
    counts = dict.fromkeys(plants, Counts())
    for uscc, one in machines:
        reason = judge(definition, plants[uscc], one, PERIOD)
        asked = is_asked_for(definition, one, PERIOD)
        own = Counts(
            reason.networked, reason.counted, reason in UNDATED, asked, 1, reason in EXCUSED
        )
        counts[uscc] = Counts._make(map(sum, zip(counts[uscc], own, strict=True)))
    return tally(plants, counts, needs_verified=definition.excludes_unverified)


@st.composite
def cities(draw: st.DrawFn) -> tuple[Plants, Machines]:
    plants = {
        f"E{i}": Enterprise(
            f"E{i}",
            draw(st.sampled_from(["330802", "330822"])),
            draw(st.sampled_from(["3451", "2032"])),
            draw(st.booleans()),
            draw(st.booleans()),
        )
        for i in range(draw(st.integers(1, 6)))
    }
    found = []
    for _ in range(draw(st.integers(0, 25))):
        service = draw(st.integers(0, 31))
        valid = draw(st.integers(0, service))
        silent = draw(st.integers(0, service - valid)) if valid else service
        gone_by = draw(st.integers(silent, 31 - valid)) if valid else 0
        facts = machine(
            equipment_class=draw(st.sampled_from(["production", "aux", "test"])),
            status=draw(st.sampled_from(["in_use", "standby", "idle", None])),
            service_days=service,
            seen=valid > 0 or draw(st.booleans()),
            valid_days=valid,
            silent_days=silent,
            last_valid=PERIOD.as_of - timedelta(days=gone_by) if valid else None,
            answering=draw(st.booleans()),
        )
        found.append((draw(st.sampled_from(sorted(plants))), facts))
    return plants, found


@given(cities(), st.sampled_from(["ENR-A", "ENR-B", "ONL"]))
def test_partitions_sum_to_the_total(city: tuple[Plants, Machines], definition_id: str) -> None:
    cells = all_cells(tallies(builtin_definitions()[definition_id], *city))
    total = cells[CITY][CITY]
    assert 0 <= total.networked <= total.equipment
    for by in PARTITIONS:
        parts = cells[by].values()
        assert sum(part.networked for part in parts) == total.networked
        assert sum(part.equipment for part in parts) == total.equipment
        assert sum(part.enterprises for part in parts) == total.enterprises
        for part in parts:
            assert (part.pooled is None) == (part.equipment == 0)
            assert part.pooled is None or 0 <= part.pooled <= 100
            assert part.pooled == percent(part.networked, part.equipment)


@given(cities())
def test_the_roster_changes_the_result_through_membership_only(
    city: tuple[Plants, Machines],
) -> None:
    plants, found = city
    inside = {uscc: one for uscc, one in plants.items() if one.in_scope}
    members = [(uscc, one) for uscc, one in found if uscc in inside]
    assert tallies(ENR_A, plants, found) == tallies(ENR_A, inside, members)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=30))
def test_mean_equals_the_plain_mean_of_fractions(sizes: list[tuple[int, int]]) -> None:
    tallies = plants(*((max(pair), min(pair)) for pair in sizes))
    rates = [Fraction(100 * one.networked, one.equipment) for one in tallies if one.equipment]
    expected = sum(rates, Fraction(0)) / len(rates) if rates else None
    assert cell(tallies).mean == expected


@given(st.fractions(min_value=0, max_value=100))
def test_shown_rate_is_within_half_a_unit_away_from_edges(rate: Fraction) -> None:
    error = Fraction(percent_text(rate)) - rate
    assert abs(error) < Fraction(1, 100)
    if all(abs(rate - edge) > Fraction(1, 200) for edge in edges_of()):
        assert -Fraction(1, 200) < error <= Fraction(1, 200)


BANDED = ENR_B.model_copy(
    update={
        "bands": (
            Band(above=Fraction(0), upto=Fraction("12.5"), score=Fraction(0)),
            Band(above=Fraction("12.5"), upto=Fraction(100), score=Fraction(1)),
        )
    }
)


def near(edge: Fraction) -> st.SearchStrategy[Fraction]:
    small = st.fractions(min_value=-1, max_value=1).map(lambda part: edge + part / 100)
    return small.filter(lambda rate: 0 <= rate <= 100)


@given(st.sampled_from(edges_of(BANDED)).flatmap(near), st.integers(1, 6))
def test_what_is_shown_lies_on_no_other_side_of_an_edge(rate: Fraction, decimals: int) -> None:
    """59.996 % was shown as 60.00 %, with 0.00 points to the target."""
    shown = Fraction(percent_text(rate, decimals, edges_of(BANDED)))
    for edge in edges_of(BANDED):
        if (edge * 10**decimals).denominator == 1:
            assert (shown > edge, shown < edge) == (rate > edge, rate < edge)


def test_each_status_out_of_service_is_a_reason_of_its_own() -> None:
    said = {status: REASON_NAMES[out_of_service(status)] for status in STATUSES}
    assert said["sealed"].zh == "期末状态为封存，不计入"
    assert said["sealed"].en == "not counted: sealed at the end of the period"
    assert len(set(said.values())) == len(STATUSES)
    assert not any(out_of_service(status).counted for status in (None, *STATUSES))
