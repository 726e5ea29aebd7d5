"""Structures as a type dictionary describes them, for servers before release 1.04. Pure.

A dictionary is XML: OPC UA Part 5, annex D (OPC Binary). Understood is what controllers write:
numbers, texts and built-in types, structures within structures, arrays counted by the field before
them, enumerations of 32 bits. Whatever else there is – bits, switches, fixed lengths – makes a
structure unknown, and its fields are BAD.
"""

from io import StringIO
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError, iterparse

from gateway.drivers.opcua.encoding.layouts import Content, Field, Form, Layout

MOST_BYTES = 4 * 1024 * 1024
"""Longest dictionary that is read."""

_OPC = "http://opcfoundation.org/BinarySchema/"
_UA = "http://opcfoundation.org/UA/"
_DEEPEST = 16
_MOST_FIELDS = 10_000
_INT32 = 6
_TYPES = {
    "Boolean": 1,
    "SByte": 2,
    "Byte": 3,
    "Int16": 4,
    "UInt16": 5,
    "Int32": _INT32,
    "UInt32": 7,
    "Int64": 8,
    "UInt64": 9,
    "Float": 10,
    "Double": 11,
    "String": 12,
    "CharArray": 12,
    "DateTime": 13,
    "Guid": 14,
    "ByteString": 15,
    "XmlElement": 16,
    "NodeId": 17,
    "ExpandedNodeId": 18,
    "StatusCode": 19,
    "QualifiedName": 20,
    "LocalizedText": 21,
    "ExtensionObject": 22,
    "DataValue": 23,
    "Variant": 24,
    "DiagnosticInfo": 25,
}
"""Numbers of the built-in types (Part 6, 5.1.2) by their names here."""
_UNDERSTOOD = {"Name", "TypeName", "LengthField", "SourceType"}
"""Attributes of a field that are understood."""


class UnknownTypeError(ValueError):
    """The dictionary does not say how a type is encoded, or in a way that is not understood."""


class _Dictionary(NamedTuple):
    """Types of one document by name, and what the prefixes of names stand for."""

    types: dict[str, Element]
    prefixes: dict[str, str]
    target: str


def layout_in(document: bytes, name: str) -> Layout:
    """How a structure is laid out.

    Args:
        document: the dictionary, in UTF-8.
        name: of the structure.

    Raises:
        UnknownTypeError: there is no such structure, or it is not understood.
    """
    try:
        return _Structures(_parsed(document)).layout(name, 0)
    except (ParseError, KeyError, ValueError) as error:
        raise UnknownTypeError(f"structure {name} of a type dictionary: {error}") from error


def _parsed(document: bytes) -> _Dictionary:
    if len(document) > MOST_BYTES:
        raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
    text = document.rstrip(b"\0").decode("utf-8-sig")
    if "<!" in text.replace("<!--", ""):
        raise ValueError("it declares what no dictionary needs")
    prefixes: dict[str, str] = {}
    root: Element | None = None
    # Nothing can be expanded, for nothing is declared.
    for event, found in iterparse(StringIO(text), events=("start-ns", "start")):  # noqa: S314
        if event == "start-ns" and prefixes.setdefault(*found) != found[1]:
            raise ValueError(f"prefix {found[0]!r} stands for two things")
        if event == "start" and root is None:
            root = found
    if root is None or root.get("DefaultByteOrder", "LittleEndian") != "LittleEndian":
        raise ValueError("it is empty, or of the other byte order")
    types = {one.get("Name", ""): one for one in root}
    return _Dictionary(types, prefixes, root.get("TargetNamespace", ""))


class _Structures:
    """Makes layouts of one dictionary, of no more fields than a machine has."""

    def __init__(self, dictionary: _Dictionary) -> None:
        self._dictionary = dictionary
        self._left = _MOST_FIELDS

    def layout(self, name: str, depth: int) -> Layout:
        described = self._dictionary.types[name]
        if described.tag != f"{{{_OPC}}}StructuredType" or depth > _DEEPEST:
            raise ValueError(f"{name} is no structure, or holds itself")
        fields: list[Field] = []
        for one in described.iterfind(f"{{{_OPC}}}Field"):
            self._add(fields, one, depth)
        if not fields:
            raise ValueError(f"{name} is empty")
        return Layout(Form.ALL, tuple(fields))

    def _add(self, fields: list[Field], described: Element, depth: int) -> None:
        self._left -= 1
        name = described.attrib["Name"]
        if not described.attrib.keys() <= _UNDERSTOOD or not self._left:
            raise ValueError(f"field {name} has {', '.join(described.keys())}, or is one of many")
        content = self._type(described.attrib["TypeName"], depth)
        counter = described.get("LengthField")
        if counter is not None:
            _take_counter(fields, counter)
        fields.append(Field(name, Content(content, 0 if counter is None else 1)))

    def _type(self, written: str, depth: int) -> int | Layout:
        prefix, _, name = written.rpartition(":")
        namespace = self._dictionary.prefixes.get(prefix, "")
        if namespace in (_OPC, _UA):
            return _TYPES[name]
        if namespace != self._dictionary.target:
            raise ValueError(f"{written} is of another dictionary")
        described = self._dictionary.types[name]
        if described.tag != f"{{{_OPC}}}EnumeratedType":
            return self.layout(name, depth + 1)
        if described.get("LengthInBits") != "32":
            raise ValueError(f"{written} has not 32 bits")
        return _INT32


def _take_counter(fields: list[Field], name: str) -> None:
    """An array's count stands right before it, as an Int32, or it is not understood."""
    if not fields or fields.pop() != Field(name, Content(_INT32)):
        raise ValueError(f"an array is counted by {name}, which does not stand before it")
