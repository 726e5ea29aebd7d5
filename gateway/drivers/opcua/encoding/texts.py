"""What can be shown as text: built-in types without a number, each in its usual notation. Pure.

Notations: NodeId and QualifiedName as in OPC UA Part 6, 5.1.12 and 5.1.13, with the index of the
namespace in the session; Guid as in RFC 9562; ByteString as hexadecimal digits.
"""

from collections.abc import Callable
from uuid import UUID

from gateway.drivers.opcua.encoding.binary import TYPE_BITS, CodecError, Cursor


def _guid(cursor: Cursor) -> str:
    return str(UUID(bytes_le=cursor.take(16)))


def _hex(cursor: Cursor) -> str:
    return cursor.bytestring().hex()


def _qualified_name(cursor: Cursor) -> str:
    index = int.from_bytes(cursor.take(2), "little")
    name = cursor.string()
    return f"{index}:{name}" if index else name


def node_id(cursor: Cursor) -> str:
    """The next (expanded) node id."""
    encoding = cursor.byte()
    form = encoding & TYPE_BITS
    index, body = _node_body(cursor, form)
    uri = cursor.string() if encoding & 0x80 else ""
    server = cursor.uint32() if encoding & 0x40 else 0
    return f"{f'svr={server};' if server else ''}{_namespace(index, uri)}{body}"


def _namespace(index: int, uri: str) -> str:
    if uri:
        return f"nsu={uri};"
    return f"ns={index};" if index else ""


def _node_body(cursor: Cursor, form: int) -> tuple[int, str]:
    """Namespace index and identifier of a node id (Part 6, tables 16 to 18)."""
    if form == 0:
        return 0, f"i={cursor.byte()}"
    if form == 1:
        return cursor.byte(), f"i={int.from_bytes(cursor.take(2), 'little')}"
    index = int.from_bytes(cursor.take(2), "little")
    if form not in _IDENTIFIERS:
        raise CodecError(f"node id of unknown form {form} before {cursor.at}")
    letter, read = _IDENTIFIERS[form]
    return index, f"{letter}={read(cursor)}"


_IDENTIFIERS: dict[int, tuple[str, Callable[[Cursor], object]]] = {
    2: ("i", Cursor.uint32),
    3: ("s", Cursor.string),
    4: ("g", _guid),
    5: ("b", _hex),
}

TEXTS: dict[int, Callable[[Cursor], str]] = {
    12: Cursor.string,
    14: _guid,
    15: _hex,
    16: Cursor.string,  # XmlElement
    17: node_id,
    18: node_id,  # ExpandedNodeId
    20: _qualified_name,
    21: Cursor.localized_text,
}
"""Reads the text of the next value of a built-in type."""
