"""What an operator writes for a meter: ``connection:``. Pure."""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated

from edge_config.models.base import Host
from edge_config.models.gateway import DeviceConfig
from edge_config.models.settings import Field, Rule, Settings
from edge_config.models.wide import narrow
from gateway.drivers.dlt645.codec import ANYBODY
from gateway.drivers.transport.endpoint import endpoint_of
from gateway.drivers.transport.settings import (
    Parity,
    Port,
    SerialSettings,
    agreed_port,
    port_conflicts,
)

REQUEST_TIMEOUT_MS = 1_000
"""Unless written otherwise; a meter begins to answer within 500 ms (5.2.2)."""

USUAL_PORT = Port(path="", baud=2_400, parity=Parity.EVEN, stop_bits=1)
"""5.1: 2400 baud, even parity, one stop bit."""

BROADCAST = "9" * 12
"""Meant for all meters of a line at once (5.2.4); none of them answers."""
DATA_BITS = 8

_DIGITS = re.compile(r"[0-9]{1,12}", re.ASCII)


def _meter(text: str) -> str:
    bare = narrow(text).replace(" ", "").upper()
    if bare == ANYBODY:
        return bare
    if not _DIGITS.fullmatch(bare):
        raise ValueError(
            f"{text!r} is no meter address: up to 12 digits as on the plate, or {ANYBODY} for the "
            "only meter of a line"
        )
    if bare == BROADCAST:
        raise ValueError(f"{text} is for all meters of a line at once, and none of them answers")
    return bare.zfill(12)


Meter = Annotated[str, Rule(_meter)]
"""Twelve digits; leading zeros may be left out."""


class Connection(Settings):
    """How to reach one meter. Meters of one serial port or serial server share it.

    Exactly one of ``host`` and ``serial`` is written.
    """

    meter: Meter = Field(
        description=f"address on the plate, up to 12 digits in quotes; {ANYBODY}: whoever is there"
    )
    host: Host | None = Field(default=None, description="name or IP address of a serial server")
    port: int | None = Field(
        default=None, ge=1, le=65535, description="TCP port of the serial server"
    )
    serial: SerialSettings | None = Field(
        default=None, description="serial port; 2400 baud, 8E1, unless written otherwise"
    )
    request_timeout_ms: int | None = Field(
        default=None,
        ge=50,
        le=60_000,
        description=f"longest wait for an answer to begin, {REQUEST_TIMEOUT_MS} by default",
    )
    wake_up: int = Field(
        default=4, ge=0, le=16, description="bytes FE before a request, for optical heads above all"
    )

    def __post_init__(self) -> None:
        if (self.host is None) == (self.serial is None):
            raise ValueError("needs exactly one of 'host' (a serial server) and 'serial' (a port)")
        if (self.host is None) != (self.port is None):
            raise ValueError("'host' and 'port' go together")
        if self.serial is not None and self.serial.data_bits not in (None, DATA_BITS):
            raise ValueError("DL/T 645 has 8 data bits; leave 'data_bits' out")


def endpoint(connection: Connection) -> str:
    """``host:port``, or the path of the serial port."""
    if connection.serial is not None:
        return connection.serial.port
    return endpoint_of(str(connection.host), connection.port or 0)


def key(connection: Connection) -> str:
    """The far end of a line: its endpoint, in which capitals of a host do not count."""
    path = endpoint(connection)
    return path if connection.serial is not None else path.lower()


def unit(connection: Connection) -> tuple[str, str]:
    """What makes the physical meter: its address, on its line."""
    return key(connection), connection.meter


def port_of(connections: Sequence[Connection]) -> Port | None:
    """The serial port of meters that share it; None: they are behind a serial server."""
    settings = [one.serial for one in connections if one.serial is not None]
    return agreed_port(settings, USUAL_PORT) if settings else None


def misfits(connection: Connection, device: DeviceConfig) -> Iterator[tuple[str, str]]:
    """A wait for one answer that the wait for the whole reading would always cut short."""
    wait = connection.request_timeout_ms
    if wait is not None and wait > device.timeout_ms:
        whole = f"the device's timeout_ms {device.timeout_ms}, the wait for a whole reading"
        yield "request_timeout_ms", f"{wait} is longer than {whole}"


def conflicts(connections: Sequence[Connection]) -> Iterator[tuple[int, str, str]]:
    """What contradicts an earlier meter of the same line."""
    if len({one.meter for one in connections}) > 1:
        for position, one in enumerate(connections):
            if one.meter == ANYBODY:
                all_answer = "all meters of the line would answer at once: write its address"
                yield position, "meter", f"{ANYBODY} is for a line with one meter; {all_answer}"
    settings = [one.serial for one in connections if one.serial is not None]
    for position, name, why in port_conflicts(settings):
        yield position, "serial", f"{name}: {why}"
