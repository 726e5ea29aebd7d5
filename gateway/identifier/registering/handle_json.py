"""A Handle server as a registry, by its JSON interface (Handle.Net 8 and 9, ``/api/handles``)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from edge_config.models.identifiers.registries import HandleJsonNode
from gateway.identifier.calling import Caller, Reply
from gateway.identifier.codes.handle import Handle
from gateway.identifier.irp.bodies import Held
from gateway.identifier.irp.codes import Rc
from gateway.identifier.irp.data import USUAL_RIGHTS, Admin
from gateway.identifier.irp.json_form import read_json, write_json
from gateway.identifier.irp.octets import WireError
from gateway.identifier.irp.values import Value
from gateway.identifier.native.keys import key_name
from gateway.identifier.native.records import (
    admin_value,
    difference,
    gone_of,
    record_of,
    values_of,
    withdrawal_of,
    withdrawn_values,
)
from gateway.identifier.record import Record
from gateway.identifier.registering.asking import Asker, Told, meanings, no_page, told_of
from gateway.identifier.registering.handle_login import login_of
from gateway.identifier.registering.native.codes import OUTCOMES
from gateway.identifier.registering.registry import (
    NO_LISTING,
    Abilities,
    Listing,
    Outcome,
    Reading,
    Result,
    page_of,
)
from gateway.identifier.registering.singly import one_by_one
from gateway.identifier.template import Item

_SESSIONS = (Rc.CHALLENGE, Rc.AUTHENTICATION_TIMEOUT, *map(Rc, range(500, 506)))
_PAGE = 1_000
CODES = {**OUTCOMES, **dict.fromkeys(map(int, _SESSIONS), Outcome.LOGIN)}
"""What response codes come to; behind HTTP a session that has ended asks for a new login."""


class HandleJsonRegistry:
    """A server with ``/api/handles``; see ``Registry``.

    Args:
        node: where it is, and who asks.
        timeout_s: for a whole answer.

    Raises:
        OSError: a file of ``tls`` cannot be used.
    """

    def __init__(self, node: HandleJsonNode, timeout_s: float) -> None:
        self.name = f"handle-json {node.url}"
        self.abilities = Abilities(batch=1, has_templates=False, can_list=node.listing)
        self._node = node
        self._meanings = meanings(CODES, {}, node.codes, node.words)
        self._caller = Caller(node.url, timeout_s, tls=node.tls)
        self._asker = Asker(
            self._caller, login_of(node, self._caller, self._meaning), self._meaning
        )

    async def login(self) -> Result:
        """See ``Registry``; passwords and certificates are shown with every request."""
        told = await self._asker.login()
        return Result("", told.outcome, told.message)

    async def read(self, handle: str) -> Reading:
        """See ``Registry``; a withdrawn one has no values, and the message is its reason."""
        told, held = await self._held(handle)
        if held is None:
            return Reading(told.outcome, None, told.message)
        return Reading(Outcome.OK, record_of(held), withdrawal_of(held) or "")

    async def listed(self, prefix: str, further: str = "") -> Listing:
        """See ``Registry``; pages are counted from 0."""
        if not self.abilities.can_list:
            return NO_LISTING
        page = int(further or 0)
        query = {"prefix": prefix, "page": str(page), "pageSize": str(_PAGE)}
        told = await self._asker.ask("GET", self._node.path, params=query)
        if told.outcome is not Outcome.OK:
            return no_page(told)
        found = told.body.get("handles")
        return page_of(prefix, found, str(page + 1) if found else "", further)

    async def create(self, records: Sequence[Record]) -> list[Result]:
        """See ``Registry``."""
        return await one_by_one(records, self._create)

    async def update(self, records: Sequence[Record]) -> list[Result]:
        """See ``Registry``; values that are not ours stay."""
        return await one_by_one(records, self._update)

    async def withdraw(self, records: Sequence[Record], reason: str) -> list[Result]:
        """See ``Registry``; marked or deleted, as the configuration says."""

        async def one(record: Record) -> Result:
            if self._node.withdrawal == "delete":
                return _result(record, await self._ask("DELETE", record.handle))
            return await self._replace(record, withdrawn_values(record, reason, 0))

        return await one_by_one(records, one)

    async def ensure_template(
        self,
        prefix: str,  # noqa: ARG002 - as the protocol has it
        version: str,  # noqa: ARG002
        items: Sequence[Item],  # noqa: ARG002
    ) -> Result:
        """See ``Registry``: a Handle server has none."""
        return Result("", Outcome.OK)

    async def close(self) -> None:
        """See ``Registry``."""
        await self._caller.close()

    async def _create(self, record: Record) -> Result:
        key = key_name(self._node.identity)
        admin = Admin(int(USUAL_RIGHTS), key.handle, key.index)
        values = (admin_value(admin, 0), *values_of(record, 0, is_public=self._node.public))
        query = {"overwrite": "false"}
        return _result(record, await self._ask("PUT", record.handle, query, values))

    async def _update(self, record: Record) -> Result:
        return await self._replace(record, values_of(record, 0, is_public=self._node.public))

    async def _replace(self, record: Record, wanted: Sequence[Value]) -> Result:
        """Make what is held of a handle the wanted values.

        Not by a PUT of the whole handle, which would make one that is not there and take away
        what is not ours: first what is new or other, then what is left over.
        """
        handle = record.handle
        told, held = await self._held(handle)
        if held is None:
            return _result(record, told)
        if (why := _against(held, handle, wanted)) is not None:
            return Result(handle, Outcome.INVALID, why)
        added, changed, gone = difference(held.values, wanted)
        if added or changed:
            query = {"index": "various", "overwrite": "true"}
            told = await self._ask("PUT", handle, query, added + changed)
        if told.outcome is Outcome.OK and gone:
            is_mark = withdrawal_of(Held(handle, tuple(wanted))) is not None
            told = await self._removed(handle, gone, is_mark=is_mark)
            if told.outcome is not Outcome.OK and (added or changed):
                told = Told(Outcome.UNKNOWN, f"half of a change was made: {told.message}")
        return _result(record, told)

    async def _removed(self, handle: str, indexes: Sequence[int], *, is_mark: bool) -> Told:
        told = await self._ask("DELETE", handle, {"index": [str(index) for index in indexes]})
        if is_mark and told.outcome is Outcome.NOT_FOUND:
            return Told(Outcome.OK)  # some nodes tell nobody of what bears the mark
        return told

    async def _held(self, handle: str) -> tuple[Told, Held | None]:
        told = await self._ask("GET", handle, {"auth": "true"})
        if told.outcome is not Outcome.OK:
            return told, None
        named, listed = told.body.get("handle"), told.body.get("values", [])
        if not isinstance(named, str) or not isinstance(listed, list):
            return Told(Outcome.UNKNOWN, f"reading {handle}: the answer is no handle's"), None
        held = Held(named, tuple(_readable(listed)))
        gone = gone_of(held)
        return (told, held) if gone is None else (Told(Outcome.NOT_FOUND, gone), None)

    async def _ask(
        self,
        method: str,
        handle: str,
        query: Mapping[str, str | list[str]] | None = None,
        values: Sequence[Value] = (),
    ) -> Told:
        request: dict[str, Any] = {"params": query}
        if values:
            request["json"] = {"values": [write_json(value) for value in values]}
        path = f"{self._node.path}/{quote(handle)}"
        told = await self._asker.ask(method, path, **request)
        if told.outcome is Outcome.OK and not _is_of(told.body, handle):
            return Told(Outcome.UNKNOWN, f"{method} {handle}: the answer is of another handle")
        return told

    def _meaning(self, reply: Reply) -> Told | None:
        body = reply.body
        if not isinstance(body, dict) or type(body.get("responseCode")) is not int:
            return None
        code = body["responseCode"]
        if code == Rc.VALUES_NOT_FOUND:  # there is such a handle, without values that we may read
            return Told(Outcome.OK, body=body)
        return told_of(self._meanings, code, body.get("message"), body)


def _is_of(body: Mapping[str, Any], handle: str) -> bool:
    """Whether an answer is of the handle that was asked for; some name none."""
    named = body.get("handle")
    return named is None or str(named).upper() == handle.upper()


def _against(held: Held, handle: str, wanted: Sequence[Value]) -> str | None:
    """Why what is held of a handle does not become the wanted values; None: nothing is."""
    if not Handle.parse(held.handle).same_as(Handle.parse(handle)):
        return f"the server holds {held.handle}, which differs in case"
    reason = withdrawal_of(held)
    if reason is not None and withdrawal_of(Held(handle, tuple(wanted))) is None:
        return f"it was withdrawn: {reason}"
    return None


def _readable(listed: list[Any]) -> Iterator[Value]:
    """Values, without those of the server's own kinds, which are not ours."""
    for one in listed:
        try:
            yield read_json(one)
        except WireError:
            continue


def _result(record: Record, told: Told) -> Result:
    return Result(record.handle, told.outcome, told.message)
