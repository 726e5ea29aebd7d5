"""Messages of OPC UA in words, for people who look at a trace. Pure.

Only the beginning of a long message is kept, so whatever is read here may end anywhere.
"""

from collections.abc import Callable, Iterator
from struct import Struct

from gateway.drivers.frames import Direction, Frame
from gateway.drivers.opcua.encoding.binary import CodecError, Cursor
from gateway.drivers.opcua.encoding.codec import DATA_CHANGE, STATUS_CHANGE, service_result
from gateway.drivers.opcua.encoding.texts import node_id
from gateway.drivers.opcua.trace.keeping import HEAD, skip_request_header
from gateway.drivers.opcua.trace.services import FAULT, REQUESTS, RESPONSES
from gateway.drivers.opcua.trace.values import data_value

MOST_SHOWN = 6
"""Nodes, values and results of a message that are shown; the others are counted."""

Naming = Callable[[int], str]
"""The standard's name of a StatusCode."""

_CUT = "…"
_VALUE = 13
"""Attribute (Part 6, A.1)."""
_DOUBLE = Struct("<d")
_RENEWAL = 1


def explain(frame: Frame, name_of: Naming) -> str:
    """What a frame says; never raises."""
    if len(frame.data) < HEAD.size:
        return f"{len(frame.data)} bytes that are no message"
    _, _, size, number = HEAD.unpack_from(frame.data)
    is_request = frame.direction is Direction.SENT
    cursor = Cursor(frame.data, HEAD.size)
    said = " ".join(_while_it_lasts((_request if is_request else _response)(cursor, name_of)))
    return f"{'request' if is_request else 'answer'} {number}: {said} ({size:,} bytes)"


def _while_it_lasts(words: Iterator[str]) -> Iterator[str]:
    try:
        yield from words
    except CodecError:  # this is as much as was kept
        yield _CUT


def _request(cursor: Cursor, name_of: Naming) -> Iterator[str]:
    kind = cursor.node_id()
    service = REQUESTS.get(kind or 0)
    yield service or f"service {kind}"
    skip_request_header(cursor)
    details = _REQUEST_DETAILS.get(service or "")
    if details:
        yield from details(cursor, name_of)


def _response(cursor: Cursor, name_of: Naming) -> Iterator[str]:
    kind = cursor.node_id()
    service = RESPONSES.get(kind or 0)
    yield f"{service or f'service {kind}'}:"
    yield name_of(service_result(cursor))
    details = _RESPONSE_DETAILS.get(service or "")
    if details and service != FAULT:
        yield from details(cursor, name_of)


def _listed(cursor: Cursor, what: str, read: Callable[[Cursor], str]) -> Iterator[str]:
    """An array: how many there are, and the first of them."""
    count = max(cursor.int32(), 0)
    yield f"{count:,} {what}{'' if count == 1 else 's'}"
    shown = list(_while_it_lasts(read(cursor) for _ in range(min(count, MOST_SHOWN))))
    if count > MOST_SHOWN and shown[-1] != _CUT:
        shown.append(_CUT)
    if shown:
        yield f"– {'; '.join(shown)}"


def _wanted(cursor: Cursor) -> str:
    """A ReadValueId (Part 4, 7.29)."""
    node, attribute = node_id(cursor), cursor.uint32()
    part = cursor.string()
    cursor.skip_qualified_name()
    which = "" if attribute == _VALUE else f" attribute {attribute}"
    return f"{node}{f'[{part}]' if part else ''}{which}"


def _read(cursor: Cursor, _name_of: Naming) -> Iterator[str]:
    cursor.skip(12)  # age, which times
    yield from _listed(cursor, "attribute", _wanted)


def _write(cursor: Cursor, name_of: Naming) -> Iterator[str]:
    def one(cursor: Cursor) -> str:
        node, _, part = node_id(cursor), cursor.uint32(), cursor.string()
        return f"{node}{f'[{part}]' if part else ''} = {data_value(cursor, name_of)}"

    yield from _listed(cursor, "attribute", one)


def _browse(cursor: Cursor, _name_of: Naming) -> Iterator[str]:
    def one(cursor: Cursor) -> str:
        node = node_id(cursor)
        cursor.skip(4)
        cursor.node_id()
        cursor.skip(9)
        return node

    cursor.node_id()  # the view: all
    cursor.skip(16)  # its time and version, most references
    yield from _listed(cursor, "node", one)


def _publish(cursor: Cursor, _name_of: Naming) -> Iterator[str]:
    def one(cursor: Cursor) -> str:
        subscription, message = cursor.uint32(), cursor.uint32()
        return f"message {message} of subscription {subscription}"

    yield from _listed(cursor, "acknowledgement", one)


def _create_items(cursor: Cursor, _name_of: Naming) -> Iterator[str]:
    def one(cursor: Cursor) -> str:
        wanted = _wanted(cursor)
        cursor.skip(4)
        number, sampling = cursor.uint32(), _double(cursor)
        cursor.skip_extension_object()
        queue = cursor.uint32()
        cursor.skip(1)
        return f"{number}: {wanted}, each {sampling:g} ms, queue {queue}"

    yield f"in subscription {cursor.uint32()}:"
    cursor.skip(4)  # which times
    yield from _listed(cursor, "item", one)


def _create_subscription(cursor: Cursor, _name_of: Naming) -> Iterator[str]:
    interval, lifetime, alive = _double(cursor), cursor.uint32(), cursor.uint32()
    yield f"each {interval:g} ms, a sign of life after {alive}, ended after {lifetime} of them"


def _open_channel(cursor: Cursor, _name_of: Naming) -> Iterator[str]:
    cursor.skip(4)  # version
    yield "renewed" if cursor.uint32() == _RENEWAL else "new"


def _opened(cursor: Cursor, _name_of: Naming) -> Iterator[str]:
    cursor.skip(4)  # version
    channel, token = cursor.uint32(), cursor.uint32()
    cursor.skip(8)  # when
    yield f"channel {channel}, token {token}, for {cursor.uint32() / 1000:g} s"


def _values(cursor: Cursor, name_of: Naming) -> Iterator[str]:
    yield from _listed(cursor, "value", lambda one: data_value(one, name_of))


def _results(cursor: Cursor, name_of: Naming) -> Iterator[str]:
    yield from _listed(cursor, "result", lambda one: name_of(one.uint32()))


def _created_items(cursor: Cursor, name_of: Naming) -> Iterator[str]:
    def one(cursor: Cursor) -> str:
        result = name_of(cursor.uint32())
        cursor.skip(4)  # its number there
        sampling, queue = _double(cursor), cursor.uint32()
        cursor.skip_extension_object()
        return f"{result}, each {sampling:g} ms, queue {queue}"

    yield from _listed(cursor, "item", one)


def _created_subscription(cursor: Cursor, name_of: Naming) -> Iterator[str]:
    yield f"subscription {cursor.uint32()}"
    yield from _create_subscription(cursor, name_of)


def _published(cursor: Cursor, name_of: Naming) -> Iterator[str]:
    subscription = cursor.uint32()
    cursor.skip(4 * max(cursor.int32(), 0) + 1)  # what is kept there, whether there is more
    message = cursor.uint32()
    cursor.skip(8)  # when
    count = max(cursor.int32(), 0)
    yield f"subscription {subscription}, {f'message {message}' if count else 'a sign of life'}"
    for _ in range(min(count, 1)):
        yield from _notification(cursor, name_of)


def _notification(cursor: Cursor, name_of: Naming) -> Iterator[str]:
    """The first of a message; servers put all their changes into one."""
    kind = cursor.node_id()
    cursor.skip(5)  # that bytes follow, and how many
    if kind == DATA_CHANGE:
        yield "with"
        yield from _listed(cursor, "value", lambda one: _item(one, name_of))
    elif kind == STATUS_CHANGE:
        yield f"which ends: {name_of(cursor.uint32())}"


def _item(cursor: Cursor, name_of: Naming) -> str:
    return f"{cursor.uint32()}: {data_value(cursor, name_of)}"


def _double(cursor: Cursor) -> float:
    (number,) = _DOUBLE.unpack(cursor.take(_DOUBLE.size))
    return float(number)


_Details = Callable[[Cursor, Naming], Iterator[str]]

_REQUEST_DETAILS: dict[str, _Details] = {
    "OpenSecureChannel": _open_channel,
    "Browse": _browse,
    "Read": _read,
    "Write": _write,
    "CreateSubscription": _create_subscription,
    "CreateMonitoredItems": _create_items,
    "Publish": _publish,
}
_RESPONSE_DETAILS: dict[str, _Details] = {
    "OpenSecureChannel": _opened,
    "Read": _values,
    "Write": _results,
    "CreateSubscription": _created_subscription,
    "CreateMonitoredItems": _created_items,
    "DeleteMonitoredItems": _results,
    "DeleteSubscriptions": _results,
    "Publish": _published,
}
