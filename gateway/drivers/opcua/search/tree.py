"""The variables of a server, found level by level below its Objects folder."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.uaerrors import UaStatusCodeError

from gateway.drivers.opcua.connecting.session import Session
from gateway.drivers.opcua.encoding.convert import type_for
from gateway.drivers.opcua.encoding.layouts import STRUCTURE
from gateway.drivers.opcua.faults import name_of
from gateway.drivers.opcua.search.options import Options

_AT_ONCE = 50
"""Nodes of one request: small controllers answer no more."""
_REFERENCES = 1_000
"""Most references that one answer brings of a node; the rest follows."""
_OBJECT, _VARIABLE = 1, 2
"""Node classes (Part 3, 8.29)."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable.

    Attributes:
        node: its id as long as the connection stands.
        path: names of the objects it stands in, and its own.
    """

    node: ua.NodeId
    path: tuple[str, ...]


Ask = Callable[[Sequence[Variable]], Awaitable[list[Any]]]
"""Asks for something of some nodes: one answer each."""


@dataclass(slots=True)
class Tree:
    """What of a server's tree has been seen.

    Attributes:
        variables: in the order in which they were found.
        is_cut: there is more than was asked for.
        arrays: variables whose value is an array or a structure.
        empty: variables without a value, or of a type that no tag takes.
        refused: how many nodes the server does not show, by the name of the StatusCode.
    """

    variables: list[Variable] = field(default_factory=list)
    is_cut: bool = False
    arrays: list[Variable] = field(default_factory=list)
    empty: int = 0
    refused: Counter[str] = field(default_factory=Counter)


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
                parents, await _references(session, parents, tree), strict=True
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


async def _references(session: Session, parents: Sequence[Variable], tree: Tree) -> list[list[Any]]:
    async def ask(some: Sequence[Variable]) -> list[Any]:
        parameters = ua.BrowseParameters()
        parameters.RequestedMaxReferencesPerNode = ua.Counter(_REFERENCES)
        parameters.NodesToBrowse = [_description(one.node) for one in some]
        results: list[Any] = await session.services.browse(parameters)
        session.demand_all(results, len(some), "nodes to browse")
        return results

    results = await _in_parts(ask, parents)
    for result in results:
        _note_refusal(result, tree)
    return [await _whole(session, result, tree) for result in results]


async def _in_parts(ask: Ask, nodes: Sequence[Variable]) -> list[Any]:
    """Ask for all; where the server refuses so many, or one of them, for half, and so on."""
    try:
        return await ask(nodes)
    except UaStatusCodeError as error:
        if len(nodes) == 1:
            return [error]
        half = len(nodes) // 2
        return [*await _in_parts(ask, nodes[:half]), *await _in_parts(ask, nodes[half:])]


def _note_refusal(answer: Any, tree: Tree) -> bool:
    """Whether the server refused this; then that is noted."""
    is_fault = isinstance(answer, UaStatusCodeError)
    if not is_fault and not answer.StatusCode.is_bad():
        return False
    tree.refused[name_of(int(answer.code if is_fault else answer.StatusCode.value))] += 1
    return True


def _description(node: ua.NodeId) -> ua.BrowseDescription:
    description = ua.BrowseDescription()
    description.NodeId = node
    description.BrowseDirection = ua.BrowseDirection.Forward
    description.ReferenceTypeId = ua.NodeId(ua.Int32(ObjectIds.HierarchicalReferences))
    description.IncludeSubtypes = True
    description.NodeClassMask = ua.UInt32(_OBJECT | _VARIABLE)
    description.ResultMask = ua.UInt32(ua.BrowseResultMask.All)
    return description


async def _whole(session: Session, result: Any, tree: Tree) -> list[Any]:
    """All references of one node; what a server refuses to show is left out."""
    if isinstance(result, UaStatusCodeError):
        return []
    found = list(result.References or ())
    while result.ContinuationPoint:
        parameters = ua.BrowseNextParameters()
        parameters.ReleaseContinuationPoints = False
        parameters.ContinuationPoints = [result.ContinuationPoint]
        answers = await session.services.browse_next(parameters)
        session.demand_all(answers, 1, "continued browses")
        result = answers[0]
        _note_refusal(result, tree)
        found += result.References or ()
    return found


async def types_of(
    session: Session, tree: Tree
) -> AsyncIterator[tuple[Sequence[Variable], list[str | None]]]:
    """Types of the variables' values, request by request; None: one tag cannot take it."""

    async def ask(some: Sequence[Variable]) -> list[Any]:
        nodes = [one.node for one in some]
        values: list[Any] = await session.services.read_attributes(nodes, AttributeIds.Value)
        session.demand_all(values, len(some), "values")
        return values

    for start in range(0, len(tree.variables), session.limits.read):
        chunk = tree.variables[start : start + session.limits.read]
        answers = zip(chunk, await _in_parts(ask, chunk), strict=True)
        yield chunk, [_type(variable, answer, tree) for variable, answer in answers]


def _type(variable: Variable, answer: Any, tree: Tree) -> str | None:
    """The type of a value as an address names it; what has none is noted in the tree."""
    if _note_refusal(answer, tree):
        return None
    value = answer.Value
    number = int(value.VariantType.value) if value is not None else 0
    if number and (value.is_array or number == STRUCTURE):
        tree.arrays.append(variable)
        return None
    kind = type_for(number)
    tree.empty += kind is None
    return kind
