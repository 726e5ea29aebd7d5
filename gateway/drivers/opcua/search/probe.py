"""Look at an OPC UA server: endpoints, namespaces, and its variables as tags."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from asyncua import ua

from edge_config.models.limits import RESERVED_TAGS
from edge_config.models.tag import LONGEST_LABEL
from gateway.drivers.opcua.config import Address, Connection
from gateway.drivers.opcua.connecting.endpoints import discover
from gateway.drivers.opcua.connecting.offers import offered
from gateway.drivers.opcua.connecting.session import Session, open_session
from gateway.drivers.opcua.faults import translated
from gateway.drivers.opcua.nodes import NodeName, format_node
from gateway.drivers.opcua.search.options import Options
from gateway.drivers.opcua.search.tree import Tree, Variable, grow, types_of
from gateway.drivers.search import Findings, FoundDevice, Place, Step

_LONGEST_NAME = 60
_LISTED = 20


class OpcUaProbe:
    """See :class:`gateway.drivers.search.Probe`."""

    async def look(
        self, where: Place, options: Options, _wanted: Any, findings: Findings, step: Step
    ) -> None:
        """Ask for endpoints, open a session, and browse."""
        connection: Connection = where.connection
        await step("asking for endpoints", 0, options.count)
        with translated(f"ask {connection.endpoint} for its endpoints"):
            client = await discover(connection)
        findings.remarks.append(f"security that is offered: {offered(client.endpoints)}")
        session = await open_session(connection, {})
        try:
            device = FoundDevice(connection.endpoint, dict(where.target.connection))
            findings.devices.append(device)
            device.identity = {
                f"namespace {index}": uri
                for index, uri in enumerate(session.namespaces.uris[:_LISTED])
            }
            with translated(f"browse {connection.endpoint}"):
                await _browse(session, options, device, step)
        finally:
            await session.close()

    def holds(self, _device: FoundDevice, _address: Any) -> bool:
        """Nodes are known by their names only."""
        return True


async def _browse(session: Session, options: Options, device: FoundDevice, step: Step) -> None:
    tree = Tree()
    async for count in grow(session, options, tree):
        await step(f"browsing {device.name}", min(count, options.count), options.count)
    read = 0
    async for variables, types in types_of(session, tree):
        for variable, kind in zip(variables, types, strict=True):
            if kind is not None:
                _add(device, variable, _address(session, variable, kind))
        read += len(variables)
        await step(f"reading types of {device.name}", read, len(tree.variables))
    device.readable.append(f"{len(device.points):,} variables")
    device.remarks += _remarks(session, tree, options)


def _add(device: FoundDevice, variable: Variable, address: Address) -> None:
    name = _name(variable, device.points)
    device.points[name] = address
    device.labels[name] = " / ".join(variable.path)[-LONGEST_LABEL:].strip()


def _address(session: Session, variable: Variable, kind: str) -> Address:
    node = format_node(_named(session, variable.node))
    return Address(node=node, type=kind)  # type: ignore[arg-type] # one of its words


def _remarks(session: Session, tree: Tree, options: Options) -> Iterator[str]:
    """What is not among the points, why, and what to do."""
    if tree.arrays:
        node = format_node(_named(session, tree.arrays[0].node))
        yield (
            f"{len(tree.arrays):,} variables are arrays or structures: add what you want of them "
            f"by its part, as {node}|[0]|float64 or {node}|.Name|float64"
        )
    if tree.refused:
        many = ", ".join(f"{count:,} {name}" for name, count in sorted(tree.refused.items()))
        yield f"variables and objects that the server does not show: {many}; see the user's rights"
    if tree.empty:
        yield f"{tree.empty:,} variables have no value now; look again when the machine runs"
    if tree.is_cut:
        yield (
            f"there is more than {options.depth} levels or {options.count:,} variables: "
            "--depth and --count"
        )


def _named(session: Session, node: ua.NodeId) -> NodeName:
    """A node by the URI of its namespace, which outlives a restart of the server."""
    index = int(node.NamespaceIndex)
    identifier = _plain(node.Identifier)
    uri = session.namespaces.uris[index] if index < len(session.namespaces.uris) else ""
    if index == 0:
        return NodeName("", identifier)
    return NodeName(uri, identifier) if uri else NodeName("", identifier, index)


def _plain(identifier: Any) -> int | str | bytes | UUID:
    """An identifier without the library's own types."""
    if isinstance(identifier, UUID):
        return identifier
    plain = next(kind for kind in (int, str, bytes) if isinstance(identifier, kind))
    return plain(identifier)


def _name(variable: Variable, taken: dict[str, Any]) -> str:
    """A name of a tag from the names of the tree: the shortest that nothing else has."""
    words = [re.sub(r"[^A-Za-z0-9]+", "_", word).strip("_") for word in variable.path]
    for size in range(1, len(words) + 1):
        name = "_".join(filter(None, words[-size:]))[-_LONGEST_NAME:].lstrip("_0123456789")
        if name and name not in taken and name not in RESERVED_TAGS:
            return name
    return f"tag_{len(taken)}"
