"""Few devices are read together, many are spread, and those of one link are kept apart."""

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.slots import FILL, MOST_SLOTS, SLOTS, WIDTH_MS, Slots, slot_phases

SECOND = 1_000


def placed(slots: Slots, count: int, link: str | None = None) -> Counter[int]:
    """How many of so many devices at one second come into each phase."""
    return Counter(
        slots.place(f"{link}-d{at}", link or f"own {at}", [SECOND])[SECOND] for at in range(count)
    )


@given(st.integers(1, 3_600_000))
def test_slots_lie_evenly_in_the_interval_and_are_never_wide(interval: int) -> None:
    phases = slot_phases(interval)
    assert phases[0] == 0
    assert phases[-1] < interval
    widths = {after - before for before, after in pairwise(phases)}
    assert len(widths) <= 1
    assert len(phases) <= 2 * MOST_SLOTS
    assert len(phases) >= min(SLOTS, interval)
    if interval >= SLOTS * WIDTH_MS:
        assert widths
        assert all(width % WIDTH_MS == 0 for width in widths)


def test_a_few_devices_wake_the_gateway_together_and_many_are_spread() -> None:
    assert len(placed(Slots("gw"), FILL)) == 1
    assert len(placed(Slots("gw"), FILL + 1)) == 2
    many = placed(Slots("gw"), 1_000)
    assert len(many) == SLOTS
    assert set(many.values()) == {100}


def test_devices_of_one_link_keep_apart() -> None:
    slots = Slots("gw")
    assert set(placed(slots, SLOTS, "line").values()) == {1}
    assert set(placed(slots, 2 * SLOTS, "other line").values()) == {2}


def test_phases_are_the_same_after_a_restart_and_differ_between_gateways() -> None:
    assert placed(Slots("gw"), 50) == placed(Slots("gw"), 50)
    assert len({min(placed(Slots(f"gw-{at}"), 1)) for at in range(50)}) > SLOTS // 2


def test_groups_of_a_device_with_one_interval_are_read_in_one_wake_up() -> None:
    phases = Slots("gw").place("d", "l", [SECOND, 60_000, SECOND])
    assert set(phases) == {SECOND, 60_000}


def test_a_device_that_is_placed_again_or_taken_out_makes_room() -> None:
    slots = Slots("gw")
    first = {slots.place(f"d{at}", at, [SECOND])[SECOND] for at in range(FILL)}
    assert {slots.place("d0", 0, [SECOND])[SECOND]} == first
    slots.remove("d5")
    assert {slots.place("new", "own", [SECOND])[SECOND]} == first
