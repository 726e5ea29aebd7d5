"""Single attributes and references of nodes, for what is asked once a session."""

from typing import TYPE_CHECKING, Any

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

if TYPE_CHECKING:
    from gateway.drivers.opcua.connecting.session import Session


class MissingError(Exception):
    """The server does not show what was asked for, or in a way that is not known."""


async def attribute(session: "Session", node: ua.NodeId, which: AttributeIds) -> Any:  # as it is
    """One attribute of a node; None where the server has none.

    Raises:
        Exception: any of ``faults.LIBRARY_ERRORS``.
    """
    answers = await session.services.read_attributes([node], which)
    session.demand_all(answers, 1, "attributes")
    (answer,) = answers
    return answer.Value.Value if answer.StatusCode.is_good() and answer.Value else None


async def neighbour(
    session: "Session",
    node: ua.NodeId,
    reference: int,
    direction: ua.BrowseDirection,
    name: str | None = None,
) -> ua.NodeId:
    """The first node that a reference leads to, of this name if one is given.

    Raises:
        MissingError: there is none.
        Exception: any of ``faults.LIBRARY_ERRORS``.
    """
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
    raise MissingError
