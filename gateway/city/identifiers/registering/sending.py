"""Tell the node of claimed entries; what each comes to is its word, or what it then holds."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from gateway.city.identifiers.contents import describes_nobody, owner_of, record_of
from gateway.city.identifiers.entries import TAKEN, Verdict, Work, verdict_of
from gateway.city.identifiers.registering.reading import ANOTHERS, is_ours, read_all
from gateway.city.ledger.names import NOBODY
from gateway.identifier.codes.handle import Handle
from gateway.identifier.record import Record
from gateway.identifier.registering.registry import Outcome, Reading, Registry, Result
from gateway.identifier.template import TEMPLATE_ITEMS
from gateway.relational.database import Database

_UNSEEN_ATTEMPTS = 8
"""So often an identifier is asked for that exists and yet is not shown to us: two minutes, in
which a node whose reading lags behind has caught up."""

Many = Callable[[Sequence[Record]], Awaitable[list[Result]]]


@dataclass(slots=True)
class Sender:
    """Tells one node."""

    database: Database
    registry: Registry
    template_version: str
    _templates: set[str] = field(default_factory=set)

    async def tell(self, work: Sequence[Work]) -> list[Verdict]:
        """What became of entries, all of one operation; nothing that the node does raises."""
        operation = work[0].operation
        if operation == "withdraw":
            return await self._withdraw(work)
        ready, verdicts = await self._with_templates(work)
        if ready:
            told = self._register if operation == "register" else self._update
            verdicts += await told(ready)
        return verdicts

    async def _with_templates(self, work: Sequence[Work]) -> tuple[list[Work], list[Verdict]]:
        """Entries whose template is at the node, and what became of the others: nothing."""
        if not self.registry.abilities.has_templates:
            return list(work), []
        prefixes = sorted({Handle.parse(one.handle).prefix for one in work} - self._templates)
        wanting: dict[str, Result] = {}
        for prefix in prefixes:
            version = self.template_version
            result = await self.registry.ensure_template(prefix, version, TEMPLATE_ITEMS)
            if result.outcome is Outcome.OK:
                self._templates.add(prefix)
            else:
                wanting[prefix] = result
        ready, verdicts = list[Work](), list[Verdict]()
        for one in work:
            fault = wanting.get(Handle.parse(one.handle).prefix)
            if fault is None:
                ready.append(one)
            else:
                verdicts.append(verdict_of(one, Result("", fault.outcome, fault.message)))
        return ready, verdicts

    # -- registering -------------------------------------------------------------------------

    async def _register(self, work: Sequence[Work]) -> list[Verdict]:
        results = await self.registry.create([self._record(one) for one in work])
        # A whole call of which nothing is known: the node is in trouble, and may be at it still.
        is_lost = all(one.outcome is Outcome.UNKNOWN for one in results)
        clear = (Outcome.OK, Outcome.DENIED)
        pairs = list(zip(work, results, strict=True))
        unclear = [
            (one, result)
            for one, result in pairs
            if result.outcome not in clear and not result.outcome.pauses and not is_lost
        ]
        readings = await read_all(self.registry, [one.handle for one, _ in unclear])
        verdicts = {
            one.id: await self._by_what_is_held(one, result, reading)
            for (one, result), reading in zip(unclear, readings, strict=True)
        }
        return [verdicts.get(one.id) or verdict_of(one, result) for one, result in pairs]

    async def _by_what_is_held(self, work: Work, result: Result, reading: Reading) -> Verdict:
        """What became of a registration that the node did not confirm."""
        if reading.record is not None:
            return await self._beside(work, result, reading.record)
        if reading.outcome.pauses or reading.outcome is Outcome.UNKNOWN:
            return verdict_of(work, Result(work.handle, reading.outcome, reading.message))
        if result.outcome is Outcome.EXISTS:
            # Somebody's who does not show it, or it was deleted and is nobody's for ever.
            is_sure = work.attempts >= _UNSEEN_ATTEMPTS
            return Verdict(work, TAKEN if is_sure else "pending", result.message, NOBODY)
        if result.outcome is Outcome.UNKNOWN:  # it has not happened
            return Verdict(work, "pending", result.message)
        return verdict_of(work, result)

    async def _beside(self, work: Work, result: Result, held: Record) -> Verdict:
        """What becomes of a registration whose identifier the node holds."""
        record = self._record(work)
        if held.agrees_with(record):
            return Verdict(work, "done")
        if not await is_ours(self.database, work, held):
            return Verdict(work, TAKEN, result.message, owner_of(held))
        (updated,) = await self.registry.update([record])  # an older state of this machine
        return verdict_of(work, updated)

    # -- what is there already ---------------------------------------------------------------

    async def _update(self, work: Sequence[Work]) -> list[Verdict]:
        """Each is read first: what has become another's is not overwritten."""
        verdicts, own, lost = list[Verdict](), list[Work](), list[Work]()
        for one, reading in await self._read(work):
            if reading.record is not None and reading.record.agrees_with(self._record(one)):
                verdicts.append(Verdict(one, "done"))
            elif reading.record is not None and await is_ours(self.database, one, reading.record):
                own.append(one)
            elif reading.outcome is Outcome.NOT_FOUND:
                lost.append(one)
            else:
                verdicts.append(_not_read(one, reading))
        verdicts += await self._send(own, self.registry.update)
        return verdicts + await self._send(lost, self.registry.create)

    async def _withdraw(self, work: Sequence[Work]) -> list[Verdict]:
        """Each is read first: another's identifier is not withdrawn."""
        verdicts, own = list[Verdict](), list[Work]()
        for one, reading in await self._read(work):
            held = reading.record
            if held is not None and describes_nobody(held):
                verdicts.append(Verdict(one, "done"))
            elif held is not None and await is_ours(self.database, one, held):
                own.append(one)
            elif reading.outcome is Outcome.NOT_FOUND:
                verdicts.append(Verdict(one, "done"))
            else:
                verdicts.append(_not_read(one, reading))
        ready, wanting = await self._with_templates(own)  # it may lack where the reason goes
        by_reason: dict[str, list[Work]] = {}
        for one in ready:
            by_reason.setdefault(one.reason, []).append(one)
        for reason, entries in by_reason.items():
            verdicts += await self._send(entries, partial(self._take_back, reason))
        return verdicts + wanting

    async def _take_back(self, reason: str, records: Sequence[Record]) -> list[Result]:
        results = await self.registry.withdraw(records, reason)
        gone = Outcome.NOT_FOUND  # since it was read
        return [Result(one.handle, Outcome.OK) if one.outcome is gone else one for one in results]

    async def _read(self, work: Sequence[Work]) -> list[tuple[Work, Reading]]:
        readings = await read_all(self.registry, [one.handle for one in work])
        return list(zip(work, readings, strict=True))

    async def _send(self, work: Sequence[Work], call: Many) -> list[Verdict]:
        if not work:
            return []
        results = await call([self._record(one) for one in work])
        return [verdict_of(one, result) for one, result in zip(work, results, strict=True)]

    def _record(self, work: Work) -> Record:
        return record_of(work.handle, work.texts, self.template_version)


def _not_read(work: Work, reading: Reading) -> Verdict:
    """What becomes of an entry whose record cannot be read, or is another machine's."""
    if reading.record is not None:
        said = f"{reading.message}: " if reading.message else ""
        return Verdict(work, "refused", f"{said}{ANOTHERS}")
    return verdict_of(work, Result(work.handle, reading.outcome, reading.message))
