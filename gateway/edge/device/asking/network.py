"""The way to a device, layer by layer, for a person who looks for a fault: name, route, port."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from gateway.drivers.extras import Finding
from gateway.edge.device.standing.faults import Fault, fault_of_system

Address = tuple[socket.AddressFamily, tuple[Any, ...]]


class Place(NamedTuple):
    """Host and port of a device."""

    host: str
    port: int


def place_of(endpoint: str) -> Place | None:
    """Host and port in an endpoint: ``plc:502``, ``[::1]:502``, ``opc.tcp://plc:4840/x``.

    Returns:
        None if it names none, as the path of a serial port.
    """
    try:
        parts = urlsplit(endpoint if "://" in endpoint else f"//{endpoint}")
        return Place(parts.hostname, parts.port) if parts.hostname and parts.port else None
    except ValueError:  # no port, no host
        return None


async def name_and_route(place: Place) -> AsyncIterator[Finding]:
    """Whether the name means an address, and the box has a way there; sends nothing to it."""
    tried = f"the name {place.host}"
    try:
        found = await _addresses(place)
    except (OSError, UnicodeError) as error:
        yield Finding("name", False, tried, str(error), Fault.NAME_UNKNOWN)
        return
    yield Finding("name", True, tried, ", ".join(str(address[0]) for _, address in found))
    yield _route(found)


async def _addresses(place: Place) -> list[Address]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys((family, address[:2]) for family, _, _, _, address in found))


def _route(addresses: list[Address]) -> Finding:
    """A datagram socket that is connected asks the system for the way, and sends nothing."""
    tried = f"a way to {addresses[0][1][0]}"
    fault: OSError | None = None
    for family, address in addresses:
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            try:
                asking.connect(address)
            except OSError as error:
                fault = error
            else:
                return Finding("route", True, tried, f"from {asking.getsockname()[0]}")
    return Finding("route", False, tried, str(fault), Fault.UNREACHABLE)


async def port_open(place: Place, timeout_s: float) -> Finding:
    """Whether the port takes a TCP connection, which is closed at once."""
    tried = f"a TCP connection to {place.host} port {place.port}"
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(place.host, place.port)
    except TimeoutError:
        found = f"no answer within {timeout_s:g} s"
        return Finding("port", False, tried, found, Fault.NO_CONNECTION)
    except OSError as error:
        return Finding("port", False, tried, str(error), fault_of_system(error))
    writer.close()
    return Finding("port", True, tried, "taken")
