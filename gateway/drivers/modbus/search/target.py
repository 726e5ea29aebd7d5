"""Where a URL of Modbus units leads. Pure."""

from typing import Any

from gateway.drivers.modbus.config import Connection
from gateway.drivers.search import Target
from gateway.drivers.transport.urls import SERIAL, UrlForm

EXAMPLE = "tcp://192.0.2.7:502?unit=1"
FORM = UrlForm(
    devices="Modbus units",
    example=EXAMPLE,
    forms="tcp://host:port, udp://host:port and tls://host:port, with rtu+ or ascii+ before it for "
    "a serial server that only passes bytes on; serial:///dev/ttyUSB0?baud=9600&parity=even",
    model=Connection,
    carriers=("tcp", "udp", "tls", SERIAL),
    framings=("rtu", "ascii"),
)
_OF_TLS = ("ca_file", "cert_file", "key_file", "server_name")


def target(url: str) -> Target:
    """The connection that a URL means; see ``FORM``.

    Keys of the connection may follow behind ``?``: ``unit=7&request_timeout_ms=2000``, of a port
    its speed, of TLS its files.

    Raises:
        ValueError: it is none; says how one is written.
    """
    carrier, framing, way, keys = FORM.read(url)
    unit = _taken(keys, ("unit",))
    if carrier == "tls":
        way["tls"] = _taken(keys, _OF_TLS)
    if carrier in ("udp", "tls"):
        way["transport"] = carrier
    usual = "rtu" if carrier == SERIAL else "tcp"
    return Target({**way, "framing": framing or usual, **keys}, unit)


def _taken(keys: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: keys.pop(name) for name in names if name in keys}
