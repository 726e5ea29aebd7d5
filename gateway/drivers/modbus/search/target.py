"""Where a URL of a Modbus unit leads. Pure."""

from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from gateway.drivers.search import Target

EXAMPLE = "tcp://192.0.2.7:502?unit=1"
_FRAMINGS = {"tcp": "tcp", "rtu+tcp": "rtu"}
_NUMBERS = frozenset({"unit", "request_timeout_ms", "pause_between_requests_ms"})


def target(url: str) -> Target:
    """The connection that a URL means.

    Args:
        url: ``tcp://host:port``, or ``rtu+tcp://host:port`` for a serial server that only passes
            bytes on; behind ``?`` keys of the connection, as ``unit=7&request_timeout_ms=2000``.

    Raises:
        ValueError: it is none; says how one is written.
    """
    parts = urlsplit(url)
    if parts.scheme not in _FRAMINGS:
        known = ", ".join(f"{one}://" for one in _FRAMINGS)
        raise ValueError(f"{url!r} begins with none of {known}; write it as {EXAMPLE}")
    host = _host(parts, url)
    keys = {key: _value(key, value) for key, value in parse_qsl(parts.query)}
    unit = {"unit": keys.pop("unit")} if "unit" in keys else {}
    port = {"port": parts.port} if parts.port else {}
    return Target({"host": host, **port, "framing": _FRAMINGS[parts.scheme], **keys}, unit)


def _host(parts: SplitResult, url: str) -> str:
    try:
        port_is_number = parts.port is None or parts.port > 0
    except ValueError:
        port_is_number = False
    if not parts.hostname or not port_is_number or parts.path not in ("", "/"):
        raise ValueError(f"{url!r} names no host and port; write it as {EXAMPLE}")
    return parts.hostname


def _value(key: str, text: str) -> Any:
    return int(text) if key in _NUMBERS and text.isdigit() else text
