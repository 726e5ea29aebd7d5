"""How a server's structures are laid out, asked when a tag wants a field of one.

Servers describe their structures by the attribute DataTypeDefinition since release 1.04 (Part 3,
5.8.3), older ones by a type dictionary. Fields of what neither describes are BAD.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds

from gateway.drivers.api import Point
from gateway.drivers.opcua.connecting.neighbours import MissingError, attribute, neighbour
from gateway.drivers.opcua.encoding.dictionary import UnknownTypeError, layout_in
from gateway.drivers.opcua.encoding.layouts import STRUCTURE, Content, Field, Form, Layout

if TYPE_CHECKING:
    from gateway.drivers.opcua.connecting.session import Session

_BUILT_IN = 25
"""Data types of namespace 0 up to this number are the built-in types of the same number."""
_INT32, _VARIANT = 6, 24
_ABSTRACT = {
    ObjectIds.Number: _VARIANT,
    ObjectIds.Integer: _VARIANT,
    ObjectIds.UInteger: _VARIANT,
    ObjectIds.Enumeration: _INT32,
}
"""What fields of abstract types hold (Part 6, 5.1.7)."""
_FORMS = {
    ua.StructureType.Structure: Form.ALL,
    ua.StructureType.StructureWithOptionalFields: Form.OPTIONAL,
    ua.StructureType.Union: Form.UNION,
}
_DEEPEST = 16


class Structures:
    """What is known of the structures of one session.

    Attributes:
        layouts: by the node id of their binary encoding as text.
    """

    def __init__(self) -> None:
        self.layouts: dict[str, Layout] = {}
        self._asked: set[ua.NodeId] = set()

    def forget(self) -> None:
        """The session has ended: its namespace indexes mean nothing any more."""
        self.layouts.clear()
        self._asked.clear()

    async def learn(self, session: "Session", nodes: Iterable[ua.NodeId]) -> None:
        """Ask for the layouts of the structures that some variables hold.

        Raises:
            Exception: any of ``faults.LIBRARY_ERRORS``.
        """
        for node in nodes:
            if node not in self._asked:
                self._asked.add(node)
                data_type = await attribute(session, node, AttributeIds.DataType)
                if isinstance(data_type, ua.NodeId):
                    await self._learn_type(session, data_type)

    async def _learn_type(self, session: "Session", data_type: ua.NodeId) -> None:
        try:
            layout = await _type(session, data_type, 0)
            if isinstance(layout, Layout) or layout == STRUCTURE:
                encoding = await _encoding(session, data_type)
                if not isinstance(layout, Layout):  # the type is a structure, and that is all
                    layout = await _by_dictionary(session, encoding)
                self.layouts[_text(encoding)] = layout
        except MissingError:
            pass  # its fields are BAD, and the page of the device says what came


async def _type(session: "Session", data_type: ua.NodeId, depth: int) -> int | Layout:
    """Number of a built-in type, or the layout of a structure."""
    number = data_type.Identifier if data_type.NamespaceIndex == 0 else None
    if isinstance(number, int) and (number <= _BUILT_IN or number in _ABSTRACT):
        return _ABSTRACT.get(number, number)
    if depth > _DEEPEST:  # a structure that holds itself
        raise MissingError
    described = await attribute(session, data_type, AttributeIds.DataTypeDefinition)
    if isinstance(described, ua.EnumDefinition):
        return _INT32
    if isinstance(described, ua.StructureDefinition):
        return await _layout(session, described, depth)
    above = await neighbour(session, data_type, ObjectIds.HasSubtype, ua.BrowseDirection.Inverse)
    return await _type(session, above, depth + 1)


async def _layout(session: "Session", described: ua.StructureDefinition, depth: int) -> Layout:
    form = _FORMS.get(described.StructureType)
    if form is None:
        raise MissingError
    fields = [
        Field(
            one.Name or "",
            Content(await _type(session, one.DataType, depth + 1), max(one.ValueRank, 0)),
            bool(one.IsOptional),
        )
        for one in described.Fields or ()
    ]
    if not fields:  # an array of such would take no bytes, however long
        raise MissingError
    return Layout(form, tuple(fields))


async def _encoding(session: "Session", data_type: ua.NodeId) -> ua.NodeId:
    """Node id of a structure's binary encoding: as described, else as browsed."""
    described = await attribute(session, data_type, AttributeIds.DataTypeDefinition)
    if isinstance(described, ua.StructureDefinition) and described.DefaultEncodingId.Identifier:
        told: ua.NodeId = described.DefaultEncodingId
        return told
    forward = ua.BrowseDirection.Forward
    return await neighbour(session, data_type, ObjectIds.HasEncoding, forward, "Default Binary")


async def _by_dictionary(session: "Session", encoding: ua.NodeId) -> Layout:
    """The layout that an old server's type dictionary gives (Part 5, annex D)."""
    forward, inverse = ua.BrowseDirection.Forward, ua.BrowseDirection.Inverse
    description = await neighbour(session, encoding, ObjectIds.HasDescription, forward)
    name = await attribute(session, description, AttributeIds.Value)
    dictionary = await neighbour(session, description, ObjectIds.HasComponent, inverse)
    document = await attribute(session, dictionary, AttributeIds.Value)
    if not isinstance(name, str) or not isinstance(document, bytes):
        raise MissingError
    try:
        return await asyncio.to_thread(layout_in, bytes(document), str(name))  # it may be long
    except UnknownTypeError as error:
        raise MissingError from error


def with_fields(points: Sequence[Point], nodes: Sequence[ua.NodeId | None]) -> Iterator[ua.NodeId]:
    """Those of the points' nodes of which a field is wanted, as far as the server knows them."""
    for point, node in zip(points, nodes, strict=True):
        if node is not None and any(isinstance(step, str) for step in point.address.path):
            yield node


def _text(node: ua.NodeId) -> str:
    """As ``encoding.texts.node_id`` writes it, without the URI that a browsed one may have."""
    index = f"ns={node.NamespaceIndex};" if node.NamespaceIndex else ""
    letter = {str: "s", int: "i", bytes: "b"}.get(type(node.Identifier), "g")
    body = node.Identifier.hex() if isinstance(node.Identifier, bytes) else node.Identifier
    return f"{index}{letter}={body}"
