"""How a server's structures are laid out, asked when a tag wants a field of one.

Servers describe their structures by the attribute DataTypeDefinition since release 1.04 (Part 3,
5.8.3). Those of older ones, which have type dictionaries only, are not understood: their fields
are BAD.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds

from gateway.drivers.api import Point
from gateway.drivers.opcua.encoding.layouts import Content, Field, Form, Layout

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


class _UnknownError(Exception):
    """The server does not say how a type is encoded, or says it in a way that is not known."""


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
                data_type = await _read(session, node, AttributeIds.DataType)
                if isinstance(data_type, ua.NodeId):
                    await self._learn_type(session, data_type)

    async def _learn_type(self, session: "Session", data_type: ua.NodeId) -> None:
        try:
            layout = await _type(session, data_type, 0)
            if isinstance(layout, Layout):
                self.layouts[_text(await _encoding(session, data_type))] = layout
        except _UnknownError:
            pass  # its fields are BAD, and the page of the device says what came


async def _type(session: "Session", data_type: ua.NodeId, depth: int) -> int | Layout:
    """Number of a built-in type, or the layout of a structure."""
    number = data_type.Identifier if data_type.NamespaceIndex == 0 else None
    if isinstance(number, int) and (number <= _BUILT_IN or number in _ABSTRACT):
        return _ABSTRACT.get(number, number)
    if depth > _DEEPEST:  # a structure that holds itself
        raise _UnknownError
    described = await _read(session, data_type, AttributeIds.DataTypeDefinition)
    if isinstance(described, ua.EnumDefinition):
        return _INT32
    if isinstance(described, ua.StructureDefinition):
        return await _layout(session, described, depth)
    above = await _neighbour(session, data_type, ObjectIds.HasSubtype, ua.BrowseDirection.Inverse)
    return await _type(session, above, depth + 1)


async def _layout(session: "Session", described: ua.StructureDefinition, depth: int) -> Layout:
    form = _FORMS.get(described.StructureType)
    if form is None:
        raise _UnknownError
    fields = [
        Field(
            one.Name or "",
            Content(await _type(session, one.DataType, depth + 1), max(one.ValueRank, 0)),
            bool(one.IsOptional),
        )
        for one in described.Fields or ()
    ]
    return Layout(form, tuple(fields))


async def _encoding(session: "Session", data_type: ua.NodeId) -> ua.NodeId:
    """Node id of a structure's binary encoding: as described, else as browsed."""
    described = await _read(session, data_type, AttributeIds.DataTypeDefinition)
    if isinstance(described, ua.StructureDefinition) and described.DefaultEncodingId.Identifier:
        told: ua.NodeId = described.DefaultEncodingId
        return told
    forward = ua.BrowseDirection.Forward
    return await _neighbour(session, data_type, ObjectIds.HasEncoding, forward, "Default Binary")


async def _neighbour(
    session: "Session",
    node: ua.NodeId,
    reference: int,
    direction: ua.BrowseDirection,
    name: str | None = None,
) -> ua.NodeId:
    wanted = ua.BrowseDescription()
    wanted.NodeId, wanted.BrowseDirection = node, direction
    wanted.ReferenceTypeId = ua.NodeId(ua.Int32(reference))
    wanted.IncludeSubtypes = False
    wanted.ResultMask = ua.UInt32(ua.BrowseResultMask.BrowseName)
    parameters = ua.BrowseParameters()
    parameters.NodesToBrowse = [wanted]
    for result in await session.services.browse(parameters):
        for found in result.References or ():
            if name is None or found.BrowseName.Name == name:
                node_id: ua.NodeId = found.NodeId
                return node_id
    raise _UnknownError


async def _read(session: "Session", node: ua.NodeId, attribute: AttributeIds) -> Any:  # as it is
    """One attribute of a node; None where the server has none."""
    answers = await session.services.read_attributes([node], attribute)
    session.demand_all(answers, 1, "attributes")
    (answer,) = answers
    return answer.Value.Value if answer.StatusCode.is_good() and answer.Value else None


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
