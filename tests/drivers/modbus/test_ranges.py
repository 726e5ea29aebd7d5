"""What a device says of ranges: nothing forbidden is read, blocks whole, by fewest requests."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from edge_config.models.gateway import DeviceConfig
from edge_config.models.validation import validated
from gateway.core.schema import Kind
from gateway.drivers.api import Point
from gateway.drivers.kit.conformance import values_of
from gateway.drivers.modbus.address import Address
from gateway.drivers.modbus.codec import Table
from gateway.drivers.modbus.config import Connection
from gateway.drivers.modbus.notations.ranges import Range, ranges_of
from gateway.drivers.modbus.plan import answer_sizes, layout
from gateway.drivers.modbus.reach.contradictions import misfits, strays
from gateway.drivers.modbus.types.names import DataType
from tests.drivers.modbus.support import PaperDevice, connection, plan_of, points
from tests.drivers.modbus.test_demand import warnings, written

Span = tuple[int, int]
TYPES = {1: DataType.UINT16, 2: DataType.UINT32, 4: DataType.UINT64}


def ranges(most: int) -> st.SearchStrategy[tuple[str, ...]]:
    one = st.tuples(st.integers(0, 20), st.integers(1, 4)).map(
        lambda at: f"holding:{at[0]}-{at[0] + at[1] - 1}"
    )
    return st.lists(one, max_size=most).map(tuple)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Connection, list[Point]]:
    """A connection that qulink check accepts, and tags that it accepts with it."""
    is_alone = draw(st.booleans())
    rules = connection(
        max_gap=draw(st.integers(0, 6)),
        max_registers=draw(st.integers(8, 20)),
        forbidden=draw(ranges(2)),
        whole_blocks=() if is_alone else draw(ranges(2)),
        one_request_per_tag=is_alone,
    )
    if list(misfits(rules, DEVICE)):
        rules = connection(max_gap=rules.max_gap, max_registers=rules.max_registers)
    spans = draw(
        st.lists(
            st.tuples(st.integers(0, 20), st.sampled_from(list(TYPES))), min_size=1, max_size=7
        )
    )
    wanted = [
        Address(table=Table.HOLDING, address=start, type=TYPES[size]) for start, size in spans
    ]
    wholes = ranges_of(rules.whole_blocks)
    kept = [
        one
        for one in wanted
        if not strays(rules, one)
        and not any(one.address < w.first and w.stop <= one.stop for w in wholes)
        and not any(one.address == w.first and w.stop < one.stop for w in wholes)
    ]
    return rules, [Point(f"t{i}", Kind.UINT64, address) for i, address in enumerate(kept)]


DEVICE = validated(
    DeviceConfig,
    {"id": "d", "driver": "modbus", "profile": "p", "asset_no": "A", "connection": {}},
)


def request_for(group: Sequence[Span], rules: Connection) -> Span | None:
    """The one request for these, by the words of the documentation; None: there is none."""
    start, stop = min(span[0] for span in group), max(span[1] for span in group)
    whole = next(
        (w for w in ranges_of(rules.whole_blocks) if any(w.first <= s < w.stop for s, _ in group)),
        0,
    )
    if isinstance(whole, Range):
        is_inside = all(whole.first <= s and e <= whole.stop for s, e in group)
        return (whole.first, whole.stop) if is_inside else None
    used = {place for s, e in group for place in range(s, e)}
    hole = longest = 0
    for place in range(start, stop):
        hole = 0 if place in used else hole + 1
        longest = max(longest, hole)
    is_own = (start, stop) in group
    is_crossing = any(
        start < f.stop and f.first < stop
        for f in ranges_of((*rules.forbidden, *rules.whole_blocks))
    )
    is_joined = stop - start <= rules.max_registers and longest <= rules.max_gap
    is_right = is_joined and not is_crossing and (is_own or not rules.one_request_per_tag)
    return (start, stop) if is_right else None


def fewest(spans: Sequence[Span], rules: Connection) -> int:
    """The least number of requests, by trying all ways to divide the points."""
    n = len(spans)

    @lru_cache
    def best(left: int) -> int:
        if not left:
            return 0
        lowest = left & -left
        rest, found = left ^ lowest, n
        part = rest
        while True:
            group = [spans[i] for i in range(n) if (part | lowest) >> i & 1]
            if request_for(group, rules) is not None:
                found = min(found, 1 + best(rest ^ part))
            if not part:
                return found
            part = (part - 1) & rest

    return best((1 << n) - 1)


def test_nothing_is_read_across_what_is_forbidden() -> None:
    wanted = points("holding:0", "holding:4")
    assert len(layout(wanted, connection()).blocks) == 1
    assert len(layout(wanted, connection(forbidden=("holding:2",))).blocks) == 2


@settings(max_examples=200)
@given(cases())
def test_every_tag_once_nothing_forbidden_fewest_requests(
    case: tuple[Connection, list[Point]],
) -> None:
    rules, wanted = case
    blocks = layout(wanted, rules).blocks
    assert sorted(i for block in blocks for i in block.members) == list(range(len(wanted)))
    for block in blocks:
        group = [(wanted[i].address.address, wanted[i].address.stop) for i in block.members]
        asked = block.key.start, block.key.start + block.key.length
        assert request_for(group, rules) == asked
    spans = [(point.address.address, point.address.stop) for point in wanted]
    assert len(blocks) == fewest(spans, rules)
    assert sum(answer_sizes([p.address for p in wanted], rules)) == sum(b.size for b in blocks)


@given(cases(), st.binary(min_size=100, max_size=100))
def test_values_are_right_whatever_is_read_with_them(
    case: tuple[Connection, list[Point]], image: bytes
) -> None:
    rules, wanted = case
    device = PaperDevice(image * 2)
    steps = plan_of(wanted, **options(rules)).poll()
    try:
        requests = next(steps)
        while True:
            requests = steps.send([device.answer(request) for request in requests])
    except StopIteration as done:
        reading = done.value
    expected = [
        int.from_bytes((image * 2)[2 * p.address.address : 2 * p.address.stop], "big")
        for p in wanted
    ]
    assert values_of(wanted, reading) == expected


def options(rules: Connection) -> dict[str, Any]:
    names = ("max_gap", "max_registers", "forbidden", "whole_blocks", "one_request_per_tag")
    return {name: getattr(rules, name) for name in names}


@pytest.mark.parametrize("only", [3, 4])
def test_one_function_reads_all_registers(only: int) -> None:
    wanted = points("holding:0", "input:100", "coil:3")
    asked = [request.pdu[0] for request in layout(wanted, connection(read_function=only)).requests]
    assert sorted(asked) == [1, only, only]


@pytest.mark.parametrize(
    ("options", "tag", "said"),
    [
        ({"forbidden": ["holding:0-9"]}, "t0", "holding:0-9, which 'forbidden' says is never read"),
        ({"whole_blocks": ["holding:1000-1125"]}, "", "is longer than a request may be (max_regis"),
        (
            {"whole_blocks": ["holding:9-20"], "forbidden": ["holding:20"]},
            "",
            "holding:9-20 is to be read whole, and 'forbidden' forbids a part of it",
        ),
        ({"whole_blocks": ["holding:9-20", "holding:15-30"]}, "", "holding:15-30 overlaps another"),
        (
            {"whole_blocks": ["holding:9-20"], "one_request_per_tag": True},
            "",
            "true contradicts 'whole_blocks'",
        ),
    ],
)
def test_contradictions_are_refused_with_their_line(
    tmp_path: Path, options: dict[str, Any], tag: str, said: str
) -> None:
    with pytest.raises(Exception) as raised:
        warnings(written(tmp_path, 1, 1_000, 2, **options))
    (problem,) = [str(one) for one in raised.value.problems]  # type: ignore[attr-defined]
    assert said in problem
    assert "gateway.yaml:" in problem
    assert tag in problem


@pytest.mark.parametrize("text", ["100-199", "holding", "holding:9-3", "holding:0-65536", "x:1-2"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        validated(Connection, {"host": "plc", "forbidden": [text]})
