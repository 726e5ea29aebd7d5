"""Values → columns: what fits, what does not, status, times, order."""

import struct
from datetime import UTC, datetime

import numpy as np
import pytest
from asyncua import ua
from asyncua.ua.status_codes import code_to_name_doc
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.schema import Kind, runs_of
from gateway.core.status import (
    FIRST_BAD,
    GOOD,
    Quality,
    Reason,
    bad,
    is_replay,
    quality_of,
    reason_of,
    status,
    uncertain,
)
from gateway.drivers.opcua.config import KINDS, Address
from gateway.drivers.opcua.encoding import convert
from gateway.drivers.opcua.encoding.binary import Cursor
from gateway.drivers.opcua.encoding.convert import (
    TYPES,
    arrivals_of,
    reading_of,
    times_ms,
)
from gateway.drivers.opcua.encoding.quality import OVERFLOWN, mark_frozen, status_of, statuses
from gateway.drivers.opcua.encoding.texts import TEXTS
from gateway.drivers.opcua.encoding.values import Values, decode_values, empty_values

DOUBLE, FLOAT, INT16, INT32, BOOLEAN, STRING = 11, 10, 4, 6, 1, 12
DATE_TIME, LOCALIZED_TEXT = 13, 21
EPOCH = 116_444_736_000_000_000


def shape_of(types: list[str]) -> convert.Shape:
    return convert.shape_of([Address(node="i=1", type=one) for one in types], {})


def values_of(*given: tuple[int, object]) -> Values:
    """Values from (variant, value)."""
    values = empty_values(len(given))
    for place, (variant, value) in enumerate(given):
        values.variant[place] = variant
        if isinstance(value, str):
            values.texts[place] = value
        elif variant in (FLOAT, DOUBLE):
            layout = "<f" if variant == FLOAT else "<d"
            values.bits[place] = int.from_bytes(struct.pack(layout, value), "little")
        else:
            assert isinstance(value, int)
            values.bits[place] = value & (2**64 - 1)
    return values


def test_columns_come_one_a_run_of_kinds() -> None:
    shape = shape_of(["float64", "float64", "float32", "int16", "uint32", "bool", "string"])
    reading = reading_of(
        values_of(
            (DOUBLE, 1.25), (INT32, -7), (FLOAT, 0.1), (INT16, -5), (7, 9), (BOOLEAN, 1), (12, "衢")
        ),
        shape,
    )
    assert reading.status.tolist() == [GOOD] * 7
    assert [column.dtype.kind for column in reading.columns] == ["f", "f", "i", "u", "b", "O"]
    assert reading.columns[1].dtype == np.float32
    flat = [value for column in reading.columns for value in column.tolist()]
    assert flat == [1.25, -7.0, float(np.float32(0.1)), -5, 9, True, "衢"]


NUMERIC = {2: (-(2**7), 2**7 - 1), 3: (0, 2**8 - 1), 4: (-(2**15), 2**15 - 1), 5: (0, 2**16 - 1)}
NUMERIC |= {6: (-(2**31), 2**31 - 1), 7: (0, 2**32 - 1), 8: (-(2**63), 2**63 - 1)}
NUMERIC |= {9: (0, 2**64 - 1)}


@given(st.data())
def test_a_number_comes_through_unchanged_or_not_at_all(data: st.DataObject) -> None:
    variant = data.draw(st.sampled_from(sorted(NUMERIC)))
    number = data.draw(st.integers(*NUMERIC[variant]))
    type_name = data.draw(st.sampled_from([t for t in KINDS if t != "datetime"]))
    reading = reading_of(values_of((variant, number)), shape_of([type_name]))
    if reading.status[0] == GOOD:
        assert reading.columns[0].tolist() == [number]
        assert runs_of([KINDS[type_name]])[0].kind.dtype == reading.columns[0].dtype
    else:
        assert reading.status[0] == bad(Reason.TYPE)


@pytest.mark.parametrize(
    ("type_name", "variants"),
    [
        ("float64", {2, 3, 4, 5, 6, 7, 10, 11}),
        ("float32", {2, 3, 4, 5, 10}),
        ("int64", {2, 3, 4, 5, 6, 7, 8}),
        ("int16", {2, 3, 4}),
        ("uint64", {3, 5, 7, 9, 19}),
        ("uint8", {3}),
        ("bool", {1}),
        ("string", {12, 14, 15, 16, 17, 18, 20, 21}),
        ("datetime", {13}),
    ],
)
def test_what_fits_into_a_type(type_name: str, variants: set[int]) -> None:
    for variant in range(1, 26):
        given_value: object = "x" if variant in TEXTS else 1.0 if variant in (10, 11) else 1
        reading = reading_of(values_of((variant, given_value)), shape_of([type_name]))
        expected = GOOD if variant in variants else bad(Reason.TYPE)
        assert reading.status[0] == expected, variant
        array = reading_of(values_of((variant | 0x80, 0)), shape_of([type_name]))
        assert array.status[0] == bad(Reason.TYPE)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(
    ("type_name", "variant"), [("float64", 11), ("float64", 10), ("float32", 10)]
)
def test_what_is_no_number_is_bad(number: float, type_name: str, variant: int) -> None:
    values = values_of((variant, number), (variant, 1.0))
    reading = reading_of(values, shape_of([type_name] * 2))
    assert reading.status.tolist() == [bad(Reason.NOT_A_NUMBER), GOOD]


def test_good_without_value_is_bad() -> None:
    assert reading_of(values_of((0, 0)), shape_of(["float64"])).status[0] == bad(Reason.SOURCE)


@pytest.mark.parametrize(
    ("ticks", "milliseconds"),
    [(EPOCH + 12_345 * 10_000, 12_345), (EPOCH - 1, -1), (0, -11_644_473_600_000)],
)
def test_a_datetime_is_milliseconds(ticks: int, milliseconds: int) -> None:
    reading = reading_of(values_of((13, ticks)), shape_of(["datetime"]))
    assert reading.columns[0].tolist() == [milliseconds]


@pytest.mark.parametrize(
    ("code", "quality", "reason"),
    [
        (0x0000_0000, Quality.GOOD, Reason.NONE),
        (0x002E_0000, Quality.GOOD, Reason.NONE),  # GoodCallAgain
        (0x0000_0400, Quality.GOOD, Reason.NONE),
        (0x0000_0480, Quality.UNCERTAIN, Reason.OVERFLOW),
        (0x4000_0000, Quality.UNCERTAIN, Reason.SOURCE),
        (0x4000_0480, Quality.UNCERTAIN, Reason.OVERFLOW),
        (0x4093_0000, Quality.UNCERTAIN, Reason.SOURCE),  # UncertainSensorNotAccurate
        (0x408F_0000, Quality.UNCERTAIN, Reason.LAST_USABLE),
        (0x4090_0000, Quality.UNCERTAIN, Reason.LAST_USABLE),
        (0x4090_0480, Quality.UNCERTAIN, Reason.LAST_USABLE),  # stays no evidence
        (0x4091_0000, Quality.UNCERTAIN, Reason.SUBSTITUTE),
        (0x4092_0000, Quality.UNCERTAIN, Reason.SUBSTITUTE),
        (0x4208_0000, Quality.UNCERTAIN, Reason.SUBSTITUTE),
        (0x4209_0000, Quality.UNCERTAIN, Reason.SUBSTITUTE),
        (0x8034_0000, Quality.BAD, Reason.NODE_UNKNOWN),
        (0x8034_0480, Quality.BAD, Reason.NODE_UNKNOWN),
        (0x8034_0500, Quality.BAD, Reason.NODE_UNKNOWN),  # low limit
        (0x0000_0500, Quality.GOOD, Reason.NONE),
        (0x0000_0600, Quality.GOOD, Reason.NONE),  # high limit
        (0x0000_4000, Quality.UNCERTAIN, Reason.SOURCE),  # another unit or range
        (0x0000_8500, Quality.UNCERTAIN, Reason.SOURCE),  # another structure
        (0x4090_4000, Quality.UNCERTAIN, Reason.LAST_USABLE),
        (0x808B_0000, Quality.BAD, Reason.DEVICE_FAILURE),
        (0x8031_0000, Quality.BAD, Reason.GATEWAY_TARGET),
        (0x800A_0000, Quality.BAD, Reason.TIMEOUT),
        (0x801F_0000, Quality.BAD, Reason.REFUSED),
        (0x8012_3456, Quality.BAD, Reason.SOURCE),
        (0xC000_0000, Quality.BAD, Reason.SOURCE),
    ],
)
def test_status_codes(code: int, quality: Quality, reason: Reason) -> None:
    assert status_of(code) == status(quality, reason)
    assert statuses(np.array([code, 0], np.uint32)).tolist() == [status_of(code), GOOD]


def test_every_code_of_the_standard_keeps_its_severity() -> None:
    for code in code_to_name_doc:
        library = ua.StatusCode(ua.UInt32(code))
        ours = quality_of(status_of(code))
        assert (ours is Quality.GOOD, ours is Quality.BAD) == (library.is_good(), library.is_bad())
        assert ours is Quality.GOOD or reason_of(status_of(code)) is not Reason.NONE


def test_codes_of_values_that_are_not_fresh_are_those_of_the_standard() -> None:
    codes = ua.StatusCodes
    named = {
        codes.UncertainNoCommunicationLastUsableValue: Reason.LAST_USABLE,
        codes.UncertainLastUsableValue: Reason.LAST_USABLE,
        codes.UncertainSubstituteValue: Reason.SUBSTITUTE,
        codes.UncertainInitialValue: Reason.SUBSTITUTE,
        codes.UncertainTransducerInManual: Reason.SUBSTITUTE,
        codes.UncertainSimulatedValue: Reason.SUBSTITUTE,
    }
    ours = {code: status_of(code) for code in code_to_name_doc}
    assert {code: reason_of(one) for code, one in ours.items() if is_replay(one)} == named


def test_bad_values_are_not_converted() -> None:
    values = values_of((DOUBLE, float("nan")), (STRING, "x"))
    values.code[:] = 0x808B_0000
    reading = reading_of(values, shape_of(["float64", "float64"]))
    assert reading.status.tolist() == [bad(Reason.DEVICE_FAILURE)] * 2


def test_times() -> None:
    ticks = np.array([EPOCH + 9_999, EPOCH + 10_000, 0, -5], np.int64)
    assert times_ms(ticks, 77).tolist() == [0, 1, 77, 77]


def at(values: Values, handles: list[int], times: list[int]) -> Values:
    values.handle[:] = handles
    values.ticks[:] = [EPOCH + time * 10_000 for time in times]
    return values


def test_arrivals_are_ordered_by_tag_and_within_it_by_arrival() -> None:
    shape = shape_of(["float64", "bool", "string"])
    values = values_of(
        (STRING, "a"), (DOUBLE, 1.0), (BOOLEAN, 1), (STRING, "b"), (DOUBLE, 2.0), (DOUBLE, 0.5)
    )
    arrivals = arrivals_of("g", at(values, [2, 0, 1, 2, 0, 0], [9, 1, 2, 10, 5, 4]), shape, 0)
    assert arrivals.group == "g"
    assert arrivals.index.tolist() == [0, 0, 0, 1, 2, 2]
    assert arrivals.time_ms.tolist() == [1, 5, 4, 2, 9, 10]
    assert [column.tolist() for column in arrivals.columns] == [[1.0, 2.0, 0.5], [True], ["a", "b"]]
    assert [run.kind for run in runs_of([Kind.FLOAT64] * 3 + [Kind.BOOL] + [Kind.STRING] * 2)] == [
        Kind.FLOAT64,
        Kind.BOOL,
        Kind.STRING,
    ]


def test_a_date_without_end_is_the_last_that_there_is() -> None:
    """Part 6, 5.2.2.5: what is later than 9999 is the largest number, and no year 30828."""
    values = values_of((DATE_TIME, 2**63 - 1), (DATE_TIME, EPOCH + 10_000))
    reading = reading_of(values, shape_of(["datetime"] * 2))
    last_ms = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()) * 1000
    assert reading.columns[0].tolist() == [last_ms, 1]
    assert reading.status.tolist() == [GOOD, GOOD]


@pytest.mark.parametrize("kind", [STRING, LOCALIZED_TEXT])
def test_a_text_with_a_nul_before_its_end_is_none(kind: int) -> None:
    texts = ["\0Press", "P\0r\0", "Press\0\0", "\0\0", ""]
    body = b"".join(data_value(kind, text) for text in texts)
    values = decode_values(Cursor(body), len(texts), keyed=False)
    reading = reading_of(values, shape_of(["string"] * len(texts)))
    assert reading.status.tolist() == [bad(Reason.TYPE)] * 2 + [GOOD] * 3
    assert reading.columns[0].tolist()[2:] == ["Press", "", ""]


@pytest.mark.parametrize("kind", [STRING, LOCALIZED_TEXT])
def test_a_text_that_is_no_utf8_is_none(kind: int) -> None:
    """Servers exist that send GBK: what it would be replaced by is no text of the machine."""
    body = data_value(kind, "冲床", "gbk") + data_value(kind, "冲床")
    values = decode_values(Cursor(body), 2, keyed=False)
    reading = reading_of(values, shape_of(["string"] * 2))
    assert reading.status.tolist() == [bad(Reason.TYPE), GOOD]


def data_value(kind: int, text: str, encoding: str = "utf-8") -> bytes:
    """A DataValue of a text, as it is on the wire."""
    encoded = text.encode(encoding)
    mask = b"\x02" if kind == LOCALIZED_TEXT else b""
    return bytes((1, kind)) + mask + len(encoded).to_bytes(4, "little") + encoded


def test_every_value_of_one_millisecond_goes_on() -> None:
    shape = shape_of(["float64", "string"])
    values = values_of(
        (DOUBLE, 1.0), (STRING, "old"), (DOUBLE, 2.0), (STRING, "new"), (DOUBLE, 3.0)
    )
    at(values, [0, 1, 0, 1, 0], [5, 5, 5, 5, 6])
    values.ticks += np.array([0, 0, 9_000, 0, 0])  # the same millisecond still
    values.code[0] = 0x480
    arrivals = arrivals_of("g", values, shape, 0)
    assert arrivals.index.tolist() == [0, 0, 0, 1, 1]
    assert arrivals.time_ms.tolist() == [5, 5, 6, 5, 5]
    assert arrivals.columns[0].tolist() == [1.0, 2.0, 3.0]
    assert arrivals.columns[1].tolist() == ["old", "new"]
    assert arrivals.status.tolist() == [OVERFLOWN, GOOD, GOOD, GOOD, GOOD]


def test_no_time_is_the_time_of_arrival() -> None:
    arrivals = arrivals_of("g", values_of((DOUBLE, 1.0)), shape_of(["float64"]), 1234)
    assert arrivals.time_ms.tolist() == [1234]


@settings(max_examples=100)
@given(st.data())
def test_the_short_way_for_equal_values_tells_what_the_long_way_tells(data: st.DataObject) -> None:
    """One odd value behind them sends the same values the long way."""
    name = data.draw(st.sampled_from(TYPES))
    count = data.draw(st.integers(1, 6))
    variant = data.draw(st.sampled_from([0, 1, 6, 10, 11, 13, 0x80 | 11]))
    both = empty_values(count + 1)
    both.variant[:] = variant
    both.variant[count] = 12
    both.bits[:] = data.draw(
        st.lists(st.integers(0, 2**64 - 1), min_size=count + 1, max_size=count + 1)
    )
    both.code[:count] = data.draw(
        st.lists(
            st.sampled_from([0, 0x40000000, 0x80340000, 0x480]), min_size=count, max_size=count
        )
    )
    both.ticks[:] = data.draw(
        st.lists(st.integers(-1, 2**57), min_size=count + 1, max_size=count + 1)
    )
    alone = Values(
        both.handle[:count],
        both.variant[:count],
        both.bits[:count],
        both.code[:count],
        both.ticks[:count],
    )
    short = arrivals_of("g", alone, shape_of([name] * count), 5)
    long = arrivals_of("g", both, shape_of([name] * (count + 1)), 5)
    assert short.status.tolist() == long.status[:count].tolist()
    assert short.time_ms.tolist() == long.time_ms[:count].tolist()
    good = short.status < FIRST_BAD
    for column, other in zip(short.columns, long.columns, strict=True):
        assert column.dtype == other.dtype
        assert column[good].tobytes() == other[:count][good].tobytes()


def test_a_server_that_stands_still_makes_a_replay_of_what_seems_fresh() -> None:
    replay, broken = uncertain(Reason.SUBSTITUTE), bad(Reason.SOURCE)
    column = np.array([GOOD, OVERFLOWN, uncertain(Reason.SOURCE), replay, broken], np.uint8)
    mark_frozen(column)
    frozen = uncertain(Reason.FROZEN)
    assert column.tolist() == [frozen, frozen, frozen, replay, broken]
