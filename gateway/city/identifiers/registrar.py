"""Give every machine of the ledger its identifier, register it at the node, read it back.

The list of what is to be done is durable (:mod:`gateway.city.identifiers.outbox`); this module
only works it off. It may be killed at any moment: an entry whose outcome is not known is asked
for again, and what the node then holds decides.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from edge_config.models.base import SecretUnavailableError
from edge_config.models.city import IdentifierConfig
from edge_config.models.identifiers.suffix import SuffixPattern
from gateway.city.identifiers.contents import owner_of
from gateway.city.identifiers.issued import Issue, IssuedFile
from gateway.city.identifiers.issuing import Issuing, give_up, issue
from gateway.city.identifiers.outbox import (
    TAKEN,
    Outcome,
    Work,
    claim,
    mark_different,
    mark_resolved,
    note_outcomes,
    unresolved,
)
from gateway.city.identifiers.review import begin_reviews
from gateway.city.ledger.changes import latest_change
from gateway.city.ledger.machines import is_named
from gateway.city.ledger.renaming import said as name_said
from gateway.core.days import DAY_MS, HOUR_MS
from gateway.core.schedule import backoff_ms
from gateway.identifier.codes.handle import Handle
from gateway.identifier.record import Record, Value
from gateway.identifier.snms import (
    ItemResult,
    NodeError,
    NodeRefusedError,
    OutcomeUnknownError,
    SnmsClient,
)
from gateway.identifier.template import EQUIPMENT_ITEMS, TYPES, equipment_values
from gateway.relational.database import Database, words
from gateway.retry import Retry

log = logging.getLogger(__name__)

_IDLE_MS = 1_000
_LONGEST_IDLE_MS = 30_000
"""Looking for work costs a tenth of a second of a large city's database; a change of the ledger
ends the wait within ``_IDLE_MS``."""
_LONGEST_PAUSE_MS = 60_000
_READ_AGAIN_MS = DAY_MS
_READERS = 8


async def run(
    database: Database,
    client: SnmsClient,
    config: IdentifierConfig,
    issued: IssuedFile,
    now_ms: Callable[[], int],
) -> None:
    """Work for ever; a node, its password, a file or a database that is away is waited for."""
    registrar = Registrar(database, client, config, rules_of(config, issued), now_ms)
    attempts = Retry(
        log,
        "registering identifiers is interrupted",
        "registering identifiers goes on",
        first_ms=_IDLE_MS,
        longest_ms=_LONGEST_PAUSE_MS,
    )
    idle, node_away = 0, False
    while True:
        try:
            # Read before the step: a change that comes while it works is then not overlooked.
            change = await database.run(latest_change)
            busy = await registrar.step()
        except (NodeError, SecretUnavailableError, SQLAlchemyError, sqlite3.Error) as fault:
            node_away = isinstance(fault, NodeError | SecretUnavailableError)
            attempts.failed(words(fault))
            await asyncio.sleep(attempts.pause_s())
            continue
        if busy or not node_away:  # a pass that had nothing due does not show that the node is back
            attempts.succeeded()
            node_away = False
        idle = 0 if busy else idle + 1
        if idle:
            await _rest(database, change, backoff_ms(idle, _IDLE_MS, _LONGEST_IDLE_MS))


def rules_of(config: IdentifierConfig, issued: IssuedFile) -> Issuing:
    """The rules that a city configures."""
    pattern = SuffixPattern.parse(config.suffix)
    return Issuing(config.prefix, pattern, config.review_hours * HOUR_MS, issued)


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
    client: SnmsClient
    config: IdentifierConfig
    rules: Issuing
    now_ms: Callable[[], int]
    _templates: set[str] = field(default_factory=set)

    async def step(self) -> bool:
        """Issue, register and read back one portion each; whether there was anything to do.

        Raises:
            NodeError: the node is away or refuses the login; the list holds what is left.
        """
        # In this order a new machine goes all the way in one step.
        issued = await self._issue_portion()
        sent = await self._send_portion()
        read = await self._read_portion()
        return bool(issued or sent or read)

    async def _issue_portion(self) -> bool:
        now, batch = self.now_ms(), self.config.batch
        try:
            begun = 0
            if self.rules.review_ms:
                begun = await self.database.run(begin_reviews, now, batch)
            issued = await self.database.run(issue, self.rules, now, batch)
        except IntegrityError:  # another worker gave them theirs in the same moment
            return True
        return begun + issued > 0

    # -- what the node is sent ---------------------------------------------------------------

    async def _send_portion(self) -> int:
        work = await self.database.run(claim, self.now_ms(), self.config.batch)
        if not work:
            return 0
        try:
            outcomes = await self._send(work)
        except NodeError as error:
            await self._put_back(work, error)
            raise
        await self._give_up([one for one in outcomes if one.state == TAKEN])
        known = [one for one in outcomes if one.state != TAKEN]
        await self.database.run(note_outcomes, known, self.now_ms())
        _log_refused([one for one in known if one.state == "refused"])
        return len(work)

    async def _give_up(self, outcomes: Sequence[Outcome]) -> None:
        taken = {
            one.work.machine: Issue(Handle.parse(one.work.handle), one.owner)
            for one in outcomes
            if one.owner is not None
        }
        if taken:
            await self.database.run(give_up, self.rules.issued, taken, self.now_ms())
            first = next(iter(taken.values()))
            log.warning(
                "the node has %d identifiers that this city issued again, the first is %s: it is "
                "%s; was the database restored from a copy? The machines get other identifiers",
                len(taken),
                first.handle,
                name_said(first.machine),
            )

    async def _put_back(self, work: Sequence[Work], error: NodeError) -> None:
        state = "unknown" if isinstance(error, OutcomeUnknownError) else "pending"
        outcomes = [Outcome(one, state, str(error)) for one in work]
        await self.database.run(note_outcomes, outcomes, self.now_ms())

    async def _send(self, work: Sequence[Work]) -> list[Outcome]:
        records = {one.handle: self._record(one.handle, one.texts) for one in work}
        for handle in records:
            await self._ensure_template(Handle.parse(handle).prefix)
        is_update = work[0].operation == "update"
        call = self.client.batch_update if is_update else self.client.batch_create
        try:
            results = await call(list(records.values()))
        except NodeRefusedError as refusal:
            if len(work) > 1:  # one of them is why: halve until it stands alone
                half = len(work) // 2
                return [*await self._send(work[:half]), *await self._send(work[half:])]
            results = [ItemResult(work[0].handle, ok=False, message=str(refusal))]
        found = {one.handle: one for one in results}
        missing = ItemResult("", ok=False, message="")
        return [
            await self._outcome(one, records[one.handle], found.get(one.handle, missing))
            for one in work
        ]

    async def _outcome(self, work: Work, record: Record, result: ItemResult) -> Outcome:
        """Success by the node's word; anything else by what the node holds."""
        if result.ok:
            return Outcome(work, "done")
        held = await self.client.detail(record.handle)
        if held is None and work.operation == "update":
            return await _asked_again(work, self.client.register(record))  # the node has lost it
        if held is None:
            return Outcome(work, "pending" if result.passing else "refused", result.message)
        if held.agrees_with(record):
            return Outcome(work, "done")
        return await self._differing(work, record, held, result.message)

    async def _differing(self, work: Work, record: Record, held: Record, said: str) -> Outcome:
        """What becomes of an entry whose identifier the node holds with other values."""
        owner = owner_of(held)
        if not await self.database.run(is_named, work.machine, owner):
            if work.operation == "register":
                return Outcome(work, TAKEN, owner=owner)
            return Outcome(work, "refused", f"{said}: it describes another machine")
        # The node holds an older state of this machine.
        return await _asked_again(work, self.client.update(record))

    async def _ensure_template(self, prefix: str) -> None:
        version = self.config.template_version
        if prefix in self._templates:
            return
        if await self.client.template(prefix, version) is None:
            try:
                await self.client.create_template(prefix, version, EQUIPMENT_ITEMS)
            except NodeRefusedError:  # another worker may have been faster
                if await self.client.template(prefix, version) is None:
                    raise
        self._templates.add(prefix)

    def _record(self, handle: str, texts: Mapping[str, str]) -> Record:
        values = equipment_values(texts)
        return Record(
            handle,
            self.config.template_version,
            tuple(Value(index, TYPES[index], text) for index, text in values.items()),
        )

    # -- reading back ----------------------------------------------------------------------

    async def _read_portion(self) -> int:
        now = self.now_ms()
        rows = await self.database.run(unresolved, now - _READ_AGAIN_MS, now, self.config.batch)
        if not rows:
            return 0
        held = await self._read_all([one.handle for one in rows])
        equal, different = list[Work](), list[Work]()
        for one, found in zip(rows, held, strict=True):
            same = found is not None and found.agrees_with(self._record(one.handle, one.texts))
            (equal if same else different).append(one)
        await self.database.run(mark_resolved, equal, now)
        if different:
            await self.database.run(mark_different, different, now)
            log.warning(
                "%d identifiers at the node differ from the ledger, the first is %s",
                len(different),
                different[0].handle,
            )
        return len(equal)

    async def _read_all(self, handles: Sequence[str]) -> list[Record | None]:
        """Read identifiers, a few at a time; the first fault of the node ends it."""
        found: list[Record | None] = []
        for start in range(0, len(handles), _READERS):
            part = handles[start : start + _READERS]
            found += await asyncio.gather(*(self.client.detail(handle) for handle in part))
        return found


async def _asked_again(work: Work, call: Awaitable[None]) -> Outcome:
    """What becomes of an entry whose first call failed, by a further call for it alone."""
    try:
        await call
    except NodeRefusedError as refusal:
        return Outcome(work, "refused", str(refusal))
    return Outcome(work, "done")


def _log_refused(outcomes: Sequence[Outcome]) -> None:
    if outcomes:
        first = outcomes[0]
        log.warning(
            "the node refuses %d identifiers, the first is %s: %s; they are asked for again "
            "in a day, or when the ledger changes",
            len(outcomes),
            first.work.handle,
            first.error,
        )
