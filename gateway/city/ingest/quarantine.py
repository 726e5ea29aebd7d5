"""What the city could not accept: kept with its sender and reason, counted, and bounded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from sqlalchemy import Connection, delete, insert

from gateway.city.db.tables import quarantine
from gateway.city.erasing.standing import erased_ms, left_out
from gateway.city.ingest.limits import HOURLY_BYTES, HOURLY_ROWS, KEPT_BYTES, MAX_SENDERS
from gateway.city.ingest.uplink.inbox import Incoming
from gateway.core.days import HOUR_MS


@dataclass(frozen=True, slots=True)
class Entry:
    """One message, or the part of one, that was not accepted.

    Attributes:
        kind: for metrics: ``topic``, ``gateway``, ``size``, ``frame``, ``schema``, ``state``,
            ``time``, ``agreement``, ``database`` or ``store``.
        received_ms: when it came, UTC milliseconds.
        topic: where it came from.
        gateway: gateway in the topic; empty if there is none.
        reason: why, for a person.
        values: values that were lost with it.
        size_bytes: of the message, or of the lines that a store refused.
        payload: the beginning of it.
    """

    kind: str
    received_ms: int
    topic: str
    gateway: str
    reason: str
    values: int
    size_bytes: int
    payload: bytes

    @classmethod
    def of(cls, kind: str, message: Incoming, sender: str, reason: str, values: int = 0) -> Self:
        """Keep of a message what is allowed, so that it can wait for the database."""
        payload = message.payload
        kept = payload[:KEPT_BYTES]
        return cls(
            kind, message.received_ms, message.topic, sender, reason, values, len(payload), kept
        )


class Budget:
    """Limits what is kept of a sender in an hour, so that a flood of garbage fills no disk."""

    def __init__(self) -> None:
        self._hour = 0
        self._used: dict[str, tuple[int, int]] = {}

    def allows(self, entry: Entry) -> bool:
        """Whether an entry is kept; counts it."""
        hour = entry.received_ms // HOUR_MS
        if hour != self._hour:
            self._hour, self._used = hour, {}
        is_apart = entry.gateway in self._used or len(self._used) < MAX_SENDERS
        sender = entry.gateway if is_apart else ""  # the others share one budget
        rows, size = self._used.get(sender, (0, 0))
        self._used[sender] = (rows + 1, size + len(entry.payload))
        return rows < HOURLY_ROWS and size < HOURLY_BYTES


def keep(connection: Connection, entries: Sequence[Entry]) -> None:
    """Write entries to the quarantine table.

    Of who was erased nothing that a message held; what came before is erased with the others.
    """
    gone = left_out(connection, _refused(entries))
    since = erased_ms(connection) if gone else {}
    kept = (one for one in entries if one.received_ms > since.get(gone.get(one.gateway, ""), -1))
    rows = [_row(one) | ({"payload": b""} if one.gateway in gone else {}) for one in kept]
    if rows:
        connection.execute(insert(quarantine), rows)


def _refused(entries: Sequence[Entry]) -> set[str]:
    return {one.gateway for one in entries if one.kind in ("gateway", "state")}


def _row(entry: Entry) -> dict[str, object]:
    return {
        "received_ms": entry.received_ms,
        "topic": _text(entry.topic, 300),
        "gateway": _text(entry.gateway, 63),
        "reason": _text(entry.reason, 300),
        "value_count": entry.values,
        "size_bytes": entry.size_bytes,
        "payload": entry.payload,
    }


def _text(text: str, limit: int) -> str:
    """Text that every database takes: no NUL, no lone surrogates, not too long."""
    clean = text.replace("\0", "�").encode("utf-8", "replace").decode()
    return clean[:limit]


def trim(connection: Connection, before_ms: int) -> int:
    """Delete what is older; returns how many rows went."""
    return connection.execute(
        delete(quarantine).where(quarantine.c.received_ms < before_ms)
    ).rowcount
