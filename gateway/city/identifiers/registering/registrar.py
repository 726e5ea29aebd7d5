"""Give every machine of the ledger its identifier, register it at the node, read it back.

The list of what is to be done is durable (:mod:`gateway.city.identifiers.outbox`); this only
works it off. It may be killed at any moment: an entry whose outcome is not known is asked for
again, and what the node then holds decides.
"""

import asyncio
import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from edge_config.models.city import IdentifierConfig
from edge_config.models.identifiers.suffix import SuffixPattern
from gateway.city.identifiers.entries import TAKEN, Verdict
from gateway.city.identifiers.issued import Issue, IssuedFile
from gateway.city.identifiers.issuing import Issuing, give_up, issue, unasked
from gateway.city.identifiers.outbox import (
    claim,
    mark_different,
    mark_resolved,
    note_verdicts,
    unresolved,
)
from gateway.city.identifiers.regaining import regain_withdrawn
from gateway.city.identifiers.registering.pausing import (
    EVERYBODY,
    judged,
    note_listing,
    note_progress,
    paused_until_ms,
    pauses_now,
    resume,
    tell,
)
from gateway.city.identifiers.registering.reading import Comparison, compare
from gateway.city.identifiers.registering.recovering import recover
from gateway.city.identifiers.registering.sending import Sender
from gateway.city.identifiers.review import begin_reviews
from gateway.city.ledger.changes import latest_change
from gateway.city.ledger.names import NOBODY
from gateway.city.ledger.renaming import said as name_said
from gateway.core.days import DAY_MS
from gateway.core.schedule import backoff_ms
from gateway.identifier.codes.handle import Handle
from gateway.identifier.registering.registry import Outcome, Registry, Result
from gateway.relational.database import Database, words
from gateway.retry import Retry

log = logging.getLogger(__name__)

_IDLE_MS = 1_000
_LONGEST_IDLE_MS = 30_000
"""Looking for work costs a tenth of a second of a large city's database; a change of the ledger
ends the wait within ``_IDLE_MS``."""
_LONGEST_PAUSE_MS = 60_000
_TIMES_UNLISTED = 3
_FOR_EVER = (
    "the identifier of this machine was withdrawn, and the node does not take it again: withdraw "
    "the machine; if there is one, enter it under another number"
)
_READ_AGAIN_MS = DAY_MS


async def run(
    database: Database,
    registry: Registry,
    config: IdentifierConfig,
    issued: IssuedFile,
    now_ms: Callable[[], int],
) -> None:
    """Work for ever; a node, its password, a file or a database that is away is waited for."""
    registrar = Registrar(database, registry, config, rules_of(config, issued), now_ms)
    attempts = Retry(
        log,
        "registering identifiers is interrupted",
        "registering identifiers goes on",
        first_ms=_IDLE_MS,
        longest_ms=_LONGEST_PAUSE_MS,
    )
    idle, is_begun = 0, False
    while True:
        try:
            if not is_begun:  # a person has changed something, or another one leads
                await database.run(resume, now_ms())
                is_begun = True
            # Read before the step: a change that comes while it works is then not overlooked.
            change = await database.run(latest_change)
            busy = await registrar.step()
        except (SQLAlchemyError, sqlite3.Error) as fault:
            attempts.failed(words(fault))
            await asyncio.sleep(attempts.pause_s())
            continue
        attempts.succeeded()
        idle = 0 if busy else idle + 1
        if idle:
            await _rest(database, change, await registrar.rest_ms(idle))


def rules_of(config: IdentifierConfig, issued: IssuedFile) -> Issuing:
    """The rules that a city configures."""
    pattern = SuffixPattern.parse(config.suffix)
    return Issuing(config.prefix, pattern, config.review_ms, issued)


async def _rest(database: Database, change: int, pause_ms: int) -> None:
    """Wait, but no longer than until the ledger is at another change than this one."""
    while pause_ms > 0:
        await asyncio.sleep(min(pause_ms, _IDLE_MS) / 1000)
        pause_ms -= _IDLE_MS
        try:
            if await database.run(latest_change) != change:
                return
        except SQLAlchemyError:  # the next pass finds the same, and says so
            return


@dataclass(slots=True)
class Registrar:
    """One pass at a time over machines without identifier, the list, and what to read back."""

    database: Database
    registry: Registry
    config: IdentifierConfig
    rules: Issuing
    now_ms: Callable[[], int]
    _sender: Sender = field(init=False)
    _unlisted: Counter[str] = field(default_factory=Counter)
    """How often the node said of a prefix that it cannot list."""
    _looked_at: int = 0
    """Up to this id withdrawn machines were looked at; from the first on again after the last."""

    def __post_init__(self) -> None:
        self._sender = Sender(self.database, self.registry, self.config.template_version)

    async def step(self) -> bool:
        """Issue, register and read back one portion each; whether there was anything to do.

        What the node does not do or say never raises: the list holds what is left, and a node
        that is away or refuses everything is left alone for a while.
        """
        # In this order a new machine goes all the way in one step.
        done = await self._issue_portion()
        for portion in (self._send_portion, self._read_portion):
            if await self.database.run(paused_until_ms, self.now_ms()):
                return done
            done = await portion() or done
        return done

    async def rest_ms(self, idle: int) -> int:
        """How long to wait after so many steps without anything to do."""
        now = self.now_ms()
        until = await self.database.run(paused_until_ms, now)
        longest = backoff_ms(idle, _IDLE_MS, _LONGEST_IDLE_MS)
        return min(longest, max(until - now, 1)) if until else longest

    async def _issue_portion(self) -> bool:
        now, batch = self.now_ms(), self.config.batch
        try:
            begun = 0
            if self.rules.review_ms:
                begun = await self.database.run(begin_reviews, now, batch)
            but = await self._recover(now)
            issued = await self.database.run(issue, self.rules, now, batch, but)
            issued = issued or await self._regain_withdrawn(now)
        except IntegrityError:  # another worker gave them theirs in the same moment
            return True
        return begun + issued > 0

    async def _regain_withdrawn(self, now_ms: int) -> int:
        """The next withdrawn machines whose identifiers a restored database has forgotten."""
        regained, self._looked_at = await self.database.run(
            regain_withdrawn, self.rules.issued, self._looked_at, self.config.batch, now_ms
        )
        return regained

    async def _recover(self, now_ms: int) -> list[str]:
        """Ask the node what it has of prefixes before any is issued; codes that must wait."""
        if not self.registry.abilities.can_list:
            return []
        waiting = list[str]()
        for code in await self.database.run(unasked, self.rules, now_ms):
            prefix = f"{self.rules.prefix}.{code}"
            paused = {one.prefix for one in await self.database.run(pauses_now, now_ms)}
            if paused & {EVERYBODY, prefix.upper()}:
                waiting.append(code)
                continue
            found = await recover(self.registry, self.rules.issued, prefix, now_ms)
            if await self._is_without_listing(prefix, found):
                found = Result(prefix, Outcome.OK)
            news = await self.database.run(
                note_listing, prefix, found.outcome, found.message, self.now_ms()
            )
            tell(news, self.registry)
            if found.outcome is not Outcome.OK:
                waiting.append(code)
        return waiting

    async def _is_without_listing(self, prefix: str, found: Result) -> bool:
        """Whether a node cannot list after all, said more than once: a proxy may have said it."""
        if found.outcome is not Outcome.INVALID:
            return False
        self._unlisted[prefix] += 1
        if self._unlisted[prefix] < _TIMES_UNLISTED:
            return False
        log.warning(
            "%s cannot list, so identifiers are issued: %s", self.registry.name, found.message
        )
        await asyncio.to_thread(self.rules.issued.note_asked, prefix)
        return True

    # -- what the node is sent ---------------------------------------------------------------

    async def _send_portion(self) -> bool:
        limit = min(self.config.batch, self.registry.abilities.batch)
        work = await self.database.run(claim, self.now_ms(), limit)
        if not work:
            return False
        verdicts, pauses = judged(await self._sender.tell(work))
        verdicts = await asyncio.to_thread(self._mindful_of_withdrawn, verdicts)
        await self._give_up([one for one in verdicts if one.state == TAKEN])
        known = [one for one in verdicts if one.state != TAKEN]
        await self.database.run(note_verdicts, known, self.now_ms())
        tell(await self.database.run(note_progress, known, pauses, self.now_ms()), self.registry)
        _log_refused([one for one in known if one.state == "refused"])
        return True

    def _mindful_of_withdrawn(self, verdicts: Sequence[Verdict]) -> list[Verdict]:
        """Verdicts, once the file knows what was withdrawn by them."""
        done = [one.work for one in verdicts if one.state == "done"]
        withdrawn = [Handle.parse(one.handle) for one in done if one.operation == "withdraw"]
        if withdrawn:
            self.rules.issued.note_withdrawn(withdrawn)
        return [self._or_refused(one) for one in verdicts]

    def _or_refused(self, verdict: Verdict) -> Verdict:
        """A machine whose identifier was withdrawn for ever gets no second one for that."""
        is_unseen = verdict.state == TAKEN and verdict.owner == NOBODY
        if is_unseen and self.rules.issued.was_withdrawn(Handle.parse(verdict.work.handle)):
            return replace(verdict, state="refused", error=_FOR_EVER)
        return verdict

    async def _give_up(self, verdicts: Sequence[Verdict]) -> None:
        taken = {
            one.work.machine: Issue(Handle.parse(one.work.handle), one.owner)
            for one in verdicts
            if one.owner is not None
        }
        if taken:
            await self.database.run(give_up, self.rules.issued, taken, self.now_ms())
            first = next(iter(taken.values()))
            owner = name_said(first.machine) if any(first.machine) else "nobody's that is told"
            log.warning(
                "the node has %d identifiers that this city issued again, the first is %s: it is "
                "%s; was the database restored from a copy? The machines get other identifiers",
                len(taken),
                first.handle,
                owner,
            )

    # -- reading back ------------------------------------------------------------------------

    async def _read_portion(self) -> bool:
        now = self.now_ms()
        rows = await self.database.run(unresolved, now - _READ_AGAIN_MS, now, self.config.batch)
        if not rows:
            return False
        found = await compare(self.database, self.registry, self.config.template_version, rows)
        await self.database.run(mark_resolved, found.equal, now)
        await self.database.run(mark_different, found.different, now)
        _log_different(found)
        pauses = judged(found.unread)[1]
        tell(await self.database.run(note_progress, [], pauses, self.now_ms()), self.registry)
        return bool(found.equal)


def _log_different(found: Comparison) -> None:
    if found.different:
        log.warning(
            "%d identifiers at the node differ from the ledger, the first is %s",
            len(found.different),
            found.different[0].work.handle,
        )


def _log_refused(verdicts: Sequence[Verdict]) -> None:
    if verdicts:
        first = verdicts[0]
        log.warning(
            "the node refuses %d identifiers, the first is %s: %s; they are asked for again "
            "in a day, or when the ledger changes",
            len(verdicts),
            first.work.handle,
            first.error,
        )
