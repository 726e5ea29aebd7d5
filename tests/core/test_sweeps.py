"""Deliveries in the shape of a poll: the short way through the rules, against the one for all."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.arrival.processor import GroupProcessor
from gateway.core.batch import Changes, Times
from gateway.core.outcome import Outcome
from gateway.core.rules import TagRule, compile_rules, order_of
from gateway.core.schema import Equipment, Kind, Schema, Tag
from gateway.core.status import GOOD, Reason, bad, uncertain

T0 = 1_800_000_000_000
RULES = [
    TagRule(Kind.FLOAT64, minimum=-2.0, deadband=0.5),
    TagRule(Kind.FLOAT64, max_silence_ms=3),
    TagRule(Kind.INT64, scale=0.5, no_value=(-1, 2)),
    TagRule(Kind.STRING),
]
COUNT = len(RULES)
SEVERAL = (Equipment("u", "1", "a"), Equipment("u", "1", "b"))


class OneByOne(GroupProcessor):
    """Sees no delivery in the shape of a poll."""

    def _is_sweep(self, *_: Any) -> bool:
        return False


def make(kind: type[GroupProcessor]) -> GroupProcessor:
    ordered = [RULES[at] for at in order_of(RULES)]
    assert ordered == RULES
    tags = tuple(Tag(f"t{at}", rule.kind, equipment=at % 2) for at, rule in enumerate(RULES))
    schema = Schema("d", "g", "p", "sensor", True, SEVERAL, tags, 1000)
    return kind(schema, compile_rules(RULES), 0)


def shown(outcome: Outcome) -> list[Any]:
    """Everything in an outcome, as plain lists."""
    record = outcome.record
    assert record is None or isinstance(record, Changes)
    sent = record and [
        record.index.tolist(),
        record.time_ms.tolist(),
        [column.tolist() for column in record.columns],
        None if record.status is None else record.status.tolist(),
    ]
    good = outcome.status < bad(Reason.NONE)
    values = [value for column in outcome.columns for value in column.tolist()]
    known = [value for value, is_good in zip(values, good, strict=True) if is_good]
    machines = sorted((str(one), day, str(counts)) for one, day, counts in outcome.machines)
    times = np.asarray(outcome.times).tolist()
    return [sent, outcome.counts, outcome.status.tolist(), known, times, machines]


CODES = st.sampled_from([GOOD, GOOD, GOOD, uncertain(Reason.LAST_USABLE), bad(Reason.SOURCE)])
DELIVERY = st.tuples(
    st.booleans(),
    st.lists(st.integers(-3, 3), min_size=COUNT, max_size=COUNT),
    st.lists(CODES, min_size=COUNT, max_size=COUNT),
    st.lists(st.integers(-2, 2), min_size=COUNT, max_size=COUNT),
)


@given(st.lists(DELIVERY, max_size=8))
def test_a_sweep_is_processed_as_its_values_one_by_one(deliveries: list[Any]) -> None:
    quick, slow = make(GroupProcessor), make(OneByOne)
    for at, (is_whole, values, codes, delays) in enumerate(deliveries):
        tags = np.arange(COUNT if is_whole else 2, dtype=np.uint32)
        now_ms = T0 + 4 * at
        times = np.array([now_ms + delay for delay in delays], np.int64)
        raw = (
            np.array(values[:2], np.float64),
            np.array(values[2:3], np.int64),
            np.array([f"{values[3]}"], dtype=object),
        )
        arguments = (times[: len(tags)], raw[: 3 if is_whole else 1])
        given_status = np.array(codes[: len(tags)], np.uint8)
        outcomes = [
            one.process_arrivals(tags, *arguments, given_status.copy(), now_ms)
            for one in (quick, slow)
        ]
        assert shown(outcomes[0]) == shown(outcomes[1])


def deliver(processor: GroupProcessor, times: Times) -> Outcome:
    raw = (np.ones(2), np.array([3]), np.array(["x"], dtype=object))
    tags = np.arange(COUNT, dtype=np.uint32)
    return processor.process_arrivals(tags, times, raw, np.zeros(COUNT, np.uint8), T0)


def test_a_later_delivery_leaves_an_earlier_outcome_as_it_was() -> None:
    processor = make(GroupProcessor)
    first = deliver(processor, np.full(COUNT, T0 - 2))
    before = shown(first)
    deliver(processor, np.full(COUNT, T0 - 1))
    deliver(processor, np.array([T0, T0 - 1, T0, T0]))  # not in the shape of a poll
    assert shown(first) == before
