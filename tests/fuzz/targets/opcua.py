"""OPC UA: Read and Publish responses of asyncua, and elements of their arrays."""

import struct
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary, variant_to_binary

from gateway.drivers.opcua.encoding.binary import CodecError, Cursor
from gateway.drivers.opcua.encoding.codec import ServiceFaultError, decode_publish, decode_read
from gateway.drivers.opcua.encoding.elements import Part, find_part
from gateway.drivers.opcua.encoding.values import Values, decode_values
from gateway.drivers.opcua.parts import parse_path
from tests.fuzz.harness import Case, Target
from tests.fuzz.targets.opcua_plain import NUMBERS, Plain, Shown, publish_response, read_response

V = ua.VariantType
EPOCH = datetime(1601, 1, 1)  # noqa: DTZ001 - the library counts without a zone
FLOATS = {V.Float.value: "<f", V.Double.value: "<d"}
TEXTS = (V.String.value, V.Guid.value, V.ByteString.value, V.LocalizedText.value)
WHOLE = {
    V.SByte: (-128, 127),
    V.Byte: (0, 255),
    V.Int16: (-(2**15), 2**15 - 1),
    V.UInt16: (0, 2**16 - 1),
    V.Int32: (-(2**31), 2**31 - 1),
    V.UInt32: (0, 2**32 - 1),
    V.Int64: (-(2**63), 2**63 - 1),
    V.UInt64: (0, 2**64 - 1),
}
KINDS = (*WHOLE, V.Float, V.Double, V.Boolean, V.String, V.DateTime, V.Guid, V.ByteString)


def _drawn(dice: Random, kind: ua.VariantType) -> Any:
    if kind in WHOLE:
        return dice.randint(*WHOLE[kind])
    if kind in (V.Float, V.Double):
        return dice.choice((0.0, -2.5, 229.0))
    return {
        V.Boolean: dice.random() < 0.5,
        V.String: dice.choice(("", "衢州", "Press")),
        V.DateTime: EPOCH + timedelta(seconds=dice.randrange(12_000_000_000, 14_000_000_000)),
        V.Guid: UUID(int=dice.getrandbits(128)),
        V.ByteString: dice.randbytes(4),
    }[kind]


def _variant(dice: Random, kind: ua.VariantType) -> ua.Variant:
    if dice.random() < 0.2:
        return ua.Variant([_drawn(dice, kind) for _ in range(3)], kind, is_array=True)
    return ua.Variant(_drawn(dice, kind), kind)


def _data_values(dice: Random) -> list[ua.DataValue]:
    """Some values; one of them many times over, which takes another way through the decoder."""
    found = [
        ua.DataValue(
            _variant(dice, dice.choice(KINDS)),
            StatusCode=ua.StatusCode(dice.choice((0, 0, 0x80340000))),
            SourceTimestamp=_drawn(dice, V.DateTime) if dice.random() < 0.7 else None,
        )
        for _ in range(dice.randint(1, 4))
    ]
    return found + found[-1:] * dice.choice((0, 0, 20))


def _read(dice: Random) -> Case:
    response = ua.ReadResponse()
    response.Results = _data_values(dice)

    def decode(pieces: Sequence[bytes]) -> Values:
        return decode_read(b"".join(pieces))

    def holds(data: bytes, taken: Values) -> bool:
        return _are_same(taken, read_response(data))

    return Case(struct_to_binary(response), decode, holds)


def _publish(dice: Random) -> Case:
    change = ua.DataChangeNotification()
    change.MonitoredItems = [
        ua.MonitoredItemNotification(ua.UInt32(7 * at), one)
        for at, one in enumerate(_data_values(dice))
    ]
    response = ua.PublishResponse()
    response.Parameters.SubscriptionId = 77
    response.Parameters.NotificationMessage.NotificationData = [change]

    def decode(pieces: Sequence[bytes]) -> Values | None:
        return decode_publish(b"".join(pieces)).values

    def holds(data: bytes, taken: Values) -> bool:
        right = publish_response(data)
        handles = [handle for handle, _ in right]
        return taken.handle.tolist() == handles and _are_same(taken, [one for _, one in right])

    return Case(struct_to_binary(response), decode, holds)


def _are_same(ours: Values, right: Sequence[Shown]) -> bool:
    return len(ours) == len(right) and all(
        (ours.variant[at], ours.code[at]) == (one.variant, one.code)
        and max(ours.ticks[at], 0) == max(one.ticks, 0)  # there is no time before 1601
        and _is_value(one.variant, one.value, int(ours.bits[at]), ours.texts.get(at))
        for at, one in enumerate(right)
    )


def _is_value(variant: int, value: Any, bits: int, text: str | None) -> bool:
    """Whether raw bits, or a text, are a value; those of other types are not compared."""
    if variant in FLOATS:
        (mine,) = struct.unpack(FLOATS[variant], bits.to_bytes(8, "little")[: 4 * (variant - 9)])
        return mine == value or (mine != mine and value != value)  # noqa: PLR0124 - NaN
    if variant == V.Boolean.value:
        return bool(bits) == value
    if variant in NUMBERS:
        return bits == value % 2**64
    return variant not in TEXTS or text == value.rstrip("\0")


def _parts(dice: Random) -> Case:
    """An element of an array or a matrix."""
    kind = dice.choice((V.Int16, V.UInt64, V.Double, V.String, V.Guid))
    variant = ua.Variant([_drawn(dice, kind) for _ in range(6)], kind, is_array=True)
    index: tuple[int, ...] = (dice.randrange(6),)
    if dice.random() < 0.5:
        variant.Dimensions = [2, 3]
        index = dice.randrange(2), dice.randrange(3)
    path = parse_path(f"[{','.join(map(str, index))}]")

    def decode(pieces: Sequence[bytes]) -> Part | None:
        value = decode_values(Cursor(b"\x01" + b"".join(pieces)), 1, keyed=False)
        body = value.bodies.get(0)
        return None if body is None else find_part(int(value.variant[0]), body, path, {})

    def holds(data: bytes, taken: Part) -> bool:
        first, (elements, sizes) = Plain(data).variant()
        at = index[0] if len(index) == 1 else index[0] * sizes[1] + index[1]
        is_of_them = len(sizes) == len(index) and taken.variant == first % 64
        text = None if taken.text is None else taken.text.rstrip("\0")
        return is_of_them and _is_value(first % 64, elements[at], taken.bits, text)

    return Case(variant_to_binary(variant), decode, holds)


REFUSALS = (CodecError, ServiceFaultError)
TARGETS = (
    Target("opcua/read", _read, REFUSALS),
    Target("opcua/publish", _publish, REFUSALS),
    Target("opcua/parts", _parts, REFUSALS),
)
