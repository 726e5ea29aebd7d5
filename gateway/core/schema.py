"""What a column of values means: tags, their kinds, and the schema that orders them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property, lru_cache
from hashlib import blake2b
from itertools import groupby, pairwise
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt


class Kind(IntEnum):
    """Type of a column. The numbers are part of the wire format and never change."""

    FLOAT64 = 0
    FLOAT32 = 1
    INT64 = 2
    UINT64 = 3
    BOOL = 4
    STRING = 5

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy type that holds a column of this kind in memory (native byte order)."""
        return _DTYPES[self]


_DTYPES: dict[Kind, np.dtype[Any]] = {
    Kind.FLOAT64: np.dtype(np.float64),
    Kind.FLOAT32: np.dtype(np.float32),
    Kind.INT64: np.dtype(np.int64),
    Kind.UINT64: np.dtype(np.uint64),
    Kind.BOOL: np.dtype(np.bool_),
    Kind.STRING: np.dtype(object),
}

Column = npt.NDArray[Any]
"""One-dimensional array of one kind; strings are an object array of ``str``."""


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring tags of one kind: ``tags[start:stop]``."""

    kind: Kind
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def span(self) -> slice:
        """The tags of the run as a slice."""
        return slice(self.start, self.stop)


def runs_of(kinds: Iterable[Kind]) -> tuple[Run, ...]:
    """Split a sequence of kinds into runs of equal kind, in order.

    Columns of values always come as one array a run, so a reading of tags with kinds
    ``[F32, F32, BOOL]`` is ``(float32[2], bool[1])``.
    """
    runs: list[Run] = []
    start = 0
    for kind, members in groupby(kinds):
        stop = start + sum(1 for _ in members)
        runs.append(Run(kind, start, stop))
        start = stop
    return tuple(runs)


class Tag(msgspec.Struct, frozen=True, omit_defaults=True):
    """One measured quantity as the city sees it, after processing.

    Attributes:
        name: field name in the store, unique within its equipment.
        kind: type of its values.
        unit: UCUM-like unit text, may be empty.
        equipment: index into ``Schema.equipment``.
        role: ``value``, ``state``, ``counter`` or ``alarm``.
        label_zh: name shown to Chinese readers; empty means ``name``.
        label_en: name shown to English readers; empty means ``name``.
    """

    name: str
    kind: Kind
    unit: str = ""
    equipment: int = 0
    role: str = "value"
    label_zh: str = ""
    label_en: str = ""


class Equipment(msgspec.Struct, frozen=True):
    """A machine of the ledger as an edge refers to it: ``uscc + site_no + asset_no``."""

    uscc: str
    site_no: str
    asset_no: str


UNIT_BYTES = 8
READ_BYTES = 4
"""Lengths of the digests that say whether two devices read the same. Those of addresses are
compared within one unit only, which holds a few thousand of them at most."""


class Schema(msgspec.Struct, frozen=True, dict=True, omit_defaults=True):
    """The meaning of the columns of one group of one device.

    Tags are ordered by kind, so that each kind is one run. The id is a hash of the contents:
    equal schemas have equal ids on every gateway and at every time.

    Attributes:
        device: device id within the gateway.
        group: group name within the device.
        profile: machine profile; names the measurement in the store.
        source: ``controller`` (the machine's own controller speaks) or ``sensor`` (added on).
        synthetic: True if the values come from a simulator.
        equipment: machines that the tags belong to.
        tags: the tags in column order.
        interval_ms: nominal period of the group.
        unit: digest of the physical unit that is read, :data:`UNIT_BYTES` long; empty: not told.
        reads: digests of the addresses within it, :data:`READ_BYTES` a tag, in column order.
    """

    device: str
    group: str
    profile: str
    source: str
    synthetic: bool
    equipment: tuple[Equipment, ...]
    tags: tuple[Tag, ...]
    interval_ms: int
    # Left out where empty, so that schemas from before there were these keep their ids.
    unit: bytes = b""
    reads: bytes = b""

    @cached_property
    def id(self) -> int:
        """Content hash, 64 bits: BLAKE2b-8 of the canonical MessagePack form."""
        return id_of(encode_schema(self))

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """The runs of equal kind in the tags."""
        return runs_of(tag.kind for tag in self.tags)

    @cached_property
    def _kinds(self) -> npt.NDArray[np.uint8]:
        return np.array([tag.kind for tag in self.tags], np.uint8)

    @cached_property
    def owners(self) -> npt.NDArray[np.intp]:
        """Position in ``equipment`` of each tag's machine."""
        return np.array([tag.equipment for tag in self.tags], np.intp)

    @cached_property
    def only_machine(self) -> int | None:
        """Position in ``equipment`` of the machine that all tags belong to; None: of several."""
        machines = {tag.equipment for tag in self.tags}
        return machines.pop() if len(machines) == 1 else None

    @property
    def unit_key(self) -> str | None:
        """The unit as hexadecimal digits; None: not told, or not told for every tag."""
        is_whole = len(self.unit) == UNIT_BYTES and len(self.reads) == READ_BYTES * len(self.tags)
        return self.unit.hex() if is_whole else None

    def read_of(self, machine: int) -> frozenset[bytes]:
        """Digests of the addresses that the tags of a machine come from.

        Args:
            machine: position in ``equipment``.
        """
        return frozenset(
            self.reads[at * READ_BYTES : (at + 1) * READ_BYTES]
            for at, tag in enumerate(self.tags)
            if tag.equipment == machine
        )

    def runs_at(self, index: npt.NDArray[Any]) -> tuple[Run, ...]:
        """The runs of equal kind in a selection of the tags, as in :func:`runs_of`.

        Args:
            index: positions of tags, in any order; the selection is as long as this.
        """
        if len(self.runs) == 1 and len(index):  # mostly so; saves what small selections cost
            return (Run(self.runs[0].kind, 0, len(index)),)
        kinds = self._kinds[index]
        bounds = [0, *(np.flatnonzero(kinds[1:] != kinds[:-1]) + 1).tolist(), len(kinds)]
        return tuple(
            Run(Kind(kinds[start]), start, stop) for start, stop in pairwise(bounds) if stop > start
        )


class _Outline(msgspec.Struct):
    """A schema whose tags are still bytes."""

    device: str
    group: str
    profile: str
    source: str
    synthetic: bool
    equipment: tuple[Equipment, ...]
    tags: msgspec.Raw
    interval_ms: int
    unit: bytes = b""
    reads: bytes = b""


# The cache keeps 256 lists: longer ones would make that too much memory.
_SHARED_BYTES = 16_384
_encoder = msgspec.msgpack.Encoder(order="deterministic")
_outline_decoder = msgspec.msgpack.Decoder(_Outline)
_decode_tags = msgspec.msgpack.Decoder(tuple[Tag, ...]).decode
_share_tags = lru_cache(maxsize=256)(_decode_tags)
"""Devices of one profile share their tags: a city holds a hundred thousand schemas."""


def id_of(body: bytes) -> int:
    """The id of a schema by its canonical bytes."""
    return int.from_bytes(blake2b(body, digest_size=8).digest(), "big")


def encode_schema(schema: Schema) -> bytes:
    """Serialise a schema to its canonical bytes."""
    return _encoder.encode(schema)


def decode_schema(body: bytes) -> Schema:
    """Read a schema; the inverse of :func:`encode_schema`.

    Raises:
        msgspec.DecodeError: the bytes are no schema (``ValidationError`` is a subclass).
    """
    try:
        outline = _outline_decoder.decode(body)
        raw = bytes(outline.tags)
        tags = (_share_tags if len(raw) <= _SHARED_BYTES else _decode_tags)(raw)
        return Schema(**(msgspec.structs.asdict(outline) | {"tags": tags}))
    except UnicodeDecodeError as error:  # which msgspec lets through
        raise msgspec.DecodeError(str(error)) from error


def empty_columns(runs: Sequence[Run]) -> tuple[Column, ...]:
    """One zeroed column a run; strings are empty."""
    return tuple(
        np.full(len(run), "", dtype=object)
        if run.kind is Kind.STRING
        else np.zeros(len(run), dtype=run.kind.dtype)
        for run in runs
    )
