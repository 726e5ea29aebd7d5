"""Day maps: their bytes and digests, and what two of them differ in."""

import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.city.rates.daymaps.maps import (
    BEGINNING,
    KINDS,
    ROW,
    bodies,
    differences,
    link,
    machines_in,
    root,
)

USCC, OTHER = "91330822MA0000015W", "91330881MA00000236"

days = st.integers(0, 2**31 - 1)
months = st.dictionaries(
    st.integers(1, 2**62), st.tuples(st.sampled_from((1, 2)), days, days, days, days), max_size=8
)


def mapped(machines: dict[int, tuple[int, int, int, int, int]]) -> dict[str, bytes]:
    """The maps of machines; the first number of each is the code of its enterprise."""
    rows = np.zeros(len(machines), ROW)
    for place, (machine, (_, *came)) in enumerate(machines.items()):
        rows[place] = (machine, *came)
    firms = np.array([firm for firm, *_ in machines.values()], np.int64)
    return bodies(firms, {1: USCC, 2: OTHER}, rows)


@given(months)
def test_a_map_has_the_machines_of_its_enterprise_in_order_and_none_without_a_day(
    machines: dict[int, tuple[int, int, int, int, int]],
) -> None:
    found = mapped(machines)
    for code, uscc in ((1, USCC), (2, OTHER)):
        expected = sorted(
            (machine, *came)
            for machine, (firm, *came) in machines.items()
            if firm == code and any(came)
        )
        assert np.frombuffer(found.get(uscc, b""), ROW).tolist() == expected
        assert machines_in(found.get(uscc, b"")) == len(expected)


@given(months, months)
def test_differences_are_days_that_came_and_days_that_went(
    old: dict[int, tuple[int, int, int, int, int]], new: dict[int, tuple[int, int, int, int, int]]
) -> None:
    before, after = (b"".join(mapped(one).values()) for one in (old, new))
    found = {one.machine: one for one in differences(before, after)}
    for machine in old.keys() | new.keys():
        had, has = (one.get(machine, (1, 0, 0, 0, 0))[1:] for one in (old, new))
        gained = {
            day for kind in range(4) for day in range(31) if has[kind] & ~had[kind] & 1 << day
        }
        lost = {day for kind in range(4) for day in range(31) if had[kind] & ~has[kind] & 1 << day}
        told = found.get(machine)
        assert ((told.gained, told.lost) if told else (0, 0)) == tuple(
            sum(1 << day for day in kind) for kind in (gained, lost)
        )


def test_the_bytes_and_the_digest_of_a_map_are_these() -> None:
    assert KINDS == ("controller", "sensor", "controller_uncertain", "sensor_uncertain")
    body = mapped({7: (1, 0b101, 0, 0, 1 << 30)})[USCC]
    assert body.hex() == "070000000000000005000000000000000000000000000040"
    made = link("2026-10", USCC, body, BEGINNING)
    text = f"qulink day map 1\n2026-10\n{USCC}\n{'0' * 64}\n".encode()
    assert made.digest == hashlib.sha256(text + body).hexdigest()
    assert (
        root({OTHER: "b", USCC: "a"})
        == hashlib.sha256(f"{USCC} a\n{OTHER} b\n".encode()).hexdigest()
    )
