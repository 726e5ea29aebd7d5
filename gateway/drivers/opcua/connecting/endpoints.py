"""What a server offers: its endpoints, and the time by its own clock."""

from urllib.parse import urlsplit

from gateway.drivers.api import DriverError
from gateway.drivers.frames import NOT_KEPT, FrameLog
from gateway.drivers.opcua.config import Connection
from gateway.drivers.opcua.connecting.client import GatewayClient, new_client
from gateway.drivers.opcua.faults import LIBRARY_ERRORS, translate


async def discover(connection: Connection, frames: FrameLog = NOT_KEPT) -> GatewayClient:
    """Ask a server for its endpoints; some tell them beneath their path only (Part 6, 7.5).

    Args:
        connection: to which server, and how.
        frames: where messages are kept.

    Returns:
        A client that is closed again, with ``endpoints`` and ``server_time``.

    Raises:
        OSError: nobody is there, or the server does not answer in time.
        DriverError: it does not tell.
    """
    if connection.discovery_url is not None:
        return await _asked(connection, connection.discovery_url, frames)
    beneath = _beneath(connection.url)
    try:
        return await _asked(connection, connection.url, frames)
    except LIBRARY_ERRORS as error:
        if _is_nobody_there(error):
            raise
        try:
            return await _asked(connection, beneath, frames)
        except LIBRARY_ERRORS:
            fault = translate(error, f"connect to {connection.endpoint}")
            raise _with_advice(fault, beneath) from error


def _is_nobody_there(error: Exception) -> bool:
    """Whether no server has answered: then no other path can help."""
    has_hung_up = isinstance(error, ConnectionError) and not isinstance(
        error, ConnectionRefusedError
    )
    return isinstance(error, OSError) and not has_hung_up


def _with_advice(fault: DriverError, beneath: str) -> DriverError:
    """The fault of the first attempt, which is the one that people know the address of."""
    return type(fault)(
        f"{fault}; it tells its endpoints there no more than at {beneath}: if they are told "
        "elsewhere, set discovery_url"
    )


async def _asked(connection: Connection, url: str, frames: FrameLog) -> GatewayClient:
    client = new_client(connection, url, frames)
    try:
        client.endpoints = await client.connect_and_get_server_endpoints()
    finally:
        client.abort()
    return client


def _beneath(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(path=f"{parts.path.rstrip('/')}/discovery").geturl()
