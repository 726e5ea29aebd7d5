"""For how long the node is not asked, and for whom.

What says nothing of one identifier would be said of the next one too: then the node is left alone,
for all (it is away, busy, refuses the login) or for the identifiers of a prefix (its quota is used
up, it may not register). Pauses are rows of the database, so that every process can tell of them.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Update, delete, select, update

from gateway.city.db.schema.identifiers import identifier, identifier_outbox, identifier_pause
from gateway.city.identifiers.entries import Verdict
from gateway.core.days import HOUR_MS, SHANGHAI, day_of, day_start_ms
from gateway.core.schedule import backoff_ms
from gateway.identifier.codes.handle import Handle
from gateway.identifier.registering.registry import Outcome, Registry
from gateway.relational.upsert import insert_for

log = logging.getLogger(__name__)

EVERYBODY = ""
"""Stands for a prefix in pauses that hold for all."""

_FIRST_MS = 1_000
_LONGEST_MS = 60_000
_PERSON_FIRST_MS = 5_000
_PERSON_LONGEST_MS = HOUR_MS
"""A person must act; who has may also start the city anew, which asks at once."""
_AFTER_MIDNIGHT_MS = 300_000
"""The node has its own clock."""
_REASON_LENGTH = 300

_OF_THE_NODE = frozenset({Outcome.LOGIN, Outcome.UNREACHABLE})
_OF_A_PREFIX = frozenset({Outcome.QUOTA, Outcome.DENIED})

WHAT_TO_DO = {
    Outcome.LOGIN: "check the node's user name and secret, and the clock",
    Outcome.DENIED: "the node's operator must permit it",
    Outcome.QUOTA: "the node's operator may raise it; a restart of the city asks at once",
    Outcome.BUSY: "it passes",
    Outcome.UNREACHABLE: "check the node and its address",
    Outcome.UNKNOWN: "look at the node; what became of what was sent is read back",
}


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause.

    Attributes:
        prefix: of the identifiers that it holds for; :data:`EVERYBODY`: for all.
        outcome: why.
        reason: in the node's words.
        since_ms: when the node first said so, UTC milliseconds.
        until_ms: when it is asked again.
        failures: how often in a row it said so.
    """

    prefix: str
    outcome: Outcome
    reason: str
    since_ms: int = 0
    until_ms: int = 0
    failures: int = 0


_COLUMNS = tuple(one.name for one in fields(Pause))


def judged(verdicts: Sequence[Verdict]) -> tuple[list[Verdict], list[Pause]]:
    """Which pauses outcomes of one call mean, and the verdicts by them.

    Who is not permitted is refused alone, but waits where nobody of its prefix is permitted.
    """
    pauses = list[Pause]()
    by_prefix: dict[str, list[Verdict]] = defaultdict(list)
    for one in verdicts:
        by_prefix[_prefix(one)].append(one)
    said = {one.outcome for one in verdicts}
    for one in verdicts:
        is_alike = said == {one.outcome} and one.outcome in (Outcome.BUSY, Outcome.UNKNOWN)
        if one.outcome in _OF_THE_NODE or is_alike:
            pauses.append(Pause(EVERYBODY, one.outcome, one.error))
            break
    for prefix, own in by_prefix.items():
        if own[0].outcome in _OF_A_PREFIX and len({one.outcome for one in own}) == 1:
            pauses.append(Pause(prefix, own[0].outcome, own[0].error))
    waiting = {one.prefix for one in pauses}
    return [
        replace(one, state="pending") if _prefix(one) in waiting else one for one in verdicts
    ], pauses


def _prefix(verdict: Verdict) -> str:
    return Handle.parse(verdict.work.handle).prefix.upper()


def note_progress(
    connection: Connection, verdicts: Iterable[Verdict], pauses: Iterable[Pause], now_ms: int
) -> list[tuple[Pause, bool]]:
    """Begin, prolong and end pauses by what became of a call.

    Returns:
        Pauses that are news, and whether each has begun, or else has ended.
    """
    held = {one.prefix: one for one in _rows(connection)}
    news = list[tuple[Pause, bool]]()
    for one in pauses:
        before = held.pop(one.prefix, None)
        lasting = _prolonged(one, before, now_ms)
        _keep(connection, lasting)
        if before is None or before.outcome is not one.outcome:
            news.append((lasting, True))
    done = {_prefix(one) for one in verdicts if one.state == "done"}
    # Whoever is answered has found the node, whatever the answer is about.
    over = [held[one] for one in held if one in done or (one == EVERYBODY and done)]
    _end(connection, [one.prefix for one in over])
    return [*news, *((one, False) for one in over)]


def note_listing(
    connection: Connection, prefix: str, outcome: Outcome, reason: str, now_ms: int
) -> list[tuple[Pause, bool]]:
    """Begin, prolong or end the pauses of a prefix by whether its identifiers were listed.

    Returns:
        As :func:`note_progress`.
    """
    held = {one.prefix: one for one in _rows(connection)}
    key = EVERYBODY if outcome in _OF_THE_NODE or outcome is Outcome.BUSY else prefix.upper()
    if outcome is Outcome.OK:
        over = [held[one] for one in (EVERYBODY, prefix.upper()) if one in held]
        _end(connection, [one.prefix for one in over])
        return [(one, False) for one in over]
    known = outcome if outcome in WHAT_TO_DO else Outcome.UNKNOWN
    before = held.get(key)
    lasting = _prolonged(Pause(key, known, reason), before, now_ms)
    _keep(connection, lasting)
    return [(lasting, True)] if before is None or before.outcome is not known else []


def _prolonged(pause: Pause, before: Pause | None, now_ms: int) -> Pause:
    is_same = before is not None and before.outcome is pause.outcome
    failures = before.failures + 1 if before is not None and is_same else 1
    since_ms = before.since_ms if before is not None and is_same else now_ms
    until_ms = now_ms + _wait_ms(pause.outcome, failures, now_ms)
    return replace(
        pause,
        reason=pause.reason[:_REASON_LENGTH],
        since_ms=since_ms,
        until_ms=until_ms,
        failures=failures,
    )


def _wait_ms(outcome: Outcome, failures: int, now_ms: int) -> int:
    if outcome is Outcome.QUOTA:
        midnight = day_start_ms(day_of(now_ms) + timedelta(days=1))
        is_early = now_ms - day_start_ms(day_of(now_ms)) < HOUR_MS
        # A quota that is used up just after midnight is yesterday's by the node's clock.
        return HOUR_MS if is_early else midnight + _AFTER_MIDNIGHT_MS - now_ms
    if outcome is Outcome.DENIED:
        return _PERSON_LONGEST_MS
    if outcome is Outcome.LOGIN:
        return backoff_ms(failures, _PERSON_FIRST_MS, _PERSON_LONGEST_MS)
    return backoff_ms(failures, _FIRST_MS, _LONGEST_MS)


def _keep(connection: Connection, pause: Pause) -> None:
    row = {name: getattr(pause, name) for name in _COLUMNS} | {"outcome": pause.outcome.value}
    kept = insert_for(connection, identifier_pause).values(row)
    # Another worker may have been told the same in the same moment.
    connection.execute(kept.on_conflict_do_update(index_elements=["prefix"], set_=row))
    if pause.prefix != EVERYBODY:
        due = _waiting(pause.prefix).values(next_attempt_ms=pause.until_ms)
        connection.execute(due.where(identifier_outbox.c.next_attempt_ms < pause.until_ms))


def _waiting(prefix: str) -> Update:
    """The entries of a prefix that wait for the node."""
    own = select(identifier.c.equipment_id).where(
        identifier.c.handle_key.startswith(f"{prefix}/", autoescape=True)
    )
    box = identifier_outbox.c
    waits = box.state.in_(("pending", "unknown"))
    return update(identifier_outbox).where(waits, box.equipment_id.in_(own))


def _end(connection: Connection, prefixes: Sequence[str]) -> None:
    if prefixes:
        own = identifier_pause.c.prefix.in_(prefixes)
        connection.execute(delete(identifier_pause).where(own))


def _rows(connection: Connection) -> list[Pause]:
    columns = [identifier_pause.c[name] for name in _COLUMNS]
    rows = connection.execute(select(*columns).order_by(identifier_pause.c.prefix))
    return [
        Pause(
            row.prefix, Outcome(row.outcome), row.reason, row.since_ms, row.until_ms, row.failures
        )
        for row in rows
    ]


def pauses_now(connection: Connection, now_ms: int) -> list[Pause]:
    """The pauses that last, that for all first."""
    return [one for one in _rows(connection) if one.until_ms > now_ms]


def paused_until_ms(connection: Connection, now_ms: int) -> int:
    """When anything is asked again, UTC milliseconds; 0: nothing keeps it."""
    lasting = pauses_now(connection, now_ms)
    return max((one.until_ms for one in lasting if one.prefix == EVERYBODY), default=0)


def until(pause: Pause) -> str:
    """When the node is asked again, in Asia/Shanghai."""
    return f"{datetime.fromtimestamp(pause.until_ms / 1000, SHANGHAI):%Y-%m-%d %H:%M:%S}"


def resume(connection: Connection, now_ms: int) -> int:
    """End all pauses: what waits for them is asked for at once; returns how many there were."""
    rows = _rows(connection)
    for one in rows:
        if one.prefix != EVERYBODY:
            due = _waiting(one.prefix).where(identifier_outbox.c.next_attempt_ms == one.until_ms)
            connection.execute(due.values(next_attempt_ms=now_ms))
    _end(connection, [one.prefix for one in rows])
    return len(rows)


def tell(news: Iterable[tuple[Pause, bool]], registry: Registry) -> None:
    """Say that pauses have begun and ended, each once."""
    for pause, has_begun in news:
        whose = "identifiers" if pause.prefix == EVERYBODY else f"identifiers of {pause.prefix}"
        if not has_begun:
            log.info("registering %s at %s goes on", whose, registry.name)
            continue
        log.warning(
            "registering %s at %s pauses until %s: %s: %s; %s",
            whose,
            registry.name,
            until(pause),
            pause.outcome.value,
            pause.reason,
            WHAT_TO_DO[pause.outcome],
        )
