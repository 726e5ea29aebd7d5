"""Registering by the native protocol of handles: each change is proved with a key."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from gateway.identifier.codes.handle import Handle, HandleError
from gateway.identifier.irp.bodies import (
    Held,
    Question,
    Removal,
    read_held,
    write_handle,
    write_held,
    write_question,
    write_removal,
)
from gateway.identifier.irp.codes import Flag, Op, Rc
from gateway.identifier.irp.data import Admin
from gateway.identifier.irp.octets import WireError
from gateway.identifier.irp.values import Reference, Value
from gateway.identifier.native.administering import (
    AdministrationError,
    Administrator,
    DistrustError,
    NotSentError,
    UncertainError,
)
from gateway.identifier.native.records import (
    TEMPLATE_INDEX,
    admin_value,
    difference,
    gone_of,
    record_of,
    values_of,
    withdrawal_of,
    withdrawn_values,
)
from gateway.identifier.record import Record
from gateway.identifier.registering.native.answers import (
    not_asked,
    outcome_of_failure,
    result_of,
)
from gateway.identifier.registering.native.listing import Listings
from gateway.identifier.registering.registry import (
    NO_LISTING,
    Abilities,
    Listing,
    Outcome,
    Reading,
    Result,
)
from gateway.identifier.template import Item

MAX_BATCH = 1_000
_NOTHING_AGAINST = frozenset(
    {Rc.OK, Rc.HANDLE_NOT_FOUND, Rc.VALUES_NOT_FOUND, Rc.NOT_RESPONSIBLE}
    | {Rc.SERVICE_REFERRAL, Rc.PREFIX_REFERRAL}
)
"""Answers to the question for one's own key: it was proved, or is kept elsewhere."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How identifiers are kept at a server.

    Attributes:
        key: with which who registers proves himself.
        admin: who administers what is created, with his rights.
        is_public: whether everybody may read the items.
        deletes: a withdrawn identifier is deleted; else it stays, with the reason and no items.
        window: identifiers under way at the same time.
        lists: whether the server tells which identifiers a prefix has, to who registers there.
    """

    key: Reference
    admin: Admin
    is_public: bool = True
    deletes: bool = False
    window: int = 16
    lists: bool = False


class NativeRegistry:
    """A server of the native protocol that holds our prefix; see ``Registry``.

    Args:
        name: as results are told.
        server: is asked for changes.
        habits: how identifiers are kept there.
        now_s: seconds since 1970.
    """

    def __init__(
        self,
        name: str,
        server: Administrator,
        habits: Habits,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.abilities = Abilities(MAX_BATCH, has_templates=False, can_list=habits.lists)
        self._server = server
        self._listings = Listings(server)
        self._habits = habits
        self._now_s = now_s

    async def login(self) -> Result:
        """Ask for the own key, which nobody else may read: servers want a proof for it."""
        key = self._habits.key
        question = write_question(Question(key.handle, (key.index,)))
        try:
            answer = await self._server.ask(Op.RESOLVE, question)
        except AdministrationError as error:
            return Result("", outcome_of_failure(error), str(error))
        if answer.rc in _NOTHING_AGAINST:
            return Result("", Outcome.OK)
        return result_of("", answer)

    async def read(self, handle: str) -> Reading:
        """See ``Registry``; of a withdrawn identifier the message is the reason."""
        try:
            held = await self._held(handle)
        except AdministrationError as error:
            return Reading(outcome_of_failure(error), message=str(error))
        if isinstance(held, Result):
            return Reading(held.outcome, message=held.message)
        return Reading(Outcome.OK, record_of(held), withdrawal_of(held) or "")

    async def listed(self, prefix: str, further: str = "") -> Listing:
        """See ``Registry``; the server tells all at once, and a page is what is not told yet."""
        if not self.abilities.can_list:
            return NO_LISTING
        return await self._listings.page(prefix, further)

    async def create(self, records: Sequence[Record]) -> list[Result]:
        """See ``Registry``."""
        return await self._each(records, self._create)

    async def update(self, records: Sequence[Record]) -> list[Result]:
        """See ``Registry``; what is withdrawn stays so and is INVALID."""
        return await self._each(records, self._update)

    async def withdraw(self, records: Sequence[Record], reason: str) -> list[Result]:
        """See ``Registry``."""

        async def mark(record: Record) -> Result:
            wanted = withdrawn_values(record, reason, self._now())
            return await self._replace(record.handle, wanted)

        return await self._each(records, self._delete if self._habits.deletes else mark)

    async def ensure_template(self, prefix: str, version: str, items: Sequence[Item]) -> Result:  # noqa: ARG002 - handles have no templates
        """See ``Registry``; handles have none."""
        return Result("", Outcome.OK)

    async def close(self) -> None:
        """See ``Registry``."""
        self._server.close()

    async def _create(self, record: Record) -> Result:
        values = values_of(record, self._now(), is_public=self._habits.is_public)
        admin = admin_value(self._habits.admin, self._now())
        body = write_held(Held(record.handle, (admin, *values)))
        return result_of(record.handle, await self._server.ask(Op.CREATE, body))

    async def _update(self, record: Record) -> Result:
        values = values_of(record, self._now(), is_public=self._habits.is_public)
        return await self._replace(record.handle, values)

    async def _delete(self, record: Record) -> Result:
        handle = record.handle
        held = await self._own(handle)
        if isinstance(held, Result):
            return held
        return result_of(handle, await self._server.ask(Op.DELETE, write_handle(handle)))

    async def _replace(self, handle: str, wanted: Sequence[Value]) -> Result:
        """Make what is held of a handle the wanted values, by as few changes as it takes."""
        held = await self._own(handle)
        if isinstance(held, Result):
            return held
        reason = withdrawal_of(held)
        if reason is not None and withdrawal_of(Held(handle, tuple(wanted))) is None:
            return Result(handle, Outcome.INVALID, f"it was withdrawn: {reason}")
        steps = tuple(_steps(handle, held, wanted))
        if not steps:
            return Result(handle, Outcome.OK)
        whole = write_held(Held(handle, _whole(held, wanted)))
        result = result_of(handle, await self._server.ask(Op.CREATE, whole, int(Flag.OVERWRITE)))
        if result.outcome is not Outcome.EXISTS:
            return result
        return await self._carried_out(handle, steps)  # servers before 2.11 do not overwrite

    async def _own(self, handle: str) -> Held | Result:
        """What the server holds of a handle that is spelt as ours."""
        held = await self._held(handle)
        if isinstance(held, Held) and not _is_same(held.handle, handle):
            return Result(handle, Outcome.INVALID, f"the server holds {held.handle} in other case")
        return held

    async def _carried_out(self, handle: str, steps: Iterable[tuple[Op, bytes]]) -> Result:
        """Of steps that follow each other; once one is done, none that fails has done nothing."""
        result, has_begun = Result(handle, Outcome.OK), False
        for op, body in steps:
            try:
                result = result_of(handle, await self._server.ask(op, body))
            except (NotSentError, DistrustError) as error:
                if has_begun:
                    raise UncertainError(f"half of a change was made: {error}") from error
                raise
            if result.outcome is not Outcome.OK:
                why = f"half of a change was made: {result.message}"
                return Result(handle, Outcome.UNKNOWN, why) if has_begun else result
            has_begun = True
        return result

    async def _held(self, handle: str) -> Held | Result:
        """What the server holds of a handle, or why it cannot be read."""
        answer = await self._server.ask(Op.RESOLVE, write_question(Question(handle)))
        if answer.rc == Rc.VALUES_NOT_FOUND:
            return Held(handle, ())
        if answer.rc != Rc.OK:
            return result_of(handle, answer)
        try:
            held = read_held(answer.body)
        except WireError as error:
            return Result(handle, Outcome.UNKNOWN, f"{handle}: {error}")
        if held.handle.upper() != handle.upper():
            return Result(handle, Outcome.UNKNOWN, f"the server answers for {held.handle}")
        return held if (gone := gone_of(held)) is None else Result(handle, Outcome.NOT_FOUND, gone)

    async def _each(
        self, records: Sequence[Record], change: Callable[[Record], Awaitable[Result]]
    ) -> list[Result]:
        """Each by itself, several at a time; what stops one before it began stops the others."""
        results: dict[int, Result] = {}
        rest = iter(enumerate(records))
        stopped: Result | None = None

        async def work() -> None:
            nonlocal stopped
            for at, record in rest:
                if stopped is not None:
                    results[at] = Result(record.handle, stopped.outcome, stopped.message)
                    continue
                try:
                    results[at] = await change(record)
                    if results[at].outcome.pauses:
                        stopped = results[at]
                except AdministrationError as error:
                    results[at] = Result(record.handle, outcome_of_failure(error), str(error))
                    stopped = not_asked(error)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(self._habits.window, len(records))):
                tasks.create_task(work())
        return [results[at] for at in range(len(records))]

    def _now(self) -> int:
        return int(self._now_s())


def _whole(held: Held, wanted: Sequence[Value]) -> tuple[Value, ...]:
    """All values after a change: those that stay, and the wanted ones."""
    return (*(one for one in held.values if one.index < TEMPLATE_INDEX), *wanted)


def _steps(handle: str, held: Held, wanted: Sequence[Value]) -> Iterator[tuple[Op, bytes]]:
    added, changed, gone = difference(held.values, wanted)
    if changed:
        yield Op.MODIFY_VALUE, write_held(Held(handle, changed))
    if added:
        yield Op.ADD_VALUE, write_held(Held(handle, added))
    if gone:
        yield Op.REMOVE_VALUE, write_removal(Removal(handle, gone))


def _is_same(one: str, other: str) -> bool:
    try:
        return Handle.parse(one).same_as(Handle.parse(other))
    except HandleError:
        return False
