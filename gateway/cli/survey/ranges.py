"""A range of a device that is read for a person: of a configuration, or of a URL."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.edge.asking.by_url import connection_of
from gateway.cli.edge.asking.opening import alone, ask_running, load, refuse, run
from gateway.cli.edge.asking.points import resolved_named

if TYPE_CHECKING:
    from gateway.core.batch import Reading
    from gateway.drivers.api import Value
    from gateway.drivers.search import CandidateValue, Detective
    from gateway.drivers.spec import DriverSpec
    from gateway.edge.control.values import AskedAddress
    from gateway.edge.device.asking.alone import Alone

_TIMEOUT_S = 15.0
"""Longest wait for a device that no configuration names."""


@dataclass(frozen=True, slots=True)
class Range:
    """Some cells of a device.

    Attributes:
        table: in the driver's words; empty: the usual one.
        address: of the first cell.
        count: how many.
    """

    table: str
    address: int
    count: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A range that can be read.

    Attributes:
        read: what it holds now, in every way.
        text: an address as it is written for this device: in the notation of its profile.
    """

    read: "Callable[[], Sequence[CandidateValue]]"
    text: Callable[[Any], str]


def open_range(where: str, device: str | None, driver: str, wanted: Range) -> Opened:
    """What reads a range of a configured device, or of one that a URL names, in every way.

    Mistakes, and a device that cannot be read, exit 1.
    """
    if "://" in where:
        return _of_url(where, driver, wanted)
    if device is None:
        refuse(f"{where}: name a device of this configuration, or give a URL")
    return _of_device(Path(where), device, wanted)


def _of_device(config: Path, device: str, wanted: Range) -> Opened:
    from edge_config.mistakes.problems import ConfigError
    from gateway.drivers.registry import installed
    from gateway.edge.control.protocol import ControlError, NoGatewayError
    from gateway.edge.control.values import AskedAddress

    loaded = load(config)
    found = resolved_named(loaded, device)
    spec = installed()[found.config.driver]
    detective, cells = _cells(spec, wanted)
    asked = [AskedAddress.of(str(cell), cell) for cell in cells]

    def read() -> "Sequence[CandidateValue]":
        try:
            rows = ask_running(config, "read", device=device, tags=[], addresses=asked)
        except NoGatewayError:
            rows = alone(loaded, device, lambda one: _read_alone(one, asked))
        except (ConfigError, ControlError) as error:
            refuse(error)
        return detective.readings(found.connection, cells, [row["raw"] for row in rows])

    notation = found.profile.notation
    return Opened(read, lambda address: spec.noted(address, notation))


async def _read_alone(device: "Alone", asked: "Sequence[AskedAddress]") -> list[dict[str, Any]]:
    import msgspec

    from gateway.edge.control.values import tags_to_read, values_now
    from gateway.edge.device.asking.reading import read_once

    tags = tags_to_read(device.model, (), asked)
    found = await read_once(device, tags, lambda: time.time_ns() // 1_000_000)
    rows: list[dict[str, Any]] = msgspec.to_builtins(values_now(found, tags))
    return rows


def _of_url(url: str, driver: str, wanted: Range) -> Opened:
    spec, connection = connection_of(url, driver)
    detective, cells = _cells(spec, wanted)

    def read() -> "Sequence[CandidateValue]":
        values = run(_read_cells(spec, connection, cells))
        return detective.readings(connection, cells, values)

    return Opened(read, str)


def _cells(spec: "DriverSpec", wanted: Range) -> "tuple[Detective, Sequence[Any]]":
    if spec.search is None or spec.search.detective is None:
        refuse(f"values of driver {spec.name} say what they are; `qulink read` shows them")
    detective = spec.search.detective()
    try:
        return detective, detective.cells(wanted.table, wanted.address, wanted.count)
    except ValueError as error:
        refuse(error)


async def _read_cells(
    spec: "DriverSpec", connection: Any, cells: Sequence[Any]
) -> "list[Value | None]":
    """What the cells hold; None where the device gives nothing."""
    import asyncio

    from gateway.drivers.api import Point

    driver = spec.make(connection)
    points = [Point(str(cell), spec.kind(cell), cell) for cell in cells]
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            await driver.connect()
            reading = await driver.read(driver.plan(points))
    finally:
        await driver.close()
    return values_of(reading)


def values_of(reading: "Reading") -> "list[Value | None]":
    """One value a point; None where it is BAD."""
    from gateway.core.status import FIRST_BAD

    values: list[Any] = []
    for column in reading.columns:
        values += column.tolist()
    return [
        value if status < FIRST_BAD else None
        for value, status in zip(values, reading.status.tolist(), strict=True)
    ]
