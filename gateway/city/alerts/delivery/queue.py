"""The durable queue of messages: what waits, what became of it. Bounded; functions of a connection.

A message names alerts, not words: what it says is made when it is sent, of what its recipient sees
by then. It is claimed before it is sent, so that whoever dies between leaves it waiting: each is
delivered at least once, and has the same key at each attempt.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from gateway.city.db.schema.alerting.messages import (
    alert_message,
    alert_message_part,
)
from gateway.core.schedule import backoff_ms

MAIL = "mail"
HOOK = "webhook:"
BEGIN, END = "begin", "end"
STATES = ("waiting", "sent", "refused", "given-up", "dropped", "void")
"""What can become of a message."""
CLAIM_MS = 600_000
"""So long a message that is being sent is nobody else's; longer than any time-out."""
_FIRST_WAIT_MS, _LONGEST_WAIT_MS = 60_000, 3_600_000
_ERROR_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was claimed.

    Attributes:
        id: its number.
        key: the same at each attempt.
        channel: ``mail``, or ``webhook:`` and its name.
        recipient: name of a user, or of a webhook.
        queued_ms: since when it waits, UTC milliseconds.
        attempts: this one included.
        parts: pairs of alert and event.
    """

    id: int
    key: str
    channel: str
    recipient: str
    queued_ms: int
    attempts: int
    parts: tuple[tuple[int, str], ...]


def waiting(connection: Connection) -> int:
    """How many messages wait."""
    query = select(func.count()).select_from(alert_message)
    return connection.scalar(query.where(alert_message.c.state == "waiting")) or 0


def claim(connection: Connection, channel: str, now_ms: int) -> Message | None:
    """The oldest message of a channel that is due; others leave it alone for ten minutes."""
    columns = alert_message.c
    is_due = (columns.state == "waiting", columns.channel == channel)
    first = select(columns.id).where(*is_due, columns.next_attempt_ms <= now_ms)
    first = first.order_by(columns.id).limit(1).with_for_update(skip_locked=True)
    # Materialised: PostgreSQL may run a subquery again for each row, and lock other rows then.
    oldest = first.cte("oldest").prefix_with("MATERIALIZED")
    mark = update(alert_message).where(columns.id.in_(select(oldest.c.id)))
    mark = mark.values(attempts=columns.attempts + 1, next_attempt_ms=now_ms + CLAIM_MS)
    row = connection.execute(mark.returning(alert_message)).first()
    if row is None:
        return None
    parts = select(alert_message_part.c.alert_id, alert_message_part.c.event)
    of = connection.execute(parts.where(alert_message_part.c.message_id == row.id))
    told = tuple((one.alert_id, one.event) for one in of)
    return Message(row.id, row.key, row.channel, row.recipient, row.queued_ms, row.attempts, told)


def release(connection: Connection, now_ms: int) -> None:
    """Let go of what a process claimed that is no more; at the start of the next one."""
    columns = alert_message.c
    ours = (columns.state == "waiting", columns.next_attempt_ms > now_ms)
    connection.execute(update(alert_message).where(*ours).values(next_attempt_ms=now_ms))


def settle(connection: Connection, message: Message, state: str, now_ms: int, error: str) -> None:
    """Note what became of a message for good: sent, refused, void or given-up."""
    own = update(alert_message).where(*_own(message))
    connection.execute(own.values(state=state, done_ms=now_ms, error=error[:_ERROR_LENGTH]))


def put_back(
    connection: Connection, message: Message, now_ms: int, error: str, *, at_once: bool
) -> None:
    """Let a message wait again: for its channel, or because it alone was put off."""
    wait_ms = 0 if at_once else backoff_ms(message.attempts, _FIRST_WAIT_MS, _LONGEST_WAIT_MS)
    own = update(alert_message).where(*_own(message))
    connection.execute(own.values(next_attempt_ms=now_ms + wait_ms, error=error[:_ERROR_LENGTH]))


def _own(message: Message) -> tuple[ColumnElement[bool], ...]:
    """Unless somebody else has claimed, or dropped, it since."""
    columns = alert_message.c
    same = columns.attempts == message.attempts
    return columns.id == message.id, columns.state == "waiting", same


def give_up(connection: Connection, before_ms: int, now_ms: int) -> int:
    """End what has waited since before a time; how many there were."""
    columns = alert_message.c
    old = (columns.state == "waiting", columns.queued_ms < before_ms)
    ended = update(alert_message).where(*old).values(state="given-up", done_ms=now_ms)
    return connection.execute(ended).rowcount


def trim(connection: Connection, before_ms: int) -> None:
    """Delete messages that were done before a time."""
    columns = alert_message.c
    old = select(columns.id).where(columns.done_ms < before_ms)
    parts = alert_message_part
    connection.execute(delete(parts).where(parts.c.message_id.in_(old)))
    connection.execute(delete(alert_message).where(columns.done_ms < before_ms))


def states(connection: Connection) -> dict[str, int]:
    """How many messages there are in each state; those done long ago have gone."""
    columns = alert_message.c
    query = select(columns.state, func.count()).group_by(columns.state)
    return {row[0]: row[1] for row in connection.execute(query)}


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a message, for a reader."""

    channel: str
    recipient: str
    event: str
    state: str
    at_ms: int
    error: str


def deliveries(
    connection: Connection, alerts: Sequence[int], only: str | None
) -> dict[int, list[Delivery]]:
    """What was sent of some alerts, the newest first.

    Args:
        connection: the city's database.
        alerts: their numbers; at most as many as a page shows.
        only: of this user; None: all.
    """
    columns, parts = alert_message.c, alert_message_part.c
    query = select(alert_message, parts.alert_id, parts.event)
    query = query.join(alert_message_part, parts.message_id == columns.id)
    query = query.where(parts.alert_id.in_(sorted(alerts))).order_by(columns.id.desc())
    if only is not None:
        query = query.where(columns.channel == MAIL, columns.recipient == only)
    found: dict[int, list[Delivery]] = {}
    for row in connection.execute(query):
        told = Delivery(
            row.channel,
            row.recipient,
            row.event,
            row.state,
            row.done_ms or row.queued_ms,
            row.error,
        )
        found.setdefault(row.alert_id, []).append(told)
    return found
