"""What an operator writes for a MELSEC controller: ``connection:``."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, NamedTuple

from edge_config.models.base import Host
from edge_config.models.gateway import DeviceConfig
from edge_config.models.settings import Field, Settings
from gateway.drivers.transport.endpoint import endpoint_of

TIMER_STEP_MS = 250
"""Unit of the monitoring timer in a message."""


REQUEST_TIMEOUT_MS = 2_000
"""Unless written otherwise; then, and only then, it may be longer than the device's
``timeout_ms``, which cuts it short."""


class Frame(StrEnum):
    """How requests are framed; only 4E frames carry serial numbers."""

    E3 = "3e"
    E4 = "4e"


class Transport(StrEnum):
    """How the controller's port is set."""

    TCP = "tcp"
    UDP = "udp"


class Series(StrEnum):
    """How devices are named in a request."""

    Q = "q"
    IQR = "iqr"


class Connection(Settings):
    """How to reach a controller by MC protocol (SLMP), binary code.

    In the controller's Ethernet settings a port must be open for MC protocol (SLMP) in binary code;
    it serves one connection. Stations behind one port share it in 4e frames.
    """

    host: Host = Field(description="name or IP address")
    port: int = Field(
        ge=1,
        le=65535,
        description="TCP port as set in the controller's parameters, there often in hexadecimal",
    )
    transport: Transport = Field(
        default=Transport.TCP, description="tcp, or udp in 4e frames, where the port is set to it"
    )
    frame: Frame = Field(
        default=Frame.E3,
        description="3e: understood by all; 4e: answers carry serial numbers, where it is known",
    )
    series: Series = Field(
        default=Series.Q,
        description="q: understood by Q, L, iQ-R and iQ-F; iqr: numbers and devices of iQ-R only",
    )
    network: int = Field(default=0, ge=0, le=255, description="network number; 0: the own one")
    pc: int = Field(default=255, ge=0, le=255, description="PC number; 255: the own station")
    io: int = Field(
        default=0x3FF,
        ge=0,
        le=0x3FF,
        description="module I/O number; 1023 (3FFH): own CPU, 992 (3E0H) and on: CPU 1 and on",
    )
    multidrop: int = Field(default=0, ge=0, le=31, description="station number on a multidrop line")
    monitoring_timer_ms: int = Field(
        default=1_000,
        ge=TIMER_STEP_MS,
        le=60_000,
        description=f"longest wait of the Ethernet module for its CPU, in steps of {TIMER_STEP_MS}",
    )
    request_timeout_ms: int | None = Field(
        default=None,
        ge=20,
        le=60_000,
        description=f"longest wait for one answer, {REQUEST_TIMEOUT_MS} by default; longer than "
        "monitoring_timer_ms",
    )
    max_words: int = Field(
        default=960, ge=1, le=960, description="most words in a request; 960 in all MELSEC series"
    )
    max_gap: int = Field(
        default=64, ge=0, le=900, description="unused words read to save a request; 0: none"
    )
    random_read: bool = Field(
        default=True, description="read scattered devices together by command 0403"
    )

    def __post_init__(self) -> None:
        if self.transport is Transport.UDP and self.frame is Frame.E3:
            raise ValueError(
                "udp needs frame: 4e: 3e answers have no number, and a datagram that comes twice "
                "would pass for the next answer"
            )


class Route(NamedTuple):
    """Whom a message is for, as it stands in its head: which CPU of which station."""

    network: int
    pc: int
    io: int
    station: int


def route(connection: Connection) -> Route:
    """The controller behind a connection."""
    return Route(connection.network, connection.pc, connection.io, connection.multidrop)


def endpoint(connection: Connection) -> str:
    """``host:port``, of UDP ``host:port/udp``."""
    return endpoint_of(connection.host, connection.port, connection.transport)


def unit(connection: Connection) -> tuple[Any, ...]:
    """What makes the controller: where it is reached, and its numbers there."""
    return connection.host.lower(), connection.port, *route(connection)


def key(connection: Connection) -> tuple[Any, ...]:
    """What devices of one connection have in common.

    Answers in 3E frames have no number: after one was given up, the connection ends. So stations
    share one in 4E frames only; in 3E frames those that are one CPU do.
    """
    whose = route(connection) if connection.frame is Frame.E3 else None
    place = connection.host.lower(), connection.port, str(connection.transport)
    return *place, str(connection.frame), whose


def misfits(connection: Connection, device: DeviceConfig) -> Iterator[tuple[str, str]]:
    """Waits that would always cut each other short."""
    written, timer = connection.request_timeout_ms, connection.monitoring_timer_ms
    wait = written or REQUEST_TIMEOUT_MS
    if written is not None and written > device.timeout_ms:
        whole = f"the device's timeout_ms {device.timeout_ms}, the wait for a whole reading"
        yield "request_timeout_ms", f"{wait} is longer than {whole}"
    if timer >= wait:
        late = "what the module says of a silent CPU would come too late"
        yield (
            "monitoring_timer_ms",
            f"{timer} is not shorter than request_timeout_ms {wait}: {late}",
        )
