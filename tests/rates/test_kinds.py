"""Machines of one kind get one verdict: no fact that a rule asks for may be lost on the way."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.city.rates.attendance import Attendance, Window
from gateway.city.rates.columns.ledger import Ledger, Names
from gateway.city.rates.columns.numbers import first_of_each
from gateway.city.rates.facts import MachineMonths

FIRST = date(2026, 11, 1)
CLASSES, STATUSES = ("production", "aux", "test"), ("in_use", "idle", "sealed")


class Facts(NamedTuple):
    """All that a rule asks of a machine; the codes of names begin with 1."""

    firm: int
    kind: int
    status: int
    is_new: bool
    service: int
    silent: int
    seen: bool
    valid: int
    doubtful: bool
    answering: bool
    is_twin: bool
    start_unknown: bool
    undated: int
    unproven: bool
    end_undated: bool
    digital: bool
    key: bool


days = st.integers(0, 31)
facts = st.builds(
    Facts,
    st.integers(1, 4), st.integers(1, len(CLASSES)), st.integers(0, len(STATUSES)), st.booleans(),
    days, days, st.booleans(), days, st.booleans(), st.booleans(), st.booleans(),
    st.booleans(), days, st.booleans(), st.booleans(), st.booleans(), st.booleans(),
)  # fmt: skip


def names(texts: Sequence[str]) -> Names:
    made = Names()
    for text in texts:
        made.code(text)
    return made


def months_of(machines: Sequence[Facts]) -> MachineMonths:
    count = len(machines)
    (
        firms, classes, statuses, new, service, silent, seen, valid, doubtful, answering, twins,
        start_unknown, undated, unproven, end_undated, digital, key,
    ) = (np.array(column) for column in zip(*machines, strict=True))  # fmt: skip
    attendance = Attendance(count, Window(FIRST, FIRST, today_runs=False))
    attendance.status = statuses.astype(np.uint8)
    attendance.service, attendance.silent = service.astype(np.int16), silent.astype(np.int16)
    attendance.seen, attendance.valid = seen, valid.astype(np.int16)
    attendance.doubtful, attendance.unproven = doubtful, unproven
    attendance.end_undated = end_undated
    attendance.undated = undated.astype(np.int16)
    ledger = Ledger(
        np.arange(count),
        firms,
        classes,
        np.where(new, FIRST.toordinal(), FIRST.toordinal() - 1),
        np.zeros(count, np.bool_),
        digital,
        key,
        (),
        class_names=names(CLASSES),
        status_names=names(STATUSES),
    )
    return MachineMonths(
        ledger, attendance, answering, start_unknown, dict.fromkeys(np.flatnonzero(twins), "A")
    )


def one_fact_changed(machine: Facts) -> list[Facts]:
    """The machine, and for each fact one that differs by nothing else."""
    changed = {
        name: not value if isinstance(value, bool) else value % 3 + 1
        for name, value in machine._asdict().items()
    }
    return [machine, *(machine._replace(**{name: value}) for name, value in changed.items())]


@given(st.one_of(facts.map(one_fact_changed), st.lists(facts, min_size=1)))
def test_machines_are_of_one_kind_if_every_fact_is_the_same(machines: list[Facts]) -> None:
    firms = np.array([one.firm for one in machines])
    shown, kinds = months_of(machines).kinds(FIRST, firms)
    assert [machines[place] for place in shown[kinds]] == machines
    assert len(shown) == len(set(machines))


@given(st.lists(st.integers(0, 9) | st.sampled_from([(1 << 24) - 1, 1 << 24, 1 << 40])))
def test_numbers_are_told_from_each_other_as_by_sorting(numbers: list[int]) -> None:
    keys = np.array(numbers, np.int64)
    _, *expected = np.unique(keys, return_index=True, return_inverse=True)
    for found, wanted in zip(first_of_each(keys), expected, strict=True):
        assert found.tolist() == wanted.tolist()
