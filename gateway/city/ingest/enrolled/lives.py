"""One gateway, several epochs: a new one begins where the buffer was set back, damaged or lost.

What the buffer before it told as open nobody ends then, and what it held nobody tells. Pure.
"""

from gateway.city.ingest.commit import EpochUpdate
from gateway.city.ingest.enrolled.gateway import Gateway
from gateway.city.ingest.losses import believed, span_of
from gateway.city.ingest.progress import Progress
from gateway.core.batch import Batch, Changes
from gateway.core.days import DAY_MS, MAX_AHEAD_MS
from gateway.wire.frame import Frame, Header

POLLS_OF_TWO_LIVES = (
    "polls of a time of which an earlier life of this gateway has stored values: its clock was set "
    "back, and its buffer does not know of them; a row of the store is one poll"
)

BACKLOG_MS = 31 * DAY_MS
"""How old the first values of an epoch may be that began without a city: edges keep no older ones,
unless told otherwise. What a clock dates to long before is mixed with nothing."""


def _in_use(gateway: Gateway, own: Progress) -> range:
    """At what times polls of an epoch would mix with those of earlier ones in the store.

    A row there keeps fields that are not written anew: one that holds two polls would show the
    state of a tag at another time, GOOD.
    """
    is_new = own.seen == (0, 0)
    others = (one for one in gateway.progress.values() if one is not own and one.known_ms)
    earlier = [one for one in others if is_new or one.begun_ms < own.begun_ms]
    if not earlier:
        return range(0)
    known_ms = max(one.known_ms for one in earlier)
    # Frames of a copy that was found out go out anew: a reading that was under way may be older.
    end_ms = known_ms if own.closed <= 1 else known_ms - MAX_AHEAD_MS
    return range(min(one.begun_ms for one in earlier) - BACKLOG_MS, end_ms)


def begin(gateway: Gateway, update: EpochUpdate, header: Header, received_ms: int) -> None:
    """Note which times are in use, and that an epoch begins if nothing of it has come before.

    Args:
        gateway: whose.
        update: of the epoch; the message is not entered yet.
        header: of the message.
        received_ms: when it came, by the city's clock, UTC milliseconds.
    """
    update.in_use = _in_use(gateway, update.progress)
    if update.progress.seen != (0, 0):
        return
    update.progress.begun_ms = received_ms
    if any(one is not update.progress for one in gateway.progress.values()):
        update.begins_ms = believed((header.first_ms, header.last_ms), received_ms)[0]


def know(progress: Progress, frame: Frame, received_ms: int) -> None:
    """Note up to when a gateway is known by its newest frame, which is entered.

    A clock that was ahead of what is believed is worth no more than the city's.
    """
    oldest_ms = _oldest_of_newest(frame)
    if oldest_ms is not None:
        is_believed = oldest_ms <= received_ms + MAX_AHEAD_MS
        progress.know(frame.header.seq, oldest_ms if is_believed else received_ms)


def _oldest_of_newest(frame: Frame) -> int | None:
    """The oldest time in the newest frame of a message; None if that holds no values.

    Not that of a device whose own clock is behind: it says nothing of when the others were read.
    """
    header = frame.header
    if not frame.parts and header.last_ms - header.first_ms <= MAX_AHEAD_MS:  # nearly always
        return header.first_ms if header.values else None
    # Of several frames the header tells only of all together.
    records = frame.parts[-1][2] if frame.parts else frame.records
    spans = [span_of(one) for one in records if isinstance(one, Batch | Changes) and one.count]
    newest_ms = max((span[-1] for span in spans), default=0)
    return min((span[0] for span in spans if span[-1] >= newest_ms - MAX_AHEAD_MS), default=None)


def seal(gateway: Gateway, epoch: str, update: EpochUpdate) -> None:
    """Add what depends on the gateway's other epochs, as they are with this batch."""
    others = [one for name, one in gateway.progress.items() if name != epoch]
    if update.answers:
        update.known_ms = max((one.known_ms for one in others), default=0)
    if any(one.begun_ms > update.progress.begun_ms for one in others):
        # Nobody would end what it left open; the gap of the new life's beginning covers it.
        update.gaps = [one for one in update.gaps if one[0].to_ms is not None]
