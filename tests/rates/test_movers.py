"""Parts of a change add up to it, and machines are told by the sides that they left."""

from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from gateway.city.rates.cells.dimensions import PARTITIONS, all_cells
from gateway.city.rates.cells.tally import Tally
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.publishing.publish import WHOLE, publish
from gateway.city.rates.reasons import Reason
from gateway.city.rates.reports.drilldown import MachineVerdict
from gateway.city.rates.reports.movers import change, moved_machines, movers
from gateway.city.rates.reports.table import PublishedMonth, RateMonth

ENTERPRISES = ("A", "B", "C", "D")


@st.composite
def months(draw: st.DrawFn) -> PublishedMonth:
    """A month in which enterprises come, go, grow and move."""
    tallies = []
    for uscc in draw(st.sets(st.sampled_from(ENTERPRISES))):
        county = draw(st.sampled_from(("330802", "330822")))
        equipment = draw(st.integers(0, 9))
        networked = draw(st.integers(0, equipment))
        tallies.append(Tally(uscc, county, "3451", networked, equipment))
    return month_of(tallies)


def month_of(tallies: list[Tally]) -> PublishedMonth:
    record = builtin_definitions()["ENR-A"]
    cells = all_cells(tallies)
    return publish(RateMonth(record, record.hash, "2025-08", "P", 0, 0, False, cells, {}), WHOLE)


@given(months(), months())
def test_parts_add_up_to_the_change(before: PublishedMonth, now: PublishedMonth) -> None:
    whole = change(before.city, now.city)
    for by in PARTITIONS:
        found = movers(before, now, by)
        if whole is None:
            assert found == []
        else:
            assert sum((one.points for one in found), Fraction(0)) == whole
            sizes = [abs(one.points) for one in found]
            assert sizes == sorted(sizes, reverse=True)


def test_who_comes_with_the_old_rate_moves_nothing() -> None:
    one = Tally("A", "330802", "3451", 4, 8)
    before = month_of([one])
    now = month_of([one, Tally("B", "330822", "3451", 1, 2)])
    assert [mover.points for mover in movers(before, now, "enterprise")] == [0, 0]
    now = month_of([one, Tally("B", "330822", "3451", 2, 2)])
    first = movers(before, now, "enterprise")[0]
    assert (first.key, first.points, first.own) == ("B", Fraction(10), None)


def verdict(machine: int, reason: Reason) -> MachineVerdict:
    return MachineVerdict(machine, "A", "1", str(machine), "", "production", "in_use", reason,
                          service_days=30, valid_days=0, last_valid=None,
                          window_days=30, undated_days=0)  # fmt: skip


def test_machines_are_told_by_what_became_of_them() -> None:
    yes, silent, out = Reason.NETWORKED, Reason.NO_EVIDENCE, Reason.NOT_IN_SERVICE
    before = [verdict(at, was) for at, was in enumerate((yes, yes, silent, silent, out))]
    now = [verdict(at, is_now) for at, is_now in enumerate((yes, silent, yes, out, silent))]
    now.append(verdict(5, yes))
    found = [(one.kind, one.machine.equipment_id) for one in moved_machines(before, now)]
    assert found == [("lost", 1), ("left", 3), ("gained", 2), ("gained", 5), ("entered", 4)]
    renamed = [replace(one, asset_no="new") for one in before]
    assert moved_machines(before, renamed) == []
