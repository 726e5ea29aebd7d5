"""Identifiers: read, registered, changed and withdrawn.

Every face of the node calls these functions, and decides nothing itself. Each takes a connection
in a transaction (``Database.run``) and a :class:`Visit`; of many identifiers each has its own
:class:`Result`, in the order in which they were given, and none harms another. Messages are those
of the SNMS interface. Whoever reads first and changes by what was read calls
:func:`begin_changes` before.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from gateway.identifier.node import rules
from gateway.identifier.node.keeping import audit, records, templates
from gateway.identifier.node.keeping.audit import Action
from gateway.identifier.node.registration import Registration, Withdrawal
from gateway.identifier.node.rights.principal import Visit
from gateway.identifier.registering.registry import Outcome, Result
from gateway.identifier.visibility import Seen, hidden
from gateway.relational.database import alone

MAX_AT_ONCE = rules.MAX_BATCH
"""Identifiers of one call; a face refuses more, since it has to tell so by its own words."""


def begin_changes(connection: Connection) -> None:
    """Wait until nobody else changes identifiers, and keep others waiting until the end."""
    alone(connection, "records")


def read(connection: Connection, visit: Visit, handle: str) -> Registration | None:
    """An identifier with the values that the principal may see; None: there is none.

    Args:
        connection: of the node's database.
        visit: who asks.
        handle: in any case.
    """
    found = records.living(connection, [handle.upper()]).get(handle.upper())
    if found is None:
        return None
    nearness = visit.principal.nearness(found.prefix)
    seen = templates.seen_of(connection, found.prefix, found.template_version)
    secret = hidden(seen, nearness)
    owns = nearness is Seen.ENTERPRISE
    values = (one for one in found.values if one.index not in secret and (owns or one.is_public))
    return replace(found, values=tuple(values))


def listed(
    connection: Connection,
    visit: Visit,
    prefix: str,
    most: int,
    skipped: int = 0,
    after: str = "",
) -> Result | list[str]:
    """Identifiers of a prefix, for whose it is, also while it is suspended; DENIED for others.

    Args:
        connection: of the node's database.
        visit: who asks.
        prefix: without those below it.
        most: how many there may be at most.
        skipped: how many of the first ones are left out.
        after: an identifier; it and those before it are left out.
    """
    return _not_its_own(visit, prefix) or records.handles(connection, prefix, most, skipped, after)


def listed_with_withdrawn(
    connection: Connection, visit: Visit, prefix: str, most: int, after: str = ""
) -> Result | list[str | Registration]:
    """As :func:`listed`, and between the living ones the withdrawn, with the values of then.

    Whoever issues them must know whose they were, to give nobody a second one.
    """
    return _not_its_own(visit, prefix) or records.all_of(connection, prefix, most, after)


def _not_its_own(visit: Visit, prefix: str) -> Result | None:
    if rules.is_key(prefix) and visit.principal.owns(prefix):
        return None
    return Result(prefix, Outcome.DENIED, rules.not_allotted(prefix))


def create(connection: Connection, visit: Visit, new: Sequence[Registration]) -> list[Result]:
    """Register identifiers.

    Args:
        connection: of the node's database.
        visit: who asks.
        new: at most :data:`MAX_AT_ONCE`; each value has the time of its change.

    Returns:
        OK; EXISTS: there is one of that name, or was once; INVALID: the values, or the template
        that they name; DENIED: the prefix is not the principal's; QUOTA: no more on this day.
    """
    begin_changes(connection)
    batch = _Batch(connection, visit, [one.handle for one in new])
    taken = records.taken(connection, batch.keys())
    batch.refuse(lambda at: batch.key(at) in taken, Outcome.EXISTS, rules.EXISTS)
    batch.demand_fit(new)
    batch.refuse_repeated(Outcome.EXISTS, rules.EXISTS)
    batch.refuse_beyond_quota()
    fit = [new[at] for at in batch.open()]
    added = records.add(connection, fit, visit.principal.user, visit.now_ms)
    # Of two who register without waiting for each other, one was first.
    batch.refuse(lambda at: batch.key(at) not in added, Outcome.EXISTS, rules.EXISTS)
    if added and visit.terms.per_day is not None:
        audit.count_registered(connection, visit.principal.user, visit.now_ms, len(added))
    return batch.finished(Action.REGISTERED)


def update(
    connection: Connection, visit: Visit, changed: Sequence[Registration], kept_below: int = 0
) -> list[Result]:
    """Replace the values of identifiers.

    Args:
        connection: of the node's database.
        visit: who asks.
        changed: at most :data:`MAX_AT_ONCE`; the name stays as it was first given.
        kept_below: values with a smaller index stay as they are.

    Returns:
        OK; NOT_FOUND: it never was, or was withdrawn; INVALID and DENIED as of :func:`create`.
    """
    begin_changes(connection)
    batch = _Batch(connection, visit, [one.handle for one in changed])
    living = records.living(connection, batch.keys())
    batch.refuse(lambda at: batch.key(at) not in living, Outcome.NOT_FOUND, rules.ABSENT)
    batch.demand_fit(changed)
    fit = [_with_kept(changed[at], living[batch.key(at)], kept_below) for at in batch.open()]
    records.replace(connection, fit, visit.now_ms)
    return batch.finished(Action.UPDATED)


def _with_kept(new: Registration, old: Registration, below: int) -> Registration:
    stay = tuple(one for one in old.values if one.index < below)
    return replace(new, values=(*stay, *new.values)) if stay else new


def withdraw(
    connection: Connection, visit: Visit, asked: Sequence[tuple[str, str]]
) -> list[Result]:
    """Take identifiers back for ever: they resolve to nothing and are never registered again.

    Args:
        connection: of the node's database.
        visit: who asks.
        asked: at most :data:`MAX_AT_ONCE`, each a handle, in any case, and why; that is kept.

    Returns:
        OK; NOT_FOUND: it never was, or was withdrawn before; INVALID: the reason is no text that
        can be kept; DENIED as of :func:`create`.
    """
    begin_changes(connection)
    batch = _Batch(connection, visit, [handle for handle, _ in asked])
    batch.demand_reasons([why for _, why in asked])
    living = records.living(connection, batch.keys())
    batch.refuse(lambda at: batch.key(at) not in living, Outcome.NOT_FOUND, rules.ABSENT)
    batch.refuse_repeated(Outcome.NOT_FOUND, rules.ABSENT)
    reasons = {batch.key(at): asked[at][1] for at in batch.open()}
    records.withdraw(connection, reasons, visit.principal.user, visit.now_ms)
    told = set(reasons.values())
    return batch.finished(Action.WITHDRAWN, told.pop() if len(told) == 1 else "")


def withdrawal(connection: Connection, visit: Visit, handle: str) -> Withdrawal | None:
    """What stays of a withdrawn identifier; None: it lives, or never was.

    Its enterprise, reviewers and administrators see why and by whom, others only that it was.
    """
    kept = records.withdrawal(connection, handle.upper())
    who = visit.principal
    if kept is None or who.is_reviewer or who.owns(handle.partition("/")[0]):
        return kept
    return replace(kept, why="", by="")


class _Batch:
    """Identifiers of one call: those that nothing is wrong with, and what is with the others."""

    def __init__(self, connection: Connection, visit: Visit, handles: Sequence[str]) -> None:
        self._connection, self._visit = connection, visit
        self._handles = handles
        self._results: dict[int, Result] = {}
        self._keys = [one.upper() if isinstance(one, str) else "" for one in handles]
        self._refuse_strange()

    def open(self) -> Iterator[int]:
        """Positions of those that nothing is wrong with."""
        return (at for at in range(len(self._handles)) if at not in self._results)

    def key(self, at: int) -> str:
        """Handle in upper case."""
        return self._keys[at]

    def keys(self) -> list[str]:
        """Those that nothing is wrong with."""
        return [self._keys[at] for at in self.open()]

    def _put(self, at: int, outcome: Outcome, message: str) -> None:
        self._results[at] = Result(self._handles[at], outcome, message)

    def refuse(self, is_wrong: Callable[[int], bool], outcome: Outcome, message: str) -> None:
        """Refuse those of whose position something is true."""
        for at in [one for one in self.open() if is_wrong(one)]:
            self._put(at, outcome, message)

    def demand_reasons(self, given: Sequence[str]) -> None:
        """Refuse those whose reason cannot be kept."""
        for at in list(self.open()):
            if (problem := rules.reason_problem(given[at])) is not None:
                self._put(at, Outcome.INVALID, problem)

    def refuse_repeated(self, outcome: Outcome, message: str) -> None:
        """Of the same identifier given twice only the first is looked at."""
        seen: set[str] = set()
        for at in list(self.open()):
            if self._keys[at] in seen:
                self._put(at, outcome, message)
            seen.add(self._keys[at])

    def _refuse_strange(self) -> None:
        """Refuse what is no handle, or below a prefix of somebody else."""
        verdicts: dict[str, str | None] = {}
        for at, handle in enumerate(self._handles):
            problem = rules.handle_problem(handle)
            if problem is not None:
                self._put(at, Outcome.INVALID, problem)
                continue
            prefix = self._keys[at].partition("/")[0]
            if prefix not in verdicts:
                verdicts[prefix] = denied(self._visit, prefix)
            if (denial := verdicts[prefix]) is not None:
                self._put(at, Outcome.DENIED, denial)

    def demand_fit(self, given: Sequence[Registration]) -> None:
        """Refuse those whose values are none, or are not as their template wants them."""
        bodies: dict[tuple[str, str], rules.Json | None] = {}
        for at in list(self.open()):
            one = given[at]
            place = one.prefix, one.template_version
            if one.template_version and place not in bodies:
                bodies[place] = templates.find(self._connection, *place)
            problem = None
            if one.template_version:
                problem = rules.template_mismatch(one.values, bodies[place])
            problem = problem or rules.contents_problem(one.values)
            if problem is not None:
                self._put(at, Outcome.INVALID, problem)

    def refuse_beyond_quota(self) -> None:
        """Refuse what is more than the user may register on this day."""
        per_day, user = self._visit.terms.per_day, self._visit.principal.user
        if per_day is None:
            return
        used = audit.registered_today(self._connection, user, self._visit.now_ms)
        for at in list(self.open())[max(0, per_day - used) :]:
            self._put(at, Outcome.QUOTA, rules.over_quota(per_day))

    def finished(self, action: Action, detail: str = "") -> list[Result]:
        """All results in order; what was done is written down."""
        done = list(self.open())
        if done:
            first = self._handles[done[0]]
            more = f"{len(done)} from here" if len(done) > 1 else ""
            note = ": ".join(one for one in (more, detail) if one)
            by, now_ms = self._visit.principal.user, self._visit.now_ms
            audit.note(self._connection, now_ms, by, action, first, note)
        for at in done:
            self._put(at, Outcome.OK, rules.SUCCESS)
        return [self._results[at] for at in range(len(self._handles))]


def denied(visit: Visit, prefix: str) -> str | None:
    """Why a principal may register, change and delete nothing below a prefix; None: it may."""
    foreign = rules.foreign_prefix(prefix, visit.terms.prefix)
    if foreign is not None:
        return foreign
    if not rules.is_key(prefix) or not visit.principal.owns(prefix):
        return rules.not_allotted(prefix)
    return None if visit.principal.may_register(prefix) else rules.not_usable(prefix)
