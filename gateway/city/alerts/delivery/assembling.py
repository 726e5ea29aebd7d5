"""From what began and ended to messages, one for each who is to know. Functions of a connection."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from gateway.city.access import users
from gateway.city.access.principal import Permission, Scope
from gateway.city.alerts import watching
from gateway.city.alerts.delivery.queue import BEGIN, END, HOOK, MAIL, waiting
from gateway.city.alerts.standing import LOCK, listed
from gateway.city.db.schema.alerting.alerts import alert
from gateway.city.db.schema.alerting.messages import (
    alert_contact,
    alert_message,
    alert_message_part,
)
from gateway.relational.database import alone, chunks

MOST_EVENTS = 5_000
"""Put into messages at once; what is left comes with the next look."""
HOOK_EVENTS = 200
"""Of one message to a program; a person gets one mail, however many there are."""


@dataclass(frozen=True, slots=True)
class Queued:
    """What became of new events: messages that were added, and that fell out of the queue."""

    added: int = 0
    dropped: int = 0


def due(connection: Connection, now_ms: int, gather_ms: int) -> bool:
    """Whether something began or ended so long ago that it is to be told."""
    first = min(_events(connection).values(), default=None)
    return first is not None and now_ms - first >= gather_ms


def assemble(
    connection: Connection, hooks: Mapping[str, Scope], now_ms: int, *, has_mail: bool, most: int
) -> Queued:
    """Put everything that began or ended into messages, one for each who is to know.

    What began and ended before anybody was told is told to nobody.

    Args:
        connection: the city's database.
        hooks: names of webhooks, and whose alerts they are told of.
        now_ms: UTC milliseconds.
        has_mail: users are sent mails.
        most: messages that may wait; the oldest are dropped above it.
    """
    alone(connection, LOCK)
    found = list(_events(connection))[:MOST_EVENTS]
    _mark(connection, found, now_ms)
    if not found:
        return Queued()
    added = 0
    for name, scope in hooks.items():
        own = _seen(connection, scope, found)
        for part in chunks(own, HOOK_EVENTS):
            _add(connection, HOOK + name, name, part, now_ms)
            added += 1
    for name, own in _of_users(connection, found) if has_mail else ():
        _add(connection, MAIL, name, own, now_ms)
        added += 1
    return Queued(added, _drop(connection, most, now_ms))


Event = tuple[int, str]


def _events(connection: Connection) -> dict[Event, int]:
    """What is to be told, and when it happened, the oldest first."""
    columns = alert.c
    begun = select(columns.id, columns.began_ms).where(
        columns.begin_told_ms.is_(None), columns.ended_ms.is_(None)
    )
    over = select(columns.id, columns.ended_ms).where(
        columns.begin_told_ms.is_not(None),
        columns.end_told_ms.is_(None),
        columns.ended_ms.is_not(None),
    )
    found = {(row[0], BEGIN): row[1] for row in connection.execute(begun)}
    found |= {(row[0], END): row[1] for row in connection.execute(over)}
    return dict(sorted(found.items(), key=lambda one: one[1]))


def _mark(connection: Connection, events: Iterable[Event], now_ms: int) -> None:
    columns = alert.c
    never = update(alert).where(columns.begin_told_ms.is_(None), columns.ended_ms.is_not(None))
    connection.execute(never.values(begin_told_ms=now_ms, end_told_ms=now_ms))
    for event, values in ((BEGIN, {"begin_told_ms": now_ms}), (END, {"end_told_ms": now_ms})):
        for part in chunks(number for number, one in events if one == event):
            connection.execute(update(alert).where(columns.id.in_(part)).values(**values))


def _seen(connection: Connection, scope: Scope, events: Sequence[Event]) -> list[Event]:
    """Those of some events whose alerts are seen."""
    ids = {number for part in chunks({number for number, _ in events}) for number in part}
    own = {
        one.id
        for part in chunks(sorted(ids))
        for one in listed(connection, scope, limit=len(part), ids=part)
    }
    return [one for one in events if one[0] in own]


def _of_users(connection: Connection, events: Sequence[Event]) -> Iterable[tuple[str, list[Event]]]:
    """Users with an address, and which of some events they watch and see."""
    for name in connection.scalars(select(alert_contact.c.user_name)).all():
        own = told_to(connection, name, [number for number, _ in events])
        found = [one for one in events if one[0] in own]
        if found:
            yield name, found


def told_to(connection: Connection, name: str, alerts: Sequence[int]) -> dict[int, Any]:
    """Those of some alerts that a user is to be told of now, by number.

    The user may log in, keeps a list, sees them, and watches them.
    """
    user = users.find(connection, name)
    if user is None or user.disabled_ms is not None or not user.principal.may(Permission.WATCH):
        return {}
    subjects = watching.of(connection, name)
    found = {}
    for part in chunks(sorted(set(alerts))):
        for one in listed(connection, user.scope, limit=len(part), ids=part):
            if watching.is_watched(subjects, one):
                found[one.id] = one
    return found


def _add(
    connection: Connection, channel: str, recipient: str, events: Sequence[Event], now_ms: int
) -> None:
    row: dict[str, str | int] = {
        "key": secrets.token_hex(16),
        "channel": channel,
        "recipient": recipient,
    }
    row |= {"state": "waiting", "attempts": 0, "queued_ms": now_ms, "next_attempt_ms": now_ms}
    made = connection.execute(insert(alert_message).values(**row).returning(alert_message.c.id))
    number = made.scalar_one()
    parts = [{"message_id": number, "alert_id": one, "event": event} for one, event in events]
    connection.execute(insert(alert_message_part), parts)


def _drop(connection: Connection, most: int, now_ms: int) -> int:
    """Give up the oldest above the bound."""
    excess = waiting(connection) - most
    if excess <= 0:
        return 0
    columns = alert_message.c
    oldest = select(columns.id).where(columns.state == "waiting").order_by(columns.id)
    numbers = list(connection.scalars(oldest.limit(excess)))
    for part in chunks(numbers):
        own = update(alert_message).where(columns.id.in_(part))
        connection.execute(own.values(state="dropped", done_ms=now_ms))
    return excess
