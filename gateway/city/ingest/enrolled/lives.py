"""One gateway, several epochs: a new one begins where the buffer was set back, damaged or lost.

What the buffer before it told as open nobody ends then, and what it held nobody tells. Pure.
"""

from gateway.city.ingest.commit import EpochUpdate
from gateway.city.ingest.enrolled.gateway import Gateway
from gateway.city.ingest.losses import believed, span_of
from gateway.city.ingest.progress import Progress
from gateway.core.batch import Batch, Changes
from gateway.wire.frame import Frame, Header


def begin(gateway: Gateway, update: EpochUpdate, header: Header, received_ms: int) -> None:
    """Note that an epoch begins, if nothing of it has come before this message.

    Args:
        gateway: whose.
        update: of the epoch; the message is not entered yet.
        header: of the message.
        received_ms: when it came, by the city's clock, UTC milliseconds.
    """
    if update.progress.seen != (0, 0):
        return
    update.progress.begun_ms = received_ms
    if any(one is not update.progress for one in gateway.progress.values()):
        update.begins_ms = believed((header.first_ms, header.last_ms), received_ms)[0]


def know(progress: Progress, frame: Frame, received_ms: int) -> None:
    """Note up to when a gateway is known by its newest frame, which is entered.

    A clock that was ahead is worth no more than the city's.
    """
    oldest_ms = _oldest_of_newest(frame)
    if oldest_ms is not None:
        progress.know(frame.header.seq, min(oldest_ms, received_ms))


def _oldest_of_newest(frame: Frame) -> int | None:
    """The oldest time in the newest frame of a message; None if that holds no values."""
    if not frame.parts:
        return frame.header.first_ms if frame.header.values else None
    # Of several frames the header tells only of all together.
    records = [one for one in frame.parts[-1][2] if isinstance(one, Batch | Changes)]
    return min((span_of(one)[0] for one in records if one.count), default=None)


def seal(gateway: Gateway, epoch: str, update: EpochUpdate) -> None:
    """Add what depends on the gateway's other epochs, as they are with this batch."""
    others = [one for name, one in gateway.progress.items() if name != epoch]
    if update.answers:
        update.known_ms = max((one.known_ms for one in others), default=0)
    if any(one.begun_ms > update.progress.begun_ms for one in others):
        # Nobody would end what it left open; the gap of the new life's beginning covers it.
        update.gaps = [one for one in update.gaps if one[0].to_ms is not None]
