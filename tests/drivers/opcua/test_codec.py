"""Our decoder against the library's encoder, against bytes by hand, and against garbage."""

import struct
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from asyncua import ua
from asyncua.ua.ua_binary import extensionobject_to_binary, struct_to_binary
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.drivers.opcua.encoding.binary import CodecError, Cursor
from gateway.drivers.opcua.encoding.codec import (
    ServiceFaultError,
    decode_publish,
    decode_read,
)
from gateway.drivers.opcua.encoding.values import Values, decode_values

V = ua.VariantType
# The library's times are UTC without saying so.
EPOCH = datetime(1601, 1, 1)  # noqa: DTZ001 - the library counts without a zone
TIMES = st.timedeltas(timedelta(days=140_000), timedelta(days=180_000)).map(EPOCH.__add__)
SCALARS: dict[ua.VariantType, st.SearchStrategy[Any]] = {
    V.Boolean: st.booleans(),
    V.SByte: st.integers(-(2**7), 2**7 - 1),
    V.Byte: st.integers(0, 2**8 - 1),
    V.Int16: st.integers(-(2**15), 2**15 - 1),
    V.UInt16: st.integers(0, 2**16 - 1),
    V.Int32: st.integers(-(2**31), 2**31 - 1),
    V.UInt32: st.integers(0, 2**32 - 1),
    V.Int64: st.integers(-(2**63), 2**63 - 1),
    V.UInt64: st.integers(0, 2**64 - 1),
    V.Float: st.floats(width=32, allow_nan=False),
    V.Double: st.floats(allow_nan=False),
    V.DateTime: TIMES,
    V.String: st.text(max_size=20),
    V.LocalizedText: st.builds(ua.LocalizedText, st.text(max_size=9), st.text(max_size=3)),
    V.Guid: st.uuids(),
    V.ByteString: st.binary(max_size=9),
    V.NodeId: st.builds(
        ua.NodeId, st.one_of(st.integers(0, 2**32 - 1), st.text(min_size=1), st.uuids()), st.just(3)
    ),
    V.QualifiedName: st.builds(ua.QualifiedName, st.text(max_size=9), st.integers(0, 9)),
}
FORMATS = {V.Float: "<f", V.Double: "<d"}


def scalar(kind: ua.VariantType) -> st.SearchStrategy[ua.Variant]:
    return SCALARS[kind].map(lambda value: ua.Variant(value, kind))


def array(kind: ua.VariantType) -> st.SearchStrategy[ua.Variant]:
    return st.lists(SCALARS[kind], max_size=4).map(lambda v: ua.Variant(v, kind, is_array=True))


variants = st.sampled_from(list(SCALARS)).flatmap(lambda kind: scalar(kind) | array(kind))
data_values = st.builds(
    ua.DataValue,
    Value=variants,
    StatusCode=st.sampled_from([0, 0x40000000, 0x80340000, 0x480]).map(ua.StatusCode),
    SourceTimestamp=st.none() | TIMES,
    ServerTimestamp=st.none() | TIMES,
)
# The same value many times over makes long runs, which take the other way through the decoder.
batches = st.lists(st.tuples(data_values, st.sampled_from([1, 1, 2, 20, 40])), max_size=6).map(
    lambda runs: [value for value, times in runs for _ in range(times)]
)


def ticks(time: datetime | None) -> int:
    return 0 if time is None else (time - EPOCH) // timedelta(microseconds=1) * 10


def bits(variant: ua.Variant) -> int:
    value = variant.Value
    if variant.VariantType in FORMATS:
        raw = struct.pack(FORMATS[variant.VariantType], value)
        return int.from_bytes(raw, "little")
    if variant.VariantType is V.DateTime:
        return ticks(value)
    return int(value) & (2**64 - 1)


def check(values: Values, expected: list[ua.DataValue]) -> None:
    assert len(values) == len(expected)
    for place, one in enumerate(expected):
        assert values.code[place] == one.StatusCode.value
        assert values.ticks[place] == ticks(one.SourceTimestamp or one.ServerTimestamp)
        kind, is_array = one.Value.VariantType, one.Value.is_array
        assert values.variant[place] == kind.value | (0x80 if is_array else 0)
        if is_array:
            continue
        if kind is V.String:
            assert values.texts[place] == one.Value.Value.rstrip("\0")
        elif kind is V.LocalizedText:
            assert values.texts[place] == one.Value.Value.Text.rstrip("\0")
        elif kind.value <= 11 or kind is V.DateTime:
            assert values.bits[place] == bits(one.Value)


def publish(items: list[ua.DataValue], extra: bytes = b"") -> bytes:
    notification = ua.DataChangeNotification()
    notification.MonitoredItems = [
        ua.MonitoredItemNotification(ua.UInt32(7 * n), value) for n, value in enumerate(items)
    ]
    response = ua.PublishResponse()
    response.Parameters.SubscriptionId = 77
    response.Parameters.AvailableSequenceNumbers = [5, 6]
    response.Parameters.NotificationMessage.SequenceNumber = 6
    response.Parameters.NotificationMessage.NotificationData = [notification]
    return struct_to_binary(response) + extra


@settings(max_examples=150)
@given(batches)
def test_publish_responses_decode_to_what_was_encoded(items: list[ua.DataValue]) -> None:
    published = decode_publish(publish(items))
    assert (published.subscription, published.sequence, published.ended) == (77, 6, None)
    assert published.values is not None
    assert published.values.handle.tolist() == [7 * n for n in range(len(items))]
    check(published.values, items)


@settings(max_examples=150)
@given(batches)
def test_read_responses_decode_to_what_was_encoded(items: list[ua.DataValue]) -> None:
    response = ua.ReadResponse()
    response.Results = items
    check(decode_read(struct_to_binary(response)), items)


@settings(max_examples=200)
@given(batches, st.data())
def test_broken_bytes_raise_nothing_else(items: list[ua.DataValue], data: st.DataObject) -> None:
    body = bytearray(publish(items))
    for _ in range(data.draw(st.integers(0, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(body)))
    with suppress(CodecError, ServiceFaultError):
        decode_publish(bytes(body[:cut]))


def test_every_cut_of_a_message_is_an_error() -> None:
    value = ua.DataValue(ua.Variant("衢州"), SourceTimestamp=EPOCH)
    body = publish([value, ua.DataValue(ua.Variant([1.0, 2.0]))])
    decode_publish(body)
    end_of_notification = len(body) - 8  # two empty arrays follow, which are not read
    for cut in range(end_of_notification):
        with pytest.raises(CodecError):
            decode_publish(body[:cut])


def test_picoseconds_stand_behind_their_time() -> None:
    """Part 6, table 26: source time, its picoseconds, server time, its picoseconds."""
    one = bytes([0x3D, 11]) + struct.pack("<dqHqH", 2.5, 111, 9, 222, 8)
    other = bytes([0x39, 12]) + struct.pack("<i2sHqH", 2, b"ab", 9, 222, 8)
    values = decode_values(Cursor(one * 20 + one + other), 22, keyed=False)
    assert values.ticks.tolist() == [111] * 21 + [222]
    assert values.texts == {21: "ab"}


def test_values_without_value() -> None:
    values = decode_values(Cursor(b"\x02\x00\x00\x34\x80\x00\x01\x00"), 3, keyed=False)
    assert values.code.tolist() == [0x80340000, 0, 0]
    assert values.variant.tolist() == [0, 0, 0]


@pytest.mark.parametrize("mask", [0x41, 0x81])
def test_a_mask_of_unknown_parts_is_refused(mask: int) -> None:
    """Such a value was taken for 0."""
    with pytest.raises(CodecError, match="unknown parts"):
        decode_values(Cursor(bytes((mask, 11)) + struct.pack("<d", 2.5)), 1, keyed=False)


def test_a_body_of_unknown_encoding_is_refused() -> None:
    """Part 6, 5.2.2.15: none, bytes or XML; any other was taken for one with a length."""
    with pytest.raises(CodecError, match="unknown encoding 16"):
        Cursor(bytes((0, 0, 0x10)) + bytes(8)).extension_object()


def test_nested_values_are_left_out() -> None:
    inner = ua.Variant([ua.Variant(1.0), ua.Variant([ua.Variant("x")])])
    guid = UUID("72962b91-fa75-4ae6-8d28-b404dc7daf63")
    expanded = ua.ExpandedNodeId(guid, 2, NamespaceUri="urn:x", ServerIndex=3)
    argument = ua.Argument(Name="a", DataType=ua.NodeId(1, 2))
    items = [inner, ua.Variant(expanded), ua.Variant(argument), ua.Variant(5.0)]
    published = decode_publish(publish([ua.DataValue(item) for item in items]))
    assert published.values is not None
    assert published.values.variant.tolist() == [0x80 | 24, 18, 22, 11]
    assert published.values.bits[3] == int.from_bytes(struct.pack("<d", 5.0), "little")


def test_endless_nesting_is_refused() -> None:
    body = b"\x01" + b"\x98\x01\x00\x00\x00" * 1000 + b"\x01\x01"
    with pytest.raises(CodecError, match="nested deeper"):
        decode_values(Cursor(body), 1, keyed=False)


def test_a_huge_count_is_refused_before_it_is_believed() -> None:
    response = ua.ReadResponse()
    body = bytearray(struct_to_binary(response))
    body[-8:-4] = struct.pack("<i", 2**31 - 1)
    with pytest.raises(CodecError, match="do not fit"):
        decode_read(bytes(body))


def test_a_sign_of_life_has_no_values() -> None:
    response = ua.PublishResponse()
    response.Parameters.SubscriptionId = 3
    response.Parameters.NotificationMessage.SequenceNumber = 12
    published = decode_publish(struct_to_binary(response))
    assert (published.subscription, published.sequence, published.values) == (3, 12, None)


def test_the_end_of_a_subscription_and_events_beside_it() -> None:
    response = ua.PublishResponse()
    change = ua.StatusChangeNotification(Status=ua.StatusCode(ua.StatusCodes.BadTimeout))
    response.Parameters.NotificationMessage.NotificationData = [ua.EventNotificationList(), change]
    assert extensionobject_to_binary(change)
    assert decode_publish(struct_to_binary(response)).ended == ua.StatusCodes.BadTimeout


def test_a_bad_service_result_is_raised_with_its_code() -> None:
    response = ua.ReadResponse()
    response.ResponseHeader.ServiceResult = ua.StatusCode(ua.StatusCodes.BadTooManyOperations)
    with pytest.raises(ServiceFaultError) as caught:
        decode_read(struct_to_binary(response))
    assert caught.value.code == ua.StatusCodes.BadTooManyOperations


def test_an_answer_of_another_type_is_refused() -> None:
    with pytest.raises(CodecError, match="response of type 634, expected 829"):
        decode_publish(struct_to_binary(ua.ReadResponse()))
