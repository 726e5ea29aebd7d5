"""A line: the machines that the catalogue names, brought to life."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from simulators.behaviour import Machine
from simulators.machines import MANUALS
from simulators.manual import Unit

CATALOG = "samples/lines.yaml"
"""Which machine stands where, in the package ``edge_config``."""


@dataclass(frozen=True, slots=True)
class Place:
    """A machine of the catalogue.

    Attributes:
        asset_no: number in the ledger.
        name_zh: for Chinese readers.
        name_en: for English readers.
        maker: who built it.
        profile: its type.
        unit: Modbus unit id; None if it is not on the Modbus server.
        node: name in its OPC UA node ids; None if it is not on the OPC UA server.
        controller_port: its own port, if its controller is asked in its own protocol.
        rated_kw: its power; None: that of the type.
        setpoint: what its controller is set to.
    """

    asset_no: str
    name_zh: str
    name_en: str
    maker: str
    profile: str
    unit: int | None
    node: str | None
    controller_port: int | None
    rated_kw: float | None
    setpoint: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the catalogue with its default ports."""

    name: str
    title_zh: str
    title_en: str
    modbus_port: int | None
    opcua_port: int | None
    places: tuple[Place, ...]

    def first(self, machines: int | None) -> "Line":
        """The same line with only its first machines; None: all."""
        return replace(self, places=self.places[:machines])


@cache
def lines() -> Mapping[str, Line]:
    """The lines of the catalogue by name."""
    return {record["name"]: _line(record) for record in _catalogue()["lines"]}


def meters() -> tuple[str, ...]:
    """Addresses of the electricity meters of the catalogue, as printed on their plates."""
    return tuple(record["meter"] for record in _catalogue()["meters"]["machines"])


@cache
def _catalogue() -> Mapping[str, Any]:
    text = (files("edge_config") / CATALOG).read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # pure Python would take half a second
    data: Mapping[str, Any] = yaml.load(text, loader)  # noqa: S506 - both are safe
    return data


def _line(record: Mapping[str, Any]) -> Line:
    return Line(
        record["name"],
        record["title_zh"],
        record["title_en"],
        record.get("modbus_port"),
        record.get("opcua_port"),
        tuple(map(_place, record["machines"])),
    )


def _place(record: Mapping[str, Any]) -> Place:
    return Place(
        record["asset_no"],
        record["name_zh"],
        record["name_en"],
        record["maker"],
        record["profile"],
        record.get("unit"),
        record.get("node"),
        record.get("controller_port"),
        record.get("rated_kw"),
        record.get("setpoint", 0.0),
    )


def living(line: Line, seed: int, clock_s: float) -> Iterator[tuple[Place, Unit]]:
    """Bring the machines of a line to life.

    Args:
        line: the line.
        seed: equal seeds give equal machines.
        clock_s: time of day in the plant, seconds since midnight.
    """
    for index, place in enumerate(line.places):
        manual = MANUALS[place.profile]
        machine = Machine(
            manual.rhythm,
            seed * 1000 + index,
            manual.rated_kw if place.rated_kw is None else place.rated_kw,
            place.setpoint,
            clock_s,
        )
        yield place, Unit.of(manual, machine, place.maker, place.asset_no)
