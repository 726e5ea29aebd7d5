"""The variables of a server, found level by level below its Objects folder."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds

from gateway.drivers.opcua.connecting.session import Session
from gateway.drivers.opcua.search.options import Options

_AT_ONCE = 50
"""Nodes of one request: small controllers answer no more."""
_REFERENCES = 1_000
"""Most references that one answer brings of a node; the rest follows."""
_OBJECT, _VARIABLE = 1, 2
"""Node classes (Part 3, 8.29)."""
_NOT_ARRAY = -1

TYPES = {
    ua.VariantType.Double: "float64",
    ua.VariantType.Float: "float32",
    ua.VariantType.Int64: "int64",
    ua.VariantType.Int32: "int32",
    ua.VariantType.Int16: "int16",
    ua.VariantType.SByte: "int8",
    ua.VariantType.UInt64: "uint64",
    ua.VariantType.UInt32: "uint32",
    ua.VariantType.UInt16: "uint16",
    ua.VariantType.Byte: "uint8",
    ua.VariantType.Boolean: "bool",
    ua.VariantType.String: "string",
    ua.VariantType.DateTime: "datetime",
}
"""What one value of a variable is, as an address names it."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable.

    Attributes:
        node: its id as long as the connection stands.
        path: names of the objects it stands in, and its own.
    """

    node: ua.NodeId
    path: tuple[str, ...]


@dataclass(slots=True)
class Tree:
    """What of a server's tree has been seen.

    Attributes:
        variables: in the order in which they were found.
        is_cut: there is more than was asked for.
        untyped: variables whose value is an array, a structure, or nothing.
    """

    variables: list[Variable] = field(default_factory=list)
    is_cut: bool = False
    untyped: int = 0


async def grow(session: Session, options: Options, tree: Tree) -> AsyncIterator[int]:
    """Fill a tree level by level; each step gives how many variables there are.

    A node that stands in several places is taken where it is found first.
    """
    level = [Variable(ua.NodeId(ua.Int32(ObjectIds.ObjectsFolder)), ())]
    seen = {level[0].node}
    if not options.standard:
        seen.add(ua.NodeId(ua.Int32(ObjectIds.Server)))
    for _ in range(options.depth):
        below: list[Variable] = []
        for start in range(0, len(level), _AT_ONCE):
            parents = level[start : start + _AT_ONCE]
            for parent, references in zip(
                parents, await _references(session, parents), strict=True
            ):
                below += _new(parent, references, seen, tree)
            yield len(tree.variables)
            if len(tree.variables) > options.count:
                del tree.variables[options.count :]
                tree.is_cut = True
                return
        level = below
        if not level:
            return
    tree.is_cut = True


def _new(
    parent: Variable, references: Sequence[Any], seen: set[ua.NodeId], tree: Tree
) -> list[Variable]:
    found = []
    for one in references:
        node = ua.NodeId(one.NodeId.Identifier, one.NodeId.NamespaceIndex, one.NodeId.NodeIdType)
        is_elsewhere = isinstance(one.NodeId, ua.ExpandedNodeId) and one.NodeId.ServerIndex
        if node in seen or is_elsewhere:
            continue
        seen.add(node)
        child = Variable(node, (*parent.path, one.BrowseName.Name or ""))
        found.append(child)
        if one.NodeClass == ua.NodeClass.Variable:
            tree.variables.append(child)
    return found


async def _references(session: Session, parents: Sequence[Variable]) -> list[list[Any]]:
    parameters = ua.BrowseParameters()
    parameters.RequestedMaxReferencesPerNode = ua.Counter(_REFERENCES)
    parameters.NodesToBrowse = [_description(one.node) for one in parents]
    results = await session.services.browse(parameters)
    session.demand_all(results, len(parents), "nodes to browse")
    return [await _whole(session, result) for result in results]


def _description(node: ua.NodeId) -> ua.BrowseDescription:
    description = ua.BrowseDescription()
    description.NodeId = node
    description.BrowseDirection = ua.BrowseDirection.Forward
    description.ReferenceTypeId = ua.NodeId(ua.Int32(ObjectIds.HierarchicalReferences))
    description.IncludeSubtypes = True
    description.NodeClassMask = ua.UInt32(_OBJECT | _VARIABLE)
    description.ResultMask = ua.UInt32(ua.BrowseResultMask.All)
    return description


async def _whole(session: Session, result: Any) -> list[Any]:
    """All references of one node; what a server refuses to show is left out."""
    found = list(result.References or ())
    while result.ContinuationPoint:
        parameters = ua.BrowseNextParameters()
        parameters.ReleaseContinuationPoints = False
        parameters.ContinuationPoints = [result.ContinuationPoint]
        answers = await session.services.browse_next(parameters)
        session.demand_all(answers, 1, "continued browses")
        result = answers[0]
        found += result.References or ()
    return found


async def types_of(session: Session, variables: Sequence[Variable]) -> list[str | None]:
    """The type of each variable's value; None: it has none that one tag can take."""
    types: list[str | None] = []
    for start in range(0, len(variables), session.limits.read):
        chunk = [one.node for one in variables[start : start + session.limits.read]]
        values = await session.services.read_attributes(chunk, AttributeIds.Value)
        session.demand_all(values, len(chunk), "values")
        types += map(_type, values)
    return types


def _type(answer: ua.DataValue) -> str | None:
    value = answer.Value
    if value is None or value.is_array or not isinstance(value.VariantType, ua.VariantType):
        return None
    return TYPES.get(value.VariantType)
