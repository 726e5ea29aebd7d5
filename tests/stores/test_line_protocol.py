"""Line protocol: form, escapes, shortest numbers, what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.city.stores.api import Rows, Series
from gateway.city.stores.line_protocol import encode, numbers, series_key
from gateway.city.stores.marks import Doubts
from tests.stores.cases import T0, rows, series
from tests.support.influx2_contract import _parse

KEY = b"grinder,device=line-1,enterprise=913308001000000013,equipment=B-001,gateway=gw-1,site=1"


def test_one_line_holds_all_kinds() -> None:
    table = rows(
        [T0],
        speed=("f4", [0.1]),
        power=("f8", [1e300]),
        pieces=("i8", [2**53 + 1]),
        total=("u8", [7]),
        running=("?", [True]),
        program=("O", ['O"1\\2']),
    )
    lines, rejections = encode(table, Doubts())
    assert rejections == []
    assert [line.body for line in lines] == [
        KEY + b" speed=0.1,power=1e+300,pieces=9007199254740993i,total=7i,running=t,"
        b'program="O\\"1\\\\2" ' + str(T0).encode()
    ]
    assert lines[0].values == 6


def test_holes_and_empty_lines_are_left_out() -> None:
    table = rows(
        [T0, T0 + 1, T0 + 2],
        present=[[True, False], [False, False], [True, True]],
        a=("i8", [1, 2, 3]),
        b=("f8", [1.0, 2.0, 3.0]),
    )
    lines, _ = encode(table, Doubts())
    assert [line.body.split(b" ", 1)[1] for line in lines] == [
        b"a=1i %d" % T0,
        b"a=3i,b=3.0 %d" % (T0 + 2),
    ]


def test_tags_are_escaped_and_never_empty() -> None:
    odd = Series("a b,c", "e=1", "", "g w", "d,1", "x")
    assert series_key(odd) == rb"a\ b\,c,device=d\,1,enterprise=e\=1,equipment=x,gateway=g\ w"


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("f8", float("nan"), "not a finite number"),
        ("f4", float("inf"), "not a finite number"),
        ("u8", 2**63, "above 9223372036854775807"),
        ("O", "x" * 65_537, "string above 64 KiB or not valid Unicode"),
        ("O", "\ud800", "string above 64 KiB or not valid Unicode"),
    ],
)
def test_what_no_database_takes_is_refused_and_the_rest_is_written(
    kind: str, value: object, reason: str
) -> None:
    lines, rejections = encode(
        rows([T0, T0 + 1], good=("i8", [1, 2]), bad=(kind, [value, value])), Doubts()
    )
    assert [line.body.split(b" ")[1] for line in lines] == [b"good=1i", b"good=2i"]
    assert [(r.time_ms, r.values, r.reason, r.line) for r in rejections] == [
        (T0, 1, reason, "bad"),
        (T0 + 1, 1, reason, "bad"),
    ]


def test_a_time_that_no_database_keeps_is_refused() -> None:
    lines, rejections = encode(rows([2**62], a=("i8", [1])), Doubts())
    assert lines == []
    assert rejections[0].reason == "time is outside the years 1677 to 2262"


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=8),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8),
    st.lists(st.text(max_size=40), min_size=1, max_size=4),
    st.data(),
)
def test_what_is_written_reads_back_equal(
    singles: list[float], doubles: list[float], strings: list[str], data: st.DataObject
) -> None:
    names = tuple(f"f{i}" for i in range(len(singles) + len(doubles) + len(strings)))
    present = np.array([[data.draw(st.booleans()) for _ in names]])
    texts = np.empty((1, len(strings)), dtype=object)
    texts[0, :] = strings
    table = Rows(
        series(),
        names,
        np.array([T0]),
        (np.array([singles], "<f4"), np.array([doubles], "<f8"), texts),
        present,
    )
    lines, _ = encode(table, Doubts())
    if not present.any():
        assert lines == []
        return
    _, fields, time = _parse(lines[0].body.decode())
    values = [*np.array(singles, "f4"), *doubles, *strings]
    expected = {n: v for n, v, p in zip(names, values, present[0], strict=True) if p}
    assert time == T0
    assert fields.keys() == expected.keys()
    for name, value in expected.items():
        read = np.float32(fields[name]) if isinstance(value, np.float32) else fields[name]
        assert read == value


def test_a_float32_leaves_by_its_own_shortest_text() -> None:
    values = np.array([233.1, 0.1, -40.0, 3.4028235e38, 1e-45], np.float32)
    assert numbers(values).split(b",")[:3] == [b"233.1", b"0.1", b"-40.0"]
    read = np.array(numbers(values).split(b","), np.float64)
    assert (read.astype(np.float32) == values).all()
