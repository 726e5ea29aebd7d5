"""A node that speaks the SNMS interface, as a registry."""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

from gateway.identifier.calling import Caller, Reply
from gateway.identifier.codes.handle import Handle, HandleError
from gateway.identifier.record import Record, read_record
from gateway.identifier.registering.asking import Asker, Meanings, Told, no_page, told_of
from gateway.identifier.registering.marking import MAX_REASON, marked, one_line
from gateway.identifier.registering.registry import (
    NO_LISTING,
    Abilities,
    Listing,
    Outcome,
    Reading,
    Result,
    page_of,
)
from gateway.identifier.registering.snms.login import DailyLogin
from gateway.identifier.registering.snms.meanings import (
    ABSENT,
    CODES,
    OK,
    SUCCESS,
    WORDS,
    Paths,
)
from gateway.identifier.registering.snms.templates import PASSIVE, lacking, template_body
from gateway.identifier.template import Item

MAX_BATCH = 2_000
"""More identifiers in one call are refused (SNMS, batch operations)."""


_WITHDRAWN = "withdrawn"
"""Asks nodes of ours for withdrawn identifiers, too; others list the living ones only."""


@dataclass(frozen=True, slots=True)
class Manner:
    """In what one node of this interface differs from another.

    Attributes:
        paths: where its services are.
        meanings: what its answers mean.
        batch: most identifiers of one call.
        withdrawal: what becomes of an identifier that was given by mistake: a mark on its record,
            or its deletion.
        success: messages of an identifier of many that has succeeded, in small letters.
        reason: name by which a deletion tells why; empty: it does not.
        template: type of templates that are made: PASSIVE, or ACTIVE for machines with carriers.
    """

    paths: Paths = field(default_factory=Paths)
    meanings: Meanings = field(default_factory=lambda: Meanings(CODES, WORDS))
    batch: int = MAX_BATCH
    withdrawal: Literal["mark", "delete"] = "mark"
    success: frozenset[str] = SUCCESS
    reason: str = ""
    template: int = PASSIVE


class SnmsRegistry:
    """One node; it logs in when needed.

    Args:
        caller: the node; closed with this.
        username: application identity.
        secret: its secret.
        today: the Asia/Shanghai day.
        manner: in what this node differs.
    """

    def __init__(
        self,
        caller: Caller,
        username: str,
        secret: Callable[[], str],
        today: Callable[[], date],
        manner: Manner | None = None,
    ) -> None:
        self._caller = caller
        self._manner = manner or Manner()
        self.name = f"SNMS node {caller.url}"
        self.abilities = Abilities(
            batch=min(self._manner.batch, MAX_BATCH),
            has_templates=True,
            can_list=bool(self._manner.paths.listing),
        )
        path = self._manner.paths.login
        self._login = DailyLogin(caller, path, username, secret, today, self._meaning)
        self._asker = Asker(caller, self._login, self._meaning)

    async def close(self) -> None:
        """Close all connections."""
        await self._caller.close()

    async def login(self) -> Result:
        """Get a token; the days around today are tried, as the node has its own clock."""
        told = await self._asker.login()
        return Result("", told.outcome, told.message)

    async def read(self, handle: str) -> Reading:
        """The record of an identifier."""
        path = f"{self._manner.paths.data}/detail"
        told = await self._ask("GET", path, params={"handle": handle})
        if told.outcome is not Outcome.OK:
            return Reading(told.outcome, None, told.message)
        try:
            record = read_record(told.body.get("data"))
        except HandleError as error:
            return Reading(Outcome.UNKNOWN, None, f"reading {handle}: {error}")
        if not Handle.parse(record.handle).same_as(Handle.parse(handle)):
            why = f"asked for {handle}, {self.name} gives the record of {record.handle}"
            return Reading(Outcome.UNKNOWN, None, why)
        return Reading(Outcome.OK, record)

    async def listed(self, prefix: str, further: str = "") -> Listing:
        """See ``Registry``; a page is asked for with the last identifier of the one before."""
        if not self.abilities.can_list:
            return NO_LISTING
        query = {"prefix": prefix, "after": further, _WITHDRAWN: "true"}
        told = await self._ask("GET", self._manner.paths.listing, params=query)
        if told.outcome is not Outcome.OK:
            return no_page(told)
        found = told.body.get("data")
        if not isinstance(found, list):
            return page_of(prefix, found, "", further)
        page = [_entry(one) for one in found]
        last = page[-1] if page else ""
        return page_of(
            prefix, page, last.handle if isinstance(last, Record) else str(last), further
        )

    async def create(self, records: Sequence[Record]) -> list[Result]:
        """Register identifiers."""
        return await self._many("POST", "batchCreate", records, Record.body)

    async def update(self, records: Sequence[Record]) -> list[Result]:
        """Replace the metadata of identifiers."""
        return await self._many("PUT", "batchUpdate", records, Record.body)

    async def withdraw(self, records: Sequence[Record], reason: str) -> list[Result]:
        """Mark or delete identifiers that were given by mistake."""
        if self._manner.withdrawal == "delete":
            return await self._many("DELETE", "batchDelete", records, self._deletion(reason))
        return await self.update([marked(one, reason) for one in records])

    def _deletion(self, reason: str) -> Callable[[Record], Any]:
        """What is sent of an identifier that is to be deleted: the handle, with why if wanted."""
        name, why = self._manner.reason, one_line(reason, MAX_REASON)
        if not (name and why):
            return lambda record: record.handle
        return lambda record: {"handle": record.handle, name: why}

    async def ensure_template(self, prefix: str, version: str, items: Sequence[Item]) -> Result:
        """Have a template hold these items: it is made, or what it lacks is added."""
        path = self._manner.paths.template
        told = await self._template(prefix, version)
        if told.outcome is Outcome.NOT_FOUND:
            body = self._body(prefix, version, items)
            made = await self._ask("POST", path, json=body)
            if made.outcome is Outcome.OK:
                return Result("", Outcome.OK)
            told = await self._template(prefix, version)  # another worker may have been faster
            if told.outcome is Outcome.NOT_FOUND:
                return Result("", made.outcome, made.message)
        if told.outcome is Outcome.OK and (more := lacking(told.body.get("data"), items)):
            # Items that are not sent stay as they are, so nothing of others' is lost.
            told = await self._ask(
                "PUT", path, json=template_body(prefix, version, more, self._manner.template)
            )
        return Result("", told.outcome, told.message)

    def _body(self, prefix: str, version: str, items: Sequence[Item]) -> dict[str, Any]:
        return template_body(prefix, version, items, self._manner.template)

    async def _template(self, prefix: str, version: str) -> Told:
        query = {"prefix": prefix, "version": version}
        told = await self._ask("GET", self._manner.paths.template, params=query)
        if told.outcome is Outcome.INVALID and any(word in told.message for word in ABSENT):
            return Told(Outcome.NOT_FOUND, told.message)
        is_empty = told.outcome is Outcome.OK and not isinstance(told.body.get("data"), dict)
        return Told(Outcome.NOT_FOUND, "no template") if is_empty else told

    # -- many at once ------------------------------------------------------------------------

    async def _many(
        self, method: str, name: str, records: Sequence[Record], form: Callable[[Record], Any]
    ) -> list[Result]:
        """One call for some identifiers; one that is refused as a whole is halved."""
        if not records:
            return []
        path, batch = f"{self._manner.paths.data}/{name}", self.abilities.batch
        if len(records) > batch:
            parts = [records[at : at + batch] for at in range(0, len(records), batch)]
            return await self._in_parts(parts, lambda part: self._many(method, name, part, form))
        told = await self._ask(method, path, json=[form(one) for one in records])
        if told.outcome is Outcome.OK:
            return self._each(records, told.body.get("data"))
        if told.outcome is Outcome.INVALID and len(records) > 1:
            # One of them is why: halve until it stands alone.
            parts = [records[: len(records) // 2], records[len(records) // 2 :]]
            return await self._in_parts(parts, lambda part: self._many(method, name, part, form))
        return [Result(one.handle, told.outcome, told.message) for one in records]

    async def _in_parts(
        self,
        parts: Sequence[Sequence[Record]],
        call: Callable[[Sequence[Record]], Any],
    ) -> list[Result]:
        """The parts one after the other; behind one that pauses nothing more is asked."""
        results: list[Result] = []
        for part in parts:
            if results and results[-1].outcome.pauses:
                results += [replace(results[-1], handle=one.handle) for one in part]
            else:
                results += await call(part)
        return results

    def _each(self, records: Sequence[Record], data: Any) -> list[Result]:
        """The results of a call's identifiers; what the answer leaves out is not known."""
        said: dict[str, deque[Mapping[str, Any]]] = defaultdict(deque)
        for one in data if isinstance(data, list) else []:
            if isinstance(one, dict):
                said[str(one.get("handle", "")).upper()].append(one)
        results = []
        for record in records:
            own = said[record.handle.upper()]
            results.append(self._result(record.handle, own.popleft() if own else {}))
        return results

    def _result(self, handle: str, one: Mapping[str, Any]) -> Result:
        message = str(one.get("msg") or "")[:500]
        if one.get("code") == OK or message.casefold() in self._manner.success:
            return Result(handle, Outcome.OK, message)
        if not message:
            return Result(handle, Outcome.UNKNOWN, "the node does not say what became of it")
        return Result(handle, self._manner.meanings.of(-2, message), message)

    # -- one call ----------------------------------------------------------------------------

    async def _ask(self, method: str, path: str, **request: Any) -> Told:
        told = await self._asker.ask(method, path, **request)
        if told.outcome is Outcome.LOGIN and self._login.is_accepted:
            # "Not logged in", said to a new login, is how nodes say that they are busy.
            return Told(Outcome.BUSY, f"{told.message} (after a new login)")
        return told

    def _meaning(self, reply: Reply) -> Told | None:
        """What an answer means; None where it is not of this interface."""
        body = reply.body
        if not isinstance(body, dict) or type(body.get("status")) is not int:
            return None
        if reply.status >= 500 or reply.status in (401, 429):  # noqa: PLR2004 - of HTTP
            return None
        return told_of(self._manner.meanings, body["status"], body.get("message"), body)


def _entry(told: Any) -> Any:
    """One identifier of a listing; a withdrawn one is told with its values."""
    if not (isinstance(told, dict) and told.get(_WITHDRAWN) is True):
        return told
    try:
        return read_record(told)
    except HandleError:
        return told
