"""What a driver package exports: ``SPEC``, its words, its models and how its devices share links.

What a driver does once it runs is ``gateway/drivers/api.py``. Nothing here does I/O or imports a
protocol library.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from edge_config.loading.resolved import ResolvedDevice
from edge_config.loading.specs import Example, Extent, RawType
from edge_config.models.gateway import DeviceConfig, Mode, Notation
from edge_config.models.settings import Settings
from gateway.core.schema import Kind
from gateway.drivers import defaults
from gateway.drivers.api import Driver, RefusedError, Value
from gateway.drivers.frames import Frame
from gateway.drivers.search import Detective, InOrder, Probe, SearchOptions, Target

__all__ = [
    "ENTRY_POINT_GROUP",
    "DriverSpec",
    "Example",
    "Extent",
    "Link",
    "LinkSpec",
    "RawType",
    "SearchSpec",
    "installed",
]

ENTRY_POINT_GROUP = "qulink.drivers"


@contextmanager
def installed(extra: str) -> Iterator[None]:
    """The imports within need the protocol library of an extra, ``s7`` say.

    Raises:
        RefusedError: it is not installed; the message says what to do.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise RefusedError(f"{error.name} is missing: pip install 'qulink[{extra}]'") from error


class Link(Protocol):
    """What several devices of one driver are reached by: a serial line, a serial server.

    It has no life of its own: its drivers connect it, and it is closed when all of them are.
    """

    @property
    def turns(self) -> int:
        """How many of its drivers may connect, read or write at one time; it may change."""

    def configure(self, connections: Sequence[Any]) -> None:
        """Follow what its devices say of it: at the begin, and when one comes, goes or changes.

        Args:
            connections: of all its devices; where they contradict, the first one counts.
        """

    def driver(self, connection: Any) -> Driver:
        """A driver for one of its devices. No I/O.

        Args:
            connection: one that has the key of this link; not only those it was made for.
        """


def no_conflicts(_connections: Sequence[Any]) -> Iterable[tuple[int, str, str]]:
    """For links without settings of their own."""
    return ()


def no_doubts(_devices: Sequence[ResolvedDevice]) -> Iterable[str]:
    """For links that can carry whatever is asked of them."""
    return ()


def of_unknown_share(_devices: Sequence[ResolvedDevice]) -> float | None:
    """For links of which nobody knows how fast they are."""
    return None


@dataclass(frozen=True, slots=True)
class LinkSpec:
    """How a driver's devices share links. The edge makes one link a key and grants the turns.

    Attributes:
        key: what connections of one link have in common, ``(host, port)``, say. Pure.
        make: a link for connections of one key. No I/O.
        conflicts: what in connections of one key, in the order of the file, contradicts an
            earlier one: position, key of ``connection:`` and a sentence. Pure.
        doubts: what all devices of a link together ask of it that it can hardly give, as
            sentences; ``qulink check`` shows them as warnings. Pure.
        impossible: the same of what it cannot give, however quick its devices are; ``qulink
            check`` refuses it. Pure.
        share: for how much of each second what all devices of a link ask keeps it busy, if all
            answer as soon as they usually do. None: nobody knows. Pure.
    """

    key: Callable[[Any], Hashable]
    make: Callable[[Sequence[Any]], Link]
    conflicts: Callable[[Sequence[Any]], Iterable[tuple[int, str, str]]] = no_conflicts
    doubts: Callable[[Sequence[ResolvedDevice]], Iterable[str]] = no_doubts
    impossible: Callable[[Sequence[ResolvedDevice]], Iterable[str]] = no_doubts
    share: Callable[[Sequence[ResolvedDevice]], float | None] = of_unknown_share


def never_held(_connection: Any, _address: Any, _value: Value) -> bytes | None:
    """For drivers whose values have no byte order that a person may write wrong."""
    return None


def in_no_order(_connection: Any, _address: Any, _body: bytes) -> Sequence[InOrder]:
    """For the same."""
    return ()


@dataclass(frozen=True, slots=True)
class SearchSpec:
    """How people look for devices of a driver and for values in one; its parts load when asked.

    Attributes:
        target: the connection that a URL means; ValueError says how one is written. Pure.
        example: such a URL.
        detective: reads a range in every way; None: this driver's values say what they are.
        probe: looks for devices; None: this driver cannot.
        options: model of what a person may say of such a search, by name of an option.
        held: the bytes of which a value at an address of a connection was read; None: they
            cannot be told from it. Pure, and asked for each value of a page.
        in_orders: what such bytes say in each byte order, the configured one first. Pure.
    """

    target: Callable[[str], Target]
    example: str
    detective: Callable[[], Detective] | None = None
    probe: Callable[[], Probe] | None = None
    options: type[SearchOptions] = SearchOptions
    held: Callable[[Any, Any, Value], bytes | None] = never_held
    in_orders: Callable[[Any, Any, bytes], Sequence[InOrder]] = in_no_order


@dataclass(frozen=True, slots=True)
class DriverSpec:
    """What a driver package exports as ``SPEC`` (entry point group ``qulink.drivers``).

    Importing it must not import a protocol library.

    Attributes:
        name: the word after ``driver:``.
        title_zh: name for Chinese readers.
        title_en: name for English readers.
        connection: model of a device's ``connection:``.
        address: model of a tag's ``address:``. It has a text form: ``from_written`` reads it, and
            ``str`` writes it so that reading it gives an equal address.
        kind: raw kind of a tag from its address. Pure.
        make: driver from a validated connection. No I/O; imports the protocol library, and
            raises :class:`RefusedError` if that is not installed.
        examples: addresses in their text form, the most usual one first, for point tables,
            completion and pages.
        modes: what a group's ``mode:`` may be; the first is the default.
        endpoint: ``host:port`` of a connection, for messages and the console.
        unit: what makes a connection's physical unit – of Modbus host, port and unit id – and
            nothing else of it, so that two devices that read one unit are recognised whatever
            their time-outs. By default the whole connection. Pure.
        unit_name: what tells a device from others at its endpoint, for people – of Modbus
            ``unit 7``, of a meter ``meter 000000000012``; empty: an endpoint has one device. Pure.
        misfits: what in a valid connection contradicts the rest of its device (time-outs, say),
            as pairs of a key of ``connection:`` and a sentence. Pure; ``qulink check`` shows it
            with its line.
        link: how its devices share links; None: each is reached on its own, by ``make``.
        in_notation: a written address of a profile that says which notation its manual has,
            as it is written in a profile that does not. Pure.
        noted: the text form of an address in a notation, the inverse of ``in_notation``. Pure.
        noted_fields: the same for a table with a column a field: field → text, of those that are
            written otherwise than they are. Pure.
        doubtful: which addresses of one profile lie over others so that hardly both can be meant:
            position and a sentence. Pure; ``qulink check`` shows it as a warning.
        elements: the addresses of the values of an array, each of which becomes a tag; of any
            other address only itself. Pure.
        extent: which bits of a device an address reads and writes, so that several that write
            the same ones are told; None: its own alone. Pure.
        raw_type: what an address holds before scaling, so that codes for "no value" stand for
            whole types in a profile and impossible ones are told; None: not known. By default
            the ``type`` of the address, where it is int16, uint32, float64 and the like. Pure.
        strays: what of an address contradicts the connection of its device, as a sentence that
            goes on from the tag's name; empty: nothing. Pure.
        read_only: why the value of an address can never be written, whatever the device, as a
            sentence; empty: it may be. Pure; ``qulink check`` warns of tags that may be written.
        unclear: how else a written address (second: what it was understood as) may be meant, and
            what to write so that it cannot, as a sentence; empty: in no other way. Pure.
        explain: what a frame that its driver kept (``RecordingDriver``) says, in words for
            people: function, address, values. Never raises, whatever the bytes. Pure.
        search: how people look for its devices, and for values in them; None: they cannot.
        sentences: file in which Chinese readers find what it says in English, ``sentences.toml``
            beside it; see ``gateway/web/catalog/sentences.py``. None: pages show the English.
    """

    name: str
    title_zh: str
    title_en: str
    connection: type[Settings]
    address: type[Settings]
    kind: Callable[[Any], Kind]
    make: Callable[[Any], Driver]
    examples: tuple[Example, ...] = ()
    modes: tuple[Mode, ...] = ("poll",)
    endpoint: Callable[[Any], str] = str
    unit: Callable[[Any], Hashable] = repr
    unit_name: Callable[[Any], str] = defaults.no_unit_name
    misfits: Callable[[Any, DeviceConfig], Iterable[tuple[str, str]]] = defaults.no_misfits
    link: LinkSpec | None = None
    in_notation: Callable[[Any, Notation], Any] = defaults.as_written
    noted: Callable[[Any, Notation | None], str] = defaults.in_text
    noted_fields: Callable[[Any, Notation | None], dict[str, str]] = defaults.as_they_are
    doubtful: Callable[[Sequence[Any]], Iterable[tuple[int, str]]] = defaults.never_doubtful
    elements: Callable[[Any], Sequence[Any]] = defaults.only_itself
    extent: Callable[[Any], Extent | None] = defaults.its_own
    raw_type: Callable[[Any], RawType | None] = defaults.type_by_name
    strays: Callable[[Any, Any], str] = defaults.never_strays
    read_only: Callable[[Any], str] = defaults.never_read_only
    unclear: Callable[[Any, Any], str] = defaults.never_unclear
    explain: Callable[[Frame], str] = defaults.unexplained
    search: SearchSpec | None = None
    sentences: Path | None = None
