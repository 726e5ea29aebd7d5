"""What the loader needs to know of a driver; ``gateway.drivers.spec.DriverSpec`` satisfies it."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from edge_config.loading.resolved import ResolvedDevice
from edge_config.models.gateway import DeviceConfig, Notation
from edge_config.models.settings import Settings


class RawType(NamedTuple):
    """What an address holds, as far as codes for "no value" go.

    Attributes:
        name: the driver's word for it, a key of ``no_value:`` of a profile.
        least: the least value of a whole number; None: it is no whole number.
        most: the greatest one.
        bits: of a number in two's complement, so that 0x8000 is -32768; 0: of another.
    """

    name: str
    least: int | None = None
    most: int | None = None
    bits: int = 0


class Example(NamedTuple):
    """An address as an operator may write it, and what it means.

    Attributes:
        text: text form of the address.
        title_zh: what is there, for Chinese readers.
        title_en: the same for English readers.
    """

    text: str
    title_zh: str
    title_en: str


class ValueKind(Protocol):
    """Type of a tag's values, as ``gateway.core.schema.Kind``."""

    @property
    def name(self) -> str:
        """``FLOAT64``, ``FLOAT32``, ``INT64``, ``UINT64``, ``BOOL`` or ``STRING``."""


class LinkModel(Protocol):
    """How devices of a driver share links."""

    @property
    def key(self) -> Callable[[Any], Hashable]:
        """What connections of one link have in common."""

    @property
    def conflicts(self) -> Callable[[Sequence[Any]], Iterable[tuple[int, str, str]]]:
        """What in connections of one key contradicts others: (position, key, what is wrong)."""

    @property
    def doubts(self) -> Callable[[Sequence[ResolvedDevice]], Iterable[str]]:
        """What devices of one key ask together that their link can hardly give."""

    @property
    def impossible(self) -> Callable[[Sequence[ResolvedDevice]], Iterable[str]]:
        """What they ask that it cannot give."""


class Extent(NamedTuple):
    """The bits of a device that an address stands for.

    Attributes:
        space: where: a table, a data block.
        start: the first one.
        stop: the one after the last.
    """

    space: str
    start: int
    stop: int


class DriverModels(Protocol):
    """The models that a driver brings for its part of a configuration."""

    @property
    def connection(self) -> type[Settings]:
        """Model of a device's ``connection:``."""

    @property
    def address(self) -> type[Settings]:
        """Model of a tag's ``address:``; ``str`` of one is its text form."""

    @property
    def examples(self) -> tuple[Example, ...]:
        """Addresses in their text form, the most usual one first."""

    @property
    def modes(self) -> tuple[str, ...]:
        """What a group's ``mode:`` may be; the first is the default."""

    @property
    def kind(self) -> Callable[[Any], ValueKind]:
        """Kind of a tag's raw values from its address; ValueError if it cannot have one."""

    @property
    def unit(self) -> Callable[[Any], Hashable]:
        """What makes the physical unit that a connection reaches, however it is written."""

    @property
    def misfits(self) -> Callable[[Any, DeviceConfig], Iterable[tuple[str, str]]]:
        """What in a connection does not fit the rest of its device: (key, what is wrong)."""

    @property
    def in_notation(self) -> Callable[[Any, Notation], Any]:
        """A written address without the notation of its profile; ValueError if it is of another."""

    @property
    def noted(self) -> Callable[[Any, Notation | None], str]:
        """The text form of an address in the notation of its profile."""

    @property
    def noted_fields(self) -> Callable[[Any, Notation | None], dict[str, str]]:
        """Fields of an address that are written otherwise in the notation of its profile."""

    @property
    def doubtful(self) -> Callable[[Sequence[Any]], Iterable[tuple[int, str]]]:
        """Addresses of a profile that contradict others: position, and a sentence."""

    @property
    def elements(self) -> Callable[[Any], Sequence[Any]]:
        """Addresses of the values of an array, a tag each; of another address only itself."""

    @property
    def strays(self) -> Callable[[Any, Any], str]:
        """What of an address contradicts its device's connection (first); empty: nothing."""

    @property
    def extent(self) -> Callable[[Any], Extent | None]:
        """Which bits of a device an address reads and writes; None: its own alone."""

    @property
    def raw_type(self) -> Callable[[Any], RawType | None]:
        """What an address holds before scaling; None: the driver does not know."""

    @property
    def read_only(self) -> Callable[[Any], str]:
        """Why the value of an address can never be written, as a sentence; empty: it may be."""

    @property
    def unclear(self) -> Callable[[Any, Any], str]:
        """How else a written address may be meant, and what to write; empty: in no other way."""

    @property
    def link(self) -> LinkModel | None:
        """How its devices share links; None: they share nothing."""
