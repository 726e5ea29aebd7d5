"""What an operator writes for a SIMATIC controller: ``connection:``."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from edge_config.models.base import Host
from edge_config.models.gateway import DeviceConfig
from edge_config.models.settings import Field, Settings
from edge_config.models.wide import narrow

REQUEST_TIMEOUT_MS = 2_000
"""Unless written otherwise; then, and only then, it may be longer than the device's
``timeout_ms``, which cuts it short."""

_TSAPS = ("local_tsap", "remote_tsap")
_TSAP = re.compile(r"([0-9A-F]{2})\.([0-9A-F]{2})", re.ASCII | re.IGNORECASE)


def _tsap(key: str, written: Any) -> Any:
    """The number of a TSAP as Siemens' tools show it: two bytes in hexadecimal, ``03.00``."""
    match = _TSAP.fullmatch(narrow(written).strip()) if isinstance(written, str) else None
    if match is not None:
        return int("".join(match.groups()), 16)
    if isinstance(written, float) or (isinstance(written, str) and "." in written):
        raise ValueError(f"{key} {written}: write it in quotes, as '03.00', or as 0x0300")
    return written


class As(StrEnum):
    """As what the gateway introduces itself; a controller has so many places for each."""

    PG = "pg"
    OP = "op"
    BASIC = "basic"

    @property
    def number(self) -> int:
        """In the called TSAP."""
        return {As.PG: 1, As.OP: 2, As.BASIC: 3}[self]


class Connection(Settings):
    """How to reach a controller by S7 communication (PUT/GET), ISO on TCP."""

    host: Host = Field(description="name or IP address")
    port: int = Field(default=102, ge=1, le=65535, description="TCP port")
    rack: int = Field(default=0, ge=0, le=7, description="rack of the CPU")
    slot: int = Field(
        default=1, ge=0, le=31, description="slot of the CPU: 1 of S7-1200 and 1500, 2 of S7-300"
    )
    connect_as: As = Field(
        default=As.PG, description="pg, op or basic: whose places in the controller are used"
    )
    local_tsap: int = Field(
        default=0x0100,
        ge=0,
        le=0xFFFF,
        description="own TSAP, for LOGO! and S7-200: '02.00' or 0x0200",
    )
    remote_tsap: int | None = Field(
        default=None,
        ge=0,
        le=0xFFFF,
        description="TSAP of the controller in place of rack, slot and connect_as: '03.00' or "
        "0x0300",
    )
    max_pdu: int = Field(
        default=960,
        ge=240,
        le=960,
        description="longest message asked for; the controller may allow less",
    )
    max_gap: int = Field(
        default=16, ge=0, le=200, description="unused bytes read to save a part of a request"
    )
    request_timeout_ms: int | None = Field(
        default=None,
        ge=20,
        le=60_000,
        description=f"longest wait for one answer, {REQUEST_TIMEOUT_MS} by default",
    )

    @classmethod
    def from_written(cls, written: Any) -> Any:
        """TSAPs may be written as Siemens' tools show them."""
        if not isinstance(written, dict):
            return written
        return written | {key: _tsap(key, written[key]) for key in _TSAPS if key in written}


def tsap(connection: Connection) -> int:
    """Whom the connection is for: what introduces us, rack and slot."""
    if connection.remote_tsap is not None:
        return connection.remote_tsap
    return connection.connect_as.number << 8 | connection.rack << 5 | connection.slot


def endpoint(connection: Connection) -> str:
    """``host:port``; an IPv6 address stands in brackets."""
    host = f"[{connection.host}]" if ":" in connection.host else connection.host
    return f"{host}:{connection.port}"


def unit(connection: Connection) -> tuple[str, int, int]:
    """What makes the controller: where it is reached, and which CPU; not as whom."""
    return connection.host.lower(), connection.port, tsap(connection) & 0xFF


def misfits(connection: Connection, device: DeviceConfig) -> Iterator[tuple[str, str]]:
    """A wait that would always be cut short, and settings that take each other's place."""
    wait = connection.request_timeout_ms
    if wait is not None and wait > device.timeout_ms:
        whole = f"the device's timeout_ms {device.timeout_ms}, the wait for a whole reading"
        yield "request_timeout_ms", f"{wait} is longer than {whole}"
    beside = (connection.rack, connection.slot, connection.connect_as)
    if connection.remote_tsap is not None and beside != (0, 1, As.PG):
        yield "remote_tsap", "takes the place of rack, slot and connect_as; leave those out"
