"""What the city would know of the gaps of a buffer."""

from gateway.core.batch import Gap
from gateway.core.status import Reason
from gateway.edge.buffer.buffer import Buffer
from gateway.wire.frame import Header, decode_frame, seal


def gaps(buffer: Buffer, *, late: bool = False) -> list[Gap]:
    """What the city would know of gaps: the newest record of each.

    At a period of 20 ms a busy machine may be late at any time; that is its own test.
    """
    schemas: dict = {}
    known: dict = {}
    for one in buffer.city.read(0, 1 << 40):
        frame = decode_frame(seal(one.body, Header(1, one.seq, one.values)), schemas)
        for record in frame.records:
            if isinstance(record, Gap):
                known[record.key] = record
            elif hasattr(record, "tags"):
                schemas[record.id] = record
    chosen = [gap for gap in known.values() if late or gap.cause is not Reason.LATE]
    return sorted(chosen, key=lambda gap: gap.from_ms)
