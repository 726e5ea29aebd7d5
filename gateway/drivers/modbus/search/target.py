"""Where a URL of Modbus units leads. Pure."""

from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from gateway.drivers.search import Target

EXAMPLE = "tcp://192.0.2.7:502?unit=1"
FORMS = (
    "tcp://host:port, udp://host:port and tls://host:port, with rtu+ or ascii+ before it for a "
    "serial server that only passes bytes on; serial:///dev/ttyUSB0?baud=9600&parity=even"
)
_CARRIERS = ("tcp", "udp", "tls", "serial")
_LINES = ("rtu", "ascii")
_NUMBERS = frozenset(
    {"unit", "request_timeout_ms", "pause_between_requests_ms", "baud", "stop_bits", "data_bits"}
)
_OF_PORT = ("baud", "parity", "stop_bits", "data_bits")
_OF_TLS = ("ca_file", "cert_file", "key_file", "server_name")


def target(url: str) -> Target:
    """The connection that a URL means; see ``FORMS``.

    Keys of the connection may follow behind ``?``: ``unit=7&request_timeout_ms=2000``, of a port
    its speed, of TLS its files.

    Raises:
        ValueError: it is none; says how one is written.
    """
    parts = urlsplit(url)
    framing, plus, carrier = parts.scheme.rpartition("+")
    if carrier not in _CARRIERS or (plus and framing not in _LINES):
        raise ValueError(f"{url!r} is no way to Modbus units; write {FORMS}")
    keys = {key: _value(key, value) for key, value in parse_qsl(parts.query)}
    unit = {"unit": keys.pop("unit")} if "unit" in keys else {}
    way = _port(parts, url, keys) if carrier == "serial" else _host(parts, url, keys, carrier)
    usual = "rtu" if carrier == "serial" else "tcp"
    return Target({**way, "framing": framing or usual, **keys}, unit)


def _port(parts: SplitResult, url: str, keys: dict[str, Any]) -> dict[str, Any]:
    if parts.netloc or len(parts.path) <= 1:
        raise ValueError(f"{url!r} names no port; write serial:///dev/ttyUSB0 with three strokes")
    return {"serial": {"port": parts.path, **_taken(keys, _OF_PORT)}}


def _host(parts: SplitResult, url: str, keys: dict[str, Any], carrier: str) -> dict[str, Any]:
    try:
        port = {} if parts.port is None else {"port": parts.port}
    except ValueError:
        port = {"port": 0}
    if not parts.hostname or parts.path not in ("", "/") or port == {"port": 0}:
        raise ValueError(f"{url!r} names no host and port; write it as {EXAMPLE}")
    tls = {"tls": _taken(keys, _OF_TLS)} if carrier == "tls" else {}
    transport = {} if carrier == "tcp" else {"transport": carrier}
    return {"host": parts.hostname, **port, **transport, **tls}


def _taken(keys: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: keys.pop(name) for name in names if name in keys}


def _value(key: str, text: str) -> Any:
    return int(text) if key in _NUMBERS and text.isdigit() else text
