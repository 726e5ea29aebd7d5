"""A test of a device's connection that says which layer fails; it needs no tag that is right."""

from collections.abc import AsyncIterator, Callable

from gateway.core.status import Quality, Reason
from gateway.drivers.api import Driver, DriverError
from gateway.drivers.extras import Finding
from gateway.edge.device.asking.network import name_and_route, place_of, port_open
from gateway.edge.device.asking.reading import Askable, read_once
from gateway.edge.device.asking.requests import CannotAskError
from gateway.edge.device.model import DeviceModel
from gateway.edge.device.standing.faults import loss_of
from gateway.edge.live.devices import UNREADABLE, DeviceRecord
from gateway.edge.live.naming import all_called
from gateway.edge.live.records import TagLive

NAMED_TAGS = 5
"""Tags that are named of those that cannot be read."""


async def way_to(model: DeviceModel, *, is_connected: bool) -> AsyncIterator[Finding]:
    """Name, route and port, up to the first that fails.

    Args:
        model: the device.
        is_connected: a session stands; a further connection might end it, so none is tried.
    """
    place = place_of(model.endpoint)
    if place is None:
        return
    async for finding in name_and_route(place):
        yield finding
        if finding.is_ok is False:
            return
    is_stream = getattr(model.resolved.connection, "transport", "tcp") != "udp"
    if is_stream and not is_connected:
        yield await port_open(place, model.config.connect_timeout_ms / 1000)


def connecting(model: DeviceModel, error: Exception | None) -> Finding:
    """What became of the driver's own connecting: TLS, protocol, login."""
    tried = f"connect as driver {model.spec.name} to {model.endpoint}"
    if error is None:
        return Finding("connect", True, tried, "connected")
    _, detail, fault = loss_of(error)
    return Finding("connect", False, tried, detail, fault)


def not_connected(model: DeviceModel, record: DeviceRecord) -> Finding:
    """The same of a device that a gateway runs and cannot connect now."""
    tried = f"what the gateway found as driver {model.spec.name} at {model.endpoint}"
    found = record.detail or "it is being connected"
    return Finding("connect", False, tried, found, record.fault)


async def examined(device: Askable, now_ms: Callable[[], int]) -> AsyncIterator[Finding]:
    """What the driver finds out of a connected device, and which of its tags can be read."""
    is_there = True
    try:
        async for finding in _own(device):
            yield finding
            is_there &= finding.is_ok is not False
        tags = [one.renamed() for one in all_called(device.model.resolved)]
        if is_there and tags:
            yield _addresses(await read_once(device, tags, now_ms))
    except CannotAskError as error:
        yield Finding("connect", False, "ask the device", str(error))
    except (DriverError, TimeoutError) as error:
        _, detail, fault = loss_of(error)
        yield Finding("address", False, "read all tags of the device", detail, fault)


async def _own(device: Askable) -> AsyncIterator[Finding]:
    """The driver's own steps, each in a turn of its own."""

    async def begin(driver: Driver) -> AsyncIterator[Finding] | None:
        return driver.diagnose() if hasattr(driver, "diagnose") else None

    steps = await device.ask(begin, urgent=False)

    async def go_on(_: Driver) -> Finding | None:
        return None if steps is None else await anext(steps, None)

    while (finding := await device.ask(go_on, urgent=False)) is not None:
        yield finding


def _is_wrong(tag: TagLive) -> bool:
    """Whether its address, or its type, may be wrong."""
    return tag.quality is Quality.BAD and tag.reason is not Reason.NO_VALUE


def _addresses(tags: list[TagLive]) -> Finding:
    # A device that says that it has no value has answered: the address is right.
    empty = sum(tag.reason is Reason.NO_VALUE for tag in tags)
    bad = [tag for tag in tags if _is_wrong(tag)]
    names = ", ".join(f"{tag.name} ({tag.reason.code})" for tag in bad[:NAMED_TAGS])
    more = f" and {len(bad) - NAMED_TAGS} more" if len(bad) > NAMED_TAGS else ""
    found = f"{len(tags) - len(bad)} of {len(tags)} are readable"
    found += f"; not: {names}{more}" if bad else ""
    found += f"; {empty} of them the device has no value for now" if empty else ""
    fault = UNREADABLE if 2 * len(bad) > len(tags) else ""
    return Finding("address", not bad, "read all tags of the device", found, fault)
