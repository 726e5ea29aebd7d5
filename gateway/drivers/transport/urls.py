"""URLs that say where devices are reached: host and port or a serial port, and keys. Pure."""

from dataclasses import dataclass, fields
from typing import Any, NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlsplit

from edge_config.models.settings import Settings
from gateway.drivers.transport.settings import SerialSettings

SERIAL = "serial"
"""The carrier of a serial port."""


class Reached(NamedTuple):
    """What a URL says.

    Attributes:
        carrier: what carries the messages: ``tcp``, ``serial`` …
        framing: what stands before ``+`` and the carrier; empty: nothing.
        way: host and port, or the serial port with its settings, as ``connection:`` has them.
        keys: the others behind ``?``; numbers are numbers.
    """

    carrier: str
    framing: str
    way: dict[str, Any]
    keys: dict[str, Any]


@dataclass(frozen=True, slots=True)
class UrlForm:
    """How URLs of a driver's devices are written.

    Attributes:
        devices: what they lead to, for messages: ``Modbus units``.
        example: one.
        forms: all forms, for messages.
        model: of a connection: its keys may follow behind ``?``.
        carriers: those that there are.
        framings: what may stand before one, with a ``+`` between.
    """

    devices: str
    example: str
    forms: str
    model: type[Settings]
    carriers: tuple[str, ...] = ("tcp",)
    framings: tuple[str, ...] = ()

    def read(self, url: str) -> Reached:
        """What a URL says.

        Raises:
            ValueError: it is none of this form; says how one is written.
        """
        parts = urlsplit(url)
        framing, plus, carrier = parts.scheme.rpartition("+")
        if carrier not in self.carriers or (plus and framing not in self.framings):
            raise ValueError(f"{url!r} is no way to {self.devices}; write {self.forms}")
        keys = dict(parse_qsl(parts.query))
        if carrier == SERIAL:
            way: dict[str, Any] = {"serial": {"port": _port(parts, url), **_of_port(keys)}}
        else:
            way = self._host(parts, url)
        if twice := sorted(keys.keys() & {"host", "port", *way}):
            raise ValueError(f"{url!r} says {twice[0]} behind '?', too; it stands before it")
        return Reached(carrier, framing, way, _with_numbers(self.model, keys))

    def _host(self, parts: SplitResult, url: str) -> dict[str, Any]:
        try:
            port = {} if parts.port is None else {"port": parts.port}
        except ValueError:
            port = {"port": 0}
        if not parts.hostname or parts.path not in ("", "/") or port == {"port": 0}:
            raise ValueError(f"{url!r} names no host and port; write it as {self.example}")
        return {"host": parts.hostname, **port}


def _port(parts: SplitResult, url: str) -> str:
    if parts.netloc or len(parts.path) <= 1:
        raise ValueError(f"{url!r} names no port; write serial:///dev/ttyUSB0 with three strokes")
    return parts.path


def _of_port(keys: dict[str, str]) -> dict[str, Any]:
    """Settings of a serial port, taken out of the keys."""
    names = [one.name for one in fields(SerialSettings) if one.name in keys]
    return _with_numbers(SerialSettings, {name: keys.pop(name) for name in names})


def _with_numbers(model: type[Settings], keys: dict[str, str]) -> dict[str, Any]:
    """Keys with numbers where the model has some; what is none is left for it to refuse."""
    numbers = {one.name for one in fields(model) if one.type in (int, int | None)}
    return {
        key: int(text) if key in numbers and text.isdecimal() else text
        for key, text in keys.items()
    }
