"""Values of messages in words. Pure."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from struct import Struct

from gateway.drivers.opcua.encoding.binary import ARRAY, DATA_VALUE_PARTS, TYPE_BITS, Cursor
from gateway.drivers.opcua.encoding.texts import TEXTS, node_id

_LONGEST = 60
"""Characters of a text that are shown."""
_ELEMENTS = 4
"""Elements of an array that are shown."""
_NAMES = [
    "null",
    "Boolean",
    "SByte",
    "Byte",
    "Int16",
    "UInt16",
    "Int32",
    "UInt32",
    "Int64",
    "UInt64",
    "Float",
    "Double",
    "String",
    "DateTime",
    "Guid",
    "ByteString",
    "XmlElement",
    "NodeId",
    "ExpandedNodeId",
    "StatusCode",
    "QualifiedName",
    "LocalizedText",
    "structure",
    "DataValue",
    "Variant",
    "DiagnosticInfo",
]
"""Of the built-in types by number (Part 6, 5.1.2)."""
_NUMBERS = {
    1: Struct("<?"),
    2: Struct("<b"),
    3: Struct("<B"),
    4: Struct("<h"),
    5: Struct("<H"),
    6: Struct("<i"),
    7: Struct("<I"),
    8: Struct("<q"),
    9: Struct("<Q"),
    10: Struct("<f"),
    11: Struct("<d"),
}
_DATE_TIME, _STATUS, _STRUCTURE = 13, 19, 22
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_STATUS_BIT, _SOURCE_BIT = 0x02, 0x04
_TICK = Struct("<q")


def data_value(cursor: Cursor, name_of: Callable[[int], str]) -> str:
    """The next DataValue: type and value, the status if it is not Good, the source's time.

    Raises:
        CodecError: the message ends before it does.
    """
    mask = cursor.byte()
    words = [_variant(cursor, name_of)] if mask & 1 else ["no value"]
    for bit, size in DATA_VALUE_PARTS:
        if not mask & bit:
            continue
        part = cursor.take(size)
        if bit == _STATUS_BIT and any(part):
            words.append(name_of(int.from_bytes(part, "little")))
        elif bit == _SOURCE_BIT:
            words.append(f"at {_time(part)}")
    return " ".join(words)


def _variant(cursor: Cursor, name_of: Callable[[int], str]) -> str:
    encoding = cursor.byte()
    kind = encoding & TYPE_BITS
    name = _NAMES[kind] if kind < len(_NAMES) else f"type {kind}"
    if encoding & ARRAY:
        first = _first(Cursor(cursor.body, cursor.at), kind, name_of)
        cursor.skip_variant_body(encoding)
        return f"{name} {first}"
    if kind == _STRUCTURE:
        which = node_id(Cursor(cursor.body, cursor.at))
        cursor.skip_extension_object()
        return f"{name} {which}"
    return f"{name} {_value(cursor, kind, name_of)}".strip()


def _first(cursor: Cursor, kind: int, name_of: Callable[[int], str]) -> str:
    """The first elements of an array, and how many there are."""
    count = max(cursor.int32(), 0)
    if count <= _ELEMENTS:
        return f"[{', '.join(_value(cursor, kind, name_of) for _ in range(count))}]"
    shown = [_value(cursor, kind, name_of) for _ in range(_ELEMENTS)]
    return f"[{', '.join(shown)}, … of {count:,}]"


def _value(cursor: Cursor, kind: int, name_of: Callable[[int], str]) -> str:
    if kind in _NUMBERS:
        (number,) = _NUMBERS[kind].unpack(cursor.take(_NUMBERS[kind].size))
        return f"{number:.9g}" if isinstance(number, float) else str(number)
    if kind in TEXTS:
        text = TEXTS[kind](cursor)
        return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")
    if kind == _DATE_TIME:
        return _time(cursor.take(_TICK.size))
    if kind == _STATUS:
        return name_of(cursor.uint32())
    cursor.skip_value(kind)
    return ""


def _time(encoded: bytes) -> str:
    (ticks,) = _TICK.unpack(encoded)
    try:
        return f"{_EPOCH + timedelta(microseconds=ticks // 10):%Y-%m-%d %H:%M:%S.%f}"[:-3]
    except OverflowError:
        return "no date"
