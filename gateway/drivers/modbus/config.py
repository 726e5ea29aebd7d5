"""What an operator writes for a Modbus device: ``connection:``."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from edge_config.models.base import Host
from edge_config.models.settings import Field, Settings
from gateway.drivers.frames import NOT_KEPT, FrameLog
from gateway.drivers.modbus.codec import MAX_READ_BITS, MAX_READ_REGISTERS
from gateway.drivers.modbus.framing.quirks import NO_QUIRKS, Quirk, Quirks
from gateway.drivers.modbus.notations.ranges import RangeText
from gateway.drivers.modbus.types.orders import Order
from gateway.drivers.transport.endpoint import endpoint_of
from gateway.drivers.transport.settings import DeviceTls, SerialSettings

REQUEST_TIMEOUT_MS = 1_000
"""Unless written otherwise; then, and only then, it may be longer than the device's
``timeout_ms``, which cuts it short."""


class Framing(StrEnum):
    """How requests are wrapped on the connection."""

    AUTO = "auto"
    TCP = "tcp"
    RTU = "rtu"
    ASCII = "ascii"


class Transport(StrEnum):
    """What carries them to a host."""

    TCP = "tcp"
    UDP = "udp"
    TLS = "tls"


DEFAULT_PORT = {Transport.TCP: 502, Transport.UDP: 502, Transport.TLS: 802}
"""Registered at IANA: mbap and mbap-s."""


class Connection(Settings):
    """How to reach one unit: by a host or a serial port. Its units share what is opened there."""

    host: Host | None = Field(default=None, description="name or IP address")
    port: int | None = Field(
        default=None, ge=1, le=65535, description="port of the host; 502, with TLS 802"
    )
    transport: Transport = Field(
        default=Transport.TCP, description="what carries requests to the host: tcp, udp or tls"
    )
    tls: DeviceTls | None = Field(
        default=None, description="certificates of Modbus/TCP Security, for transport: tls"
    )
    serial: SerialSettings | None = Field(
        default=None,
        description="serial port instead of a host: its path or a mapping; 9600 8N1 unless written",
    )
    unit: int = Field(
        default=1, ge=0, le=255, description="unit id; often 1, 0 or 255 without a gateway"
    )
    framing: Framing = Field(
        default=Framing.AUTO,
        description="tcp: Modbus TCP; rtu or ascii: frames of a serial line, from a transparent "
        "serial server; auto: Modbus TCP, and RTU is tried where it is not answered; on a serial "
        "port RTU",
    )
    connections: int | None = Field(
        default=None, ge=1, le=64, description="connections that units of this host and port share"
    )
    pause_after_connect_ms: int | None = Field(
        default=None,
        ge=0,
        le=60_000,
        description="wait before the first request of a connection; left out, it is found out",
    )
    pause_between_requests_ms: int | None = Field(
        default=None,
        ge=0,
        le=10_000,
        description="wait between an answer and the next request; left out, 100 is found out",
    )
    unit_pause_ms: int = Field(
        default=0,
        ge=0,
        le=10_000,
        description="wait between an answer of this unit and the next request to it; others of "
        "the line are asked meanwhile",
    )
    order: Order = Field(
        default=Order.ABCD,
        description="byte order of all addresses that name none; A is the most significant byte",
    )
    baud: int | None = Field(
        default=None,
        ge=300,
        le=12_000_000,
        description="baud rate of the serial line behind it, for qulink check",
    )
    window: int | None = Field(
        default=None,
        ge=1,
        le=16,
        description="requests of one reading under way at once, 1 on serial lines; left out, it is "
        "found out for a device that is alone at its endpoint",
    )
    max_gap: int = Field(
        default=8,
        ge=0,
        le=120,
        description="unused registers (×16 bits) read to save a request; 0: none",
    )
    max_registers: int = Field(
        default=MAX_READ_REGISTERS,
        ge=1,
        le=MAX_READ_REGISTERS,
        description="most registers in a request",
    )
    max_bits: int = Field(
        default=MAX_READ_BITS,
        ge=1,
        le=MAX_READ_BITS,
        description="most coils or discretes in a request",
    )
    request_timeout_ms: int | None = Field(
        default=None,
        ge=20,
        le=60_000,
        description="longest wait for one answer, 1000 by default; then the unit is silent",
    )
    quirks: tuple[Quirk, ...] = Field(
        default=(),
        description="departures from Modbus TCP that are let through; see the driver's page",
    )
    forbidden: tuple[RangeText, ...] = Field(
        default=(),
        description="ranges that are never read, nor read across, as holding:100-199",
    )
    whole_blocks: tuple[RangeText, ...] = Field(
        default=(),
        description="ranges that are read whole or not at all, as holding:0-39",
    )
    one_request_per_tag: bool = Field(
        default=False, description="read each address by a request of its own"
    )
    read_function: int | None = Field(
        default=None,
        ge=3,
        le=4,
        description="function that reads all registers, input or holding, of a device that knows "
        "one of 3 and 4 only",
    )
    write_function: int | None = Field(
        default=None,
        ge=23,
        le=23,
        description="23: write registers by function 23, of a device that knows neither 6 nor 16",
    )
    write_multiple: bool = Field(
        default=False,
        description="write single values by functions 15 and 16 (devices without 5 and 6)",
    )

    def __post_init__(self) -> None:
        if (self.host is None) == (self.serial is None):
            raise ValueError(
                "give exactly one of 'host' (TCP, UDP, TLS, a serial server) and 'serial' (a port "
                "of this machine)"
            )
        if (self.tls is None) == (self.transport is Transport.TLS):
            raise ValueError("'transport: tls' and 'tls' (its certificates) belong together")

    @property
    def host_port(self) -> tuple[str, int]:
        """Of a unit that is reached by a host."""
        assert self.host is not None  # noqa: S101 - or it has a serial port
        return self.host, self.port or DEFAULT_PORT[self.transport]


@dataclass(frozen=True, slots=True)
class Unit:
    """Whom to ask, and how.

    Attributes:
        number: 0…255.
        window: most requests under way.
        timeout_s: longest silence while answers are missing, from the moment of sending.
        quirks: how it departs from Modbus TCP.
        frames: what goes to it and comes from it.
        pause_s: for so long after each exchange it is asked nothing.
        knock_s: how long its first answer is waited for, if that is less than ``timeout_s``; 0: it
            is not. What comes later than that may come until ``timeout_s`` is over.
    """

    number: int
    window: int
    timeout_s: float
    quirks: Quirks = NO_QUIRKS
    frames: FrameLog = NOT_KEPT
    pause_s: float = 0.0
    knock_s: float = 0.0


NOBODY = Unit(0, 1, 0.0)
"""Who was asked last over a connection that is new."""


def endpoint(connection: Connection) -> str:
    """``host:port``, ``host:port/udp``, ``host:port/tls``, or the path of the serial port."""
    if connection.serial is not None:
        return connection.serial.port
    host, port = connection.host_port
    return endpoint_of(host, port, connection.transport)


def key(connection: Connection) -> str:
    """The far end of a link: its endpoint, in which capitals of a host do not count."""
    path = endpoint(connection)
    return path if connection.serial is not None else path.lower()


def unit(connection: Connection) -> tuple[str, int, int]:
    """What makes the physical unit: host and port, or serial port, and unit id."""
    if connection.serial is not None:
        return connection.serial.port, 0, connection.unit
    host, port = connection.host_port
    return host.lower(), port, connection.unit


def is_line(connection: Connection) -> bool:
    """Whether it speaks as on a serial line, where no answer says which request it belongs to."""
    return connection.serial is not None or connection.framing in LINES


LINES = frozenset({Framing.RTU, Framing.ASCII})
"""Framings of serial lines."""


SHARED = ("framing", "connections", "pause_after_connect_ms", "pause_between_requests_ms", "baud")
"""Settings of what units of one host and port share; one that is left out follows the others."""


def shared(connections: Sequence[Connection], key: str) -> Any:
    """What the units of one host and port say of a shared setting; None if none says anything."""
    values = (getattr(connection, key) for connection in connections)
    return next((value for value in values if value not in (None, Framing.AUTO)), None)
