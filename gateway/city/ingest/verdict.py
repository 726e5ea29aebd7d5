"""What to do with one frame: pure decisions, no I/O, no clock.

A frame that is broken but tells which one it is, is *finished*: it goes to quarantine, counts as
dropped, and is acknowledged – a poison frame must not come again for ever. That is believed only
of an epoch that the gateway is known to use; garbage with a header by chance finishes nothing.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from gateway.city.ingest.admission import LATEST_MS, is_device_id
from gateway.city.ingest.enrolled.gateway import Gateway
from gateway.city.ingest.layout import is_ordered
from gateway.city.ingest.limits import (
    MAX_CAUSES,
    MAX_EPOCHS,
    MAX_GAP_TAGS,
    MAX_INT64,
    MAX_RECORDS,
)
from gateway.city.ingest.progress import Progress
from gateway.core.batch import Batch, Changes, Gap
from gateway.core.books import COUNTERS
from gateway.wire.body import MAX_BODY_BYTES
from gateway.wire.columns import FrameError, UnknownSchemaError
from gateway.wire.frame import (
    Frame,
    Header,
    decode_frame,
    read_header,
    unknown_schemas,
)
from gateway.wire.messages import Ack
from gateway.wire.records import BooksRecord, GivenUp, MachineRecord, Record

_NAME_LENGTH = 63


@dataclass(frozen=True, slots=True)
class Accepted:
    """To be written and acknowledged."""

    epoch: str
    frame: Frame


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Finished before; only the acknowledgement is repeated."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: what is held of an epoch.

    Attributes:
        epoch: of which.
        question: what the answer repeats.
        given_up: what the edge says with it.
    """

    epoch: str
    question: int
    given_up: tuple[GivenUp, ...]


@dataclass(frozen=True, slots=True)
class SchemaMissing:
    """Cannot be read without schemas that the city does not hold."""

    epoch: str
    want: frozenset[int]


@dataclass(frozen=True, slots=True)
class TooManyHoles:
    """Would leave one hole more than are remembered: to come again after the frames below it."""

    epoch: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """Breaks the format.

    Attributes:
        kind: ``size``, ``frame`` or ``database``.
        reason: why.
        epoch: set if the frame is to be acknowledged as lost.
        seq: its number, if ``epoch`` is set; the newest if several are merged.
        values: values lost with it, as its header says.
        merged: how many frames lie before ``seq`` in the same message.
        span_ms: first and last time in it, as its header says, UTC milliseconds.
    """

    kind: str
    reason: str
    epoch: str | None = None
    seq: int = 0
    values: int = 0
    merged: int = 0
    span_ms: tuple[int, int] = (0, 0)


Verdict = Accepted | Asked | Duplicate | SchemaMissing | TooManyHoles | Malformed


def verdict_on(
    payload: bytes, gateway: Gateway, epochs: Collection[str], max_bytes: int
) -> Verdict:
    """Read one frame of an enrolled gateway.

    Args:
        payload: the message.
        gateway: its sender; not changed here.
        epochs: epochs (16 hex digits) that the gateway is known to use.
        max_bytes: larger messages are refused unread.
    """
    try:
        header = read_header(payload)
    except FrameError as error:
        return Malformed("frame", str(error))
    if header.is_question:
        return _asked(payload, f"{header.epoch:016x}")
    return _on_frame(payload, header, gateway, epochs, max_bytes)


def _on_frame(
    payload: bytes, header: Header, gateway: Gateway, epochs: Collection[str], max_bytes: int
) -> Verdict:
    epoch = f"{header.epoch:016x}"
    if not 0 < header.seq <= MAX_INT64:
        return Malformed("frame", f"sequence number {header.seq} is outside 1 to 2^63 - 1")
    if epoch in gateway.progress and all(seq in gateway.progress[epoch] for seq in header.seqs):
        return Duplicate(epoch, header.seq)
    if epoch not in gateway.progress and len(gateway.progress) >= MAX_EPOCHS:
        return Malformed(
            "frame", f"epoch {epoch} would be one more than {MAX_EPOCHS} of this gateway"
        )
    is_known = epoch in epochs or epoch in gateway.progress
    known = epoch if is_known and _progress(gateway, epoch).has_room(header.seqs[0]) else None
    if len(payload) > max_bytes:
        reason = f"{len(payload)} bytes are over the limit of {max_bytes}"
        return _malformed("size", reason, header, known)
    return _decode(payload, gateway, header, known)


def refusal_of(payload: bytes, reason: str) -> Ack | None:
    """What a gateway is told that is not let in, if it asks; None: it is sent no answer."""
    try:
        header = read_header(payload)
    except FrameError:
        return None
    return Ack(f"{header.epoch:016x}", 0, refused=reason) if header.is_question else None


def _asked(payload: bytes, epoch: str) -> Asked | Malformed:
    """Read a question; it finishes no frame, so one that is malformed is only kept aside."""
    try:
        frame = decode_frame(payload, {})
    except FrameError as error:
        return Malformed("frame", str(error))
    given_up = tuple(one for one in frame.records if isinstance(one, GivenUp))
    if len(given_up) < len(frame.records):
        return Malformed("frame", "a question holds what belongs into a frame")
    if any(not 0 <= one.awaited_from <= one.held_from <= MAX_INT64 for one in given_up):
        return Malformed("frame", f"a question gives up frames that cannot be: {given_up}")
    return Asked(epoch, frame.header.chain, given_up)


def _decode(payload: bytes, gateway: Gateway, header: Header, known: str | None) -> Verdict:
    epoch = f"{header.epoch:016x}"
    try:
        frame = decode_frame(payload, gateway.schemas)
    except UnknownSchemaError:
        return _schema_missing(payload, gateway, header, known)
    except FrameError as error:
        return _malformed("frame", str(error), header, known)
    reason = _frame_objection(frame) or next(filter(None, map(_objection, frame.records)), None)
    if reason is not None:
        return _malformed("frame", reason, header, known)
    awaited_from = max((r.awaited_from for r in frame.records if isinstance(r, GivenUp)), default=0)
    progress = _progress(gateway, epoch)
    has_room = progress.has_room(header.seqs[0], awaited_from)
    return (
        Accepted(epoch, frame.without(progress.__contains__)) if has_room else TooManyHoles(epoch)
    )


def _progress(gateway: Gateway, epoch: str) -> Progress:
    return gateway.progress.get(epoch) or Progress()


def _schema_missing(payload: bytes, gateway: Gateway, header: Header, known: str | None) -> Verdict:
    try:
        return SchemaMissing(f"{header.epoch:016x}", unknown_schemas(payload, gateway.schemas))
    except FrameError as error:
        return _malformed("frame", str(error), header, known)


def refused_by_database(payload: bytes, reason: str) -> Malformed:
    """The verdict on a frame that is sound, and that the database will never take.

    Args:
        payload: the message.
        reason: why.
    """
    header = read_header(payload)
    return _malformed("database", reason, header, f"{header.epoch:016x}")


def _malformed(kind: str, reason: str, header: Header, known: str | None) -> Malformed:
    if known is None:
        return Malformed(kind, reason)
    values, span_ms = min(header.values, MAX_BODY_BYTES), (header.first_ms, header.last_ms)
    return Malformed(kind, reason, known, header.seq, values, header.merged, span_ms)


def _frame_objection(frame: Frame) -> str | None:
    """The edge books what the header says, so other contents would put the books out of balance."""
    if len(frame.records) > MAX_RECORDS:
        return f"{len(frame.records)} records are over the limit of {MAX_RECORDS}"
    values = _values(frame.records)
    if values != frame.header.values:
        return f"the header says {frame.header.values} values, there are {values}"
    for seq, count, records in frame.parts:
        if _values(records) != count:
            return f"frame {seq} says {count} values, there are {_values(records)}"
    for one in frame.records:
        if (
            isinstance(one, GivenUp)
            and not 0 <= one.awaited_from <= one.held_from <= frame.header.seqs[0]
        ):
            given_up = f"{one.held_from} ({one.awaited_from})"
            return f"frame {frame.header.seq} gives up frames below {given_up}"
    return None


def _values(records: Iterable[Record]) -> int:
    return sum(record.count for record in records if isinstance(record, Batch | Changes))


def _objection(record: Record) -> str | None:
    """Why the content of a well-formed record cannot be true; None if it can."""
    match record:
        case Changes() if not is_ordered(record):
            return f"changes of device {record.schema.device[:63]} are not in order"
        case Gap():
            return _gap_objection(record)
        case BooksRecord():
            return _books_objection(record)
        case MachineRecord():
            return _machine_objection(record)
        case _:
            return None


def _gap_objection(gap: Gap) -> str | None:
    names = [name for name in (gap.device, gap.group) if name]
    if not all(map(is_device_id, names)) or len(gap.tags) > MAX_GAP_TAGS:
        return f"gap of device {gap.device[:63]!r}, group {gap.group[:63]!r} is not well named"
    if any(len(tag) > _NAME_LENGTH for tag in gap.tags):
        return f"gap of device {gap.device} names a tag of more than {_NAME_LENGTH} characters"
    times = (gap.from_ms, gap.from_ms if gap.to_ms is None else gap.to_ms)
    if not all(abs(time) <= LATEST_MS for time in times):
        return f"gap of device {gap.device} has the times {times}"
    return None


def _books_objection(books: BooksRecord) -> str | None:
    counts: tuple[int, ...] = tuple(getattr(books, name) for name in COUNTERS)
    if books.device and not is_device_id(books.device):
        return f"books of device {books.device[:63]!r} are not well named"
    by_code = (books.dropped, books.uncertain)
    if any(
        len(one) > MAX_CAUSES or max(map(len, one), default=0) > _NAME_LENGTH for one in by_code
    ):
        return f"books of device {books.device} name more or longer causes than there are"
    counts += tuple(count for one in by_code for count in one.values())
    if not all(0 <= count <= MAX_INT64 for count in counts):
        return f"books of device {books.device} hold a count below 0 or above 2^63 - 1"
    return None


def _machine_objection(machine: MachineRecord) -> str | None:
    if (
        not is_device_id(machine.device)
        or max(len(machine.site_no), len(machine.asset_no)) > _NAME_LENGTH + 1
    ):
        return f"counters of a machine of device {machine.device[:63]!r} are not well named"
    if not 0 <= machine.valid <= machine.expected <= MAX_INT64:
        return f"machine {machine.asset_no}: {machine.valid} values of {machine.expected} are valid"
    if not all(abs(time) <= LATEST_MS for time in (machine.first_ms or 0, machine.last_ms or 0)):
        return f"machine {machine.asset_no} has the times {machine.first_ms}, {machine.last_ms}"
    return None
