"""The Write service, for one tag at a time."""

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from gateway.drivers.api import DriverError, Point, Value
from gateway.drivers.opcua.connecting.session import Session
from gateway.drivers.opcua.faults import hint_of, name_of, translated
from gateway.drivers.opcua.parts import read_only
from gateway.drivers.opcua.writing.element import (
    alone,
    check_range,
    range_of,
    require_all_kept,
)
from gateway.drivers.opcua.writing.variants import variant_of


async def write(session: Session, point: Point, value: Value) -> None:
    """Write one value, or one element of an array.

    Raises:
        DriverError: it cannot be written, or the server does not take it.
        NotConnectedError: no answer.
    """
    address = point.address
    attempted = f"write {point.name!r} ({address.node}{address.part}) at {session.endpoint}"
    if why := read_only(address.path):
        raise DriverError(f"{attempted}: {why}")
    variant = variant_of(address.type, value, attempted)
    with translated(attempted):
        (node,) = await session.node_ids([address.name])
        if node is None:
            raise DriverError(f"{attempted}: {session.namespaces.lacks(address.name)}")
        if not address.path:
            await _send(session, node, variant, "", attempted)
            return
        (index,) = address.path
        sizes = await check_range(session, node, index, variant.VariantType, attempted)
        await _send(session, node, alone(variant, len(index)), range_of(index), attempted)
        await require_all_kept(session, node, sizes, attempted)


async def _send(
    session: Session, node: ua.NodeId, variant: ua.Variant, index_range: str, attempted: str
) -> None:
    """Send the value alone: servers refuse a status or a time that a client wants to set."""
    wanted = ua.WriteValue(node, AttributeIds.Value, index_range or None)
    wanted.Value = ua.DataValue(variant, StatusCode=None)
    parameters = ua.WriteParameters()
    parameters.NodesToWrite = [wanted]
    results = await session.services.write(parameters)
    session.demand_all(results, 1, "result")
    if not results[0].is_good():
        code = int(results[0].value)
        raise DriverError(f"{attempted}: the server answered {name_of(code)}{hint_of(code)}")
