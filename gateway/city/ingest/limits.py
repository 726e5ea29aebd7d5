"""The most that the city takes of anybody outside, in one place; ``docs/limits.md`` explains it.

What an edge's configuration can exceed is in :mod:`edge_config.models.limits`, for both sides.

What comes above a limit is quarantined, shed or refused with a reason – it never grows memory or
database. The size of a frame is configuration (``broker.max_message_bytes``); what it may hold
when it is decompressed say ``MAX_BODY_BYTES`` and ``MAX_CELLS`` of :mod:`gateway.wire`.
"""

from typing import NamedTuple

from gateway.core.batch import Batch, Changes, Gap
from gateway.core.schema import Schema
from gateway.wire.records import Record


# --- what waits -----------------------------------------------------------------------------
class Room(NamedTuple):
    """How many messages may wait, and how many bytes they may hold."""

    bytes: int
    messages: int

    def has(self, size: int, number: int, more: int) -> bool:
        """Whether a message of ``more`` bytes fits beside what waits; alone, any does."""
        return not number or (size + more <= self.bytes and number < self.messages)


INBOX_FRAMES = Room(64 * 1024 * 1024, 100_000)
"""Frames that wait to be handled."""
SENDER_FRAMES = Room(8 * 1024 * 1024, 1_000)
"""Frames of one gateway that wait; an edge has 20 on their way, unless told otherwise."""
INBOX_STATES = Room(64 * 1024 * 1024, 20_000)
"""State messages that wait to be handled."""
SENDER_STATES = Room(1024 * 1024, 20)
"""State messages of one gateway that wait."""
TURN_FRAMES = 8
"""Frames of one gateway that are taken before it is another's turn."""
BATCH_FRAMES = 4_000
"""Frames that are stored and committed together at most; three batches are on their way at once."""
BATCH_VALUES = 200_000
"""Places for values, and tags of schemas and gaps, in one such batch."""
ROW_VALUES = 20
"""A gap, a schema or a record of books counts as so many values: each is a row of the database."""


def weight(record: Record) -> int:
    """What a record costs in a batch, in values."""
    match record:
        case Schema() | Gap():
            return ROW_VALUES + len(record.tags)
        case Batch() | Changes():
            return record.cells
        case _:
            return ROW_VALUES


# --- one message ----------------------------------------------------------------------------
MAX_RECORDS = 20_000
"""Records in one frame: batches, changes, schemas, gaps, books."""
MAX_GAP_TAGS = 20_000
"""Tags that one gap names."""
MAX_CAUSES = 64
"""Causes that one record of books tells apart."""
MAX_INT64 = 2**63 - 1
"""What a database can count up to."""

# --- one gateway ----------------------------------------------------------------------------
MAX_REFUSED = 16
"""Refused schemas that are remembered; an older one is asked for again."""
UNUSED_DAYS = 2
"""A schema of which no values came for so many days makes room for a new one. With a day less, one
that was used a minute before midnight would go."""
MAX_EPOCHS = 1_000
"""Epochs of one gateway; an edge makes one with each new buffer file."""
MAX_RANGES = 1_000
"""Ranges of finished frames kept above ``upto`` in one epoch; a frame that would begin another one
is not taken until the holes below it are filled, or given up by the edge."""
MAX_NAMED = 100
"""Ranges that one acknowledgement names beside those of the frames that it answers."""
MAX_WANT = 100
"""Schemas that one acknowledgement asks for; the rest is asked for next time."""

MAX_LOSSES = 1_000
"""Devices and groups of one gateway whose last interval of quarantined values is remembered."""
MAX_UNSTORED = 100
"""Devices whose quarantined values one acknowledgement names; of more it names the gateway."""

# --- quarantine -----------------------------------------------------------------------------
KEPT_BYTES = 65_536
"""Of a quarantined message so much is kept."""
HOURLY_ROWS = 200
"""Quarantined messages kept of one sender and hour; what comes above is counted only."""
HOURLY_BYTES = 1024 * 1024
"""Bytes of them; the message that comes to more is the last."""
MAX_WAITING = 1_000
"""Quarantined state messages that wait for a database that is away."""
MAX_SENDERS = 10_000
"""Senders counted apart; topics and gateway names come from outside and must not fill memory."""

# --- the store ------------------------------------------------------------------------------
MAX_STRING_BYTES = 65_536
"""A string value; above it the value is refused."""
