"""An element of an array, by IndexRange (OPC UA Part 4, 7.27), where the server heeds ranges.

Some servers ignore a range. Of such a one a write of one element would replace the whole array,
so it is asked first to *read* by the range, and what it gives must be that element alone. The
array is read once more afterwards: one that has another size than before was replaced.
"""

from collections.abc import Sequence

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from gateway.drivers.api import DriverError
from gateway.drivers.opcua.connecting.session import Session
from gateway.drivers.opcua.encoding.binary import TYPE_BITS
from gateway.drivers.opcua.encoding.codec import BAD, decode_read
from gateway.drivers.opcua.encoding.elements import array_sizes, find_part
from gateway.drivers.opcua.encoding.values import Values
from gateway.drivers.opcua.faults import hint_of, name_of

Index = tuple[int, ...]

_ATTEMPTS = 3
"""Readings of an element that changes between its two readings."""


def range_of(index: Index) -> str:
    """The IndexRange of one element."""
    return ",".join(map(str, index))


def alone(variant: ua.Variant, dimensions: int) -> ua.Variant:
    """An array of one element with so many dimensions."""
    value = variant.Value
    for _ in range(dimensions):
        value = [value]
    sizes = [ua.Int32(1)] * dimensions if dimensions > 1 else None
    return ua.Variant(value, variant.VariantType, Dimensions=sizes, is_array=True)


async def check_range(
    session: Session, node: ua.NodeId, index: Index, kind: ua.VariantType, attempted: str
) -> list[int]:
    """Whether the server heeds ranges, and whether there is such an element of such a type.

    Returns:
        The sizes of the array.

    Raises:
        DriverError: there is no such element, or the server would not write it alone.
        Exception: any of ``faults.LIBRARY_ERRORS``.
    """
    for _ in range(_ATTEMPTS):
        values = await _read(session, node, ("", range_of(index)))
        sizes = _sizes(values, 0, attempted)
        _require_element(values, index, kind, attempted)
        if _is_that_element(values, index):
            return sizes
    raise DriverError(
        f"{attempted}: the server does not heed IndexRange when it reads, so it might replace the "
        "whole array; nothing was written. Let the machine's program show the element as a "
        "variable of its own"
    )


async def require_all_kept(
    session: Session, node: ua.NodeId, sizes: Sequence[int], attempted: str
) -> None:
    """Read the array once more.

    Raises:
        DriverError: it has another size than before.
        Exception: any of ``faults.LIBRARY_ERRORS``.
    """
    found = _sizes(await _read(session, node, ("",)), 0, attempted)
    if found != sizes:
        raise DriverError(
            f"{attempted}: the array had {_shown(sizes)} elements and has {_shown(found)} since: "
            "the server may have replaced it by the one element. Set the others again"
        )


def _require_element(values: Values, index: Index, kind: ua.VariantType, attempted: str) -> None:
    whole = int(values.variant[0])
    sizes = array_sizes(whole, values.bodies.get(0, b""))
    if len(sizes) != len(index) or any(at >= size for at, size in zip(index, sizes, strict=True)):
        what = f"an array of {_shown(sizes)}" if sizes else "no array"
        raise DriverError(f"{attempted}: the server's value is {what}; nothing was written")
    theirs = whole & TYPE_BITS
    if theirs != kind.value:
        raise DriverError(
            f"{attempted}: the server's elements are {ua.VariantType(theirs).name}, not "
            f"{kind.name}: change 'type'; nothing was written"
        )


def _is_that_element(values: Values, index: Index) -> bool:
    """Whether the second value is the wanted element of the first, and nothing else."""
    whole, ranged = (int(values.variant[at]) for at in (0, 1))
    body = values.bodies.get(1)
    if body is None or ranged & TYPE_BITS != whole & TYPE_BITS:
        return False
    if any(size != 1 for size in array_sizes(ranged, body)):
        return False
    first = (0,) * len(array_sizes(ranged, body))
    return find_part(ranged, body, (first,), {}) == find_part(whole, values.bodies[0], (index,), {})


def _sizes(values: Values, at: int, attempted: str) -> list[int]:
    code = int(values.code[at])
    if code >= BAD:
        raise DriverError(f"{attempted}: the server answered {name_of(code)}{hint_of(code)}")
    return array_sizes(int(values.variant[at]), values.bodies.get(at, b""))


async def _read(session: Session, node: ua.NodeId, ranges: Sequence[str]) -> Values:
    """The value of one node, once for each range; the empty one is all of it."""
    request = ua.ReadRequest()
    request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Neither
    request.Parameters.NodesToRead = [
        ua.ReadValueId(node, AttributeIds.Value, one or None) for one in ranges
    ]
    values = decode_read(await session.request(request))
    session.demand_all(values, len(ranges), "values")
    return values


def _shown(sizes: Sequence[int]) -> str:
    return " × ".join(map(str, sizes)) or "0"
