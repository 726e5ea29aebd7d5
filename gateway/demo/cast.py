"""Who plays in the demonstration: fictitious enterprises and their machines, from data files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

import edge_config
from gateway.city.access.principal import Role, parse_scope
from gateway.city.access.principal import Scope as PrincipalScope

_CATALOGUE = Path(edge_config.__file__).parent / "samples" / "lines.yaml"
_ENTERPRISES = Path(__file__).parent / "enterprises.yaml"
SITE = "1"


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine of the ledger.

    Attributes:
        asset_no: ledger number.
        name: for the ledger.
        equipment_class: ``production`` or ``aux``.
        key: whether it is key equipment.
        category: class code.
        maker: maker.
        controller: controller; empty for a machine that is not networked.
        live: its entry in the catalogue of simulated lines; None if it is not networked.
    """

    asset_no: str
    name: str
    equipment_class: str
    key: bool
    category: str
    maker: str
    controller: str
    live: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Line:
    """A simulated line of the catalogue."""

    id: str
    title_zh: str
    title_en: str
    machines: tuple[Machine, ...]

    @property
    def controllers(self) -> tuple[str, ...]:
        """Asset numbers of the machines whose controllers have a port each, in their order."""
        return tuple(m.asset_no for m in self.machines if m.live and "controller_port" in m.live)

    @property
    def is_serial(self) -> bool:
        """Whether its machines stand on a serial line."""
        return any(m.live and "meter" in m.live for m in self.machines)


@dataclass(frozen=True)
class Enterprise:
    """An enterprise with its machines.

    Attributes:
        data: its record in ``enterprises.yaml``.
        lines: its simulated lines.
    """

    data: Mapping[str, Any]
    lines: tuple[Line, ...]

    @property
    def uscc(self) -> str:
        """Its unified social credit code."""
        return str(self.data["uscc"])

    @property
    def gateway(self) -> str | None:
        """Id of its gateway; None if it has none."""
        return f"gw-{self.data['short']}" if self.lines else None

    @cached_property
    def machines(self) -> tuple[Machine, ...]:
        """All its machines, networked or not."""
        live = tuple(machine for line in self.lines for machine in line.machines)
        return live + tuple(_offline(self.data))


def _offline(data: Mapping[str, Any]) -> Iterator[Machine]:
    letters = str(data["short"])[:2].upper()
    for count, letter, noun, equipment_class, category, maker in (
        (data["offline"], "N", data["machine"], "production", "A0210", "示例机械"),
        (data["aux"], "A", "空压机", "aux", "A0231", "示例动力"),
    ):
        for number in range(1, count + 1):
            asset_no, name = f"{letters}-{letter}{number:02d}", f"{noun}{number}号"
            yield Machine(asset_no, name, equipment_class, False, category, maker, "")


@dataclass(frozen=True)
class Cast:
    """Everybody who plays, and who may walk through the console as which role."""

    roster: str
    approved_by: str
    people: Mapping[Role, PrincipalScope]
    enterprises: tuple[Enterprise, ...]

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """All simulated lines."""
        return tuple(line for enterprise in self.enterprises for line in enterprise.lines)


def load_cast() -> Cast:
    """Read the cast from the catalogue of lines and the list of enterprises."""
    catalogue = yaml.safe_load(_CATALOGUE.read_text(encoding="utf-8"))
    entries = (*catalogue["lines"], catalogue["meters"])
    lines = {entry["name"]: _line(entry) for entry in entries}
    data = yaml.safe_load(_ENTERPRISES.read_text(encoding="utf-8"))
    enterprises = tuple(
        Enterprise(record, tuple(lines[name] for name in record["lines"]))
        for record in data["enterprises"]
    )
    people = {Role(role): parse_scope(scope) for role, scope in data["people"].items()}
    return Cast(data["roster"], data["approved_by"], people, enterprises)


def _line(entry: Mapping[str, Any]) -> Line:
    machines = tuple(
        Machine(
            machine["asset_no"],
            f"{machine['name_zh']} {machine['asset_no']}",
            machine["equipment_class"],
            machine["key"],
            machine["category"],
            machine["maker"],
            machine["controller"],
            machine,
        )
        for machine in entry["machines"]
    )
    return Line(entry["name"], entry["title_zh"], entry["title_en"], machines)
