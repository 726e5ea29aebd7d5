"""A machine's manual: what it shows, under which address, in which form.

The simulator serves a machine by its manual, and ``edge_config/profiles`` are the point tables
that follow from the same pages; ``python -m simulators profiles`` writes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from simulators.behaviour import Machine, Rhythm
from simulators.signals import Lagged, Signal

LINE = "urn:qulink:simulators:line"
"""Namespace of the OPC UA nodes of every simulated line."""

NAMESPACES = {
    "own": LINE,
    "core": "http://opcfoundation.org/UA/",
    "di": "http://opcfoundation.org/UA/DI/",
    "ia": "http://opcfoundation.org/UA/IA/",
    "ijt": "http://opcfoundation.org/UA/IJT/Base/",
    "machinery": "http://opcfoundation.org/UA/Machinery/",
    "mt": "http://opcfoundation.org/UA/MachineTool/",
    "result": "http://opcfoundation.org/UA/Machinery/Result/",
    "ww": "http://opcfoundation.org/UA/Woodworking/",
}
"""Short words for the namespaces of browse names: our own and those of companion models."""

Role = Literal["value", "state", "counter", "alarm"]


@dataclass(frozen=True, slots=True)
class Register:
    """Where a Modbus machine keeps a value; ``register`` is the address on the wire."""

    table: Literal["holding", "input", "coil", "discrete"]
    register: int
    type: str = "uint16"
    order: str = "ABCD"
    bit: int | None = None
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """Where an OPC UA machine shows a value.

    The node id is ``nsu=<LINE>;s=<machine>/<names>``: instances live in the line's own namespace,
    and their browse names carry the namespace of the companion model, as on real servers.

    Attributes:
        path: browse path below the machine, ``mt:Monitoring/own:Spindle1/mt:IsRotating``: each
            name with a word of ``NAMESPACES`` before it, or in the namespace of the name before.
        type: ``float64``, ``uint32``, ``bool``, ``string`` …
    """

    path: str
    type: str

    @property
    def steps(self) -> tuple[tuple[str, str], ...]:
        """Namespace URI and name of each step."""
        word, found = "own", []
        for step in self.path.split("/"):
            before, colon, name = step.rpartition(":")
            word = before if colon else word
            found.append((NAMESPACES[word], name))
        return tuple(found)

    @property
    def names(self) -> str:
        """The path without namespaces, as node ids have it."""
        return "/".join(name for _, name in self.steps)


@dataclass(frozen=True, slots=True)
class SoftDevice:
    """Where a MELSEC controller keeps a value: ``D100``, ``M0``, ``X1F``.

    Attributes:
        device: its name.
        number: its number.
        type: what it holds.
        length: of a text, bytes.
    """

    device: str
    number: int
    type: str = "int16"
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a SIMATIC controller keeps a value.

    Attributes:
        block: ``DB10``, or ``M``, ``I``, ``Q``.
        start: first byte.
        type: what it holds.
        bit: of a bool.
        length: of a string, characters as declared.
    """

    block: str
    start: int
    type: str
    bit: int | None = None
    length: int | None = None


Place = Register | Node | SoftDevice | Cell
Protocol = Literal["modbus", "opcua", "mc", "s7"]
_PROTOCOLS: dict[type, Protocol] = {
    Register: "modbus",
    Node: "opcua",
    SoftDevice: "mc",
    Cell: "s7",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the manual.

    Attributes:
        name: tag name.
        label_zh: for Chinese readers.
        label_en: for English readers.
        place: where it is.
        signal: what it shows.
        unit: of the scaled value.
        scale: scaled value = raw × scale; None: raw is the value.
        role: what it is.
        minimum: a scaled value below is implausible.
        maximum: a scaled value above is implausible.
        deadband: smallest change worth telling.
    """

    name: str
    label_zh: str
    label_en: str
    place: Place
    signal: Signal
    unit: str = ""
    scale: float | None = None
    role: Role = "value"
    minimum: float | None = None
    maximum: float | None = None
    deadband: float = 0.0


@dataclass(frozen=True, slots=True)
class Manual:
    """A type of machine.

    Attributes:
        name: profile name.
        title_zh: for Chinese readers.
        title_en: for English readers.
        source: ``controller``, or ``sensor`` for a meter added to the machine.
        rhythm: its times.
        rated_kw: its power.
        entries: its manual.
        provenance: where the addresses come from.
        controller: what speaks, as a ledger would say.
        interval_ms: how often it is worth reading.
    """

    name: str
    title_zh: str
    title_en: str
    rhythm: Rhythm
    rated_kw: float
    entries: tuple[Entry, ...]
    provenance: str
    source: Literal["controller", "sensor"] = "controller"
    controller: str = ""
    interval_ms: int = 1000

    @property
    def protocol(self) -> Protocol:
        """Which protocol it speaks."""
        return _PROTOCOLS[type(self.entries[0].place)]


@dataclass(slots=True)
class Unit:
    """A machine that lives: its manual and its behaviour.

    Attributes:
        maker: name on its plate.
        serial: number on its plate.
        frozen: its values stand still.
    """

    manual: Manual
    machine: Machine
    lagged: Sequence[Lagged] = ()
    maker: str = ""
    serial: str = ""
    frozen: bool = False

    @classmethod
    def of(cls, manual: Manual, machine: Machine, maker: str = "", serial: str = "") -> "Unit":
        """Join a machine with its manual and its plate."""
        signals = [entry.signal for entry in manual.entries]
        lagged = [signal for signal in signals if isinstance(signal, Lagged)]
        return cls(manual, machine, lagged, maker, serial)

    def step(self, seconds: float) -> None:
        """Let time pass for the machine and everything that lags behind it."""
        if self.frozen:
            return
        self.machine.step(seconds)
        for quantity in self.lagged:
            quantity.step(self.machine, seconds)

    def raw(self, entry: Entry) -> float | int | bool | str:
        """What the machine holds at an address now: the value divided by its scale."""
        value = entry.signal(self.machine)
        if entry.scale is None or isinstance(value, bool | str):
            return value
        return value / entry.scale
