"""An enterprise node with IDHub's interface, DOIP over HTTP, as a registry."""

import asyncio
import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from edge_config.models.identifiers.registries import IdhubNode
from gateway.identifier.calling import Caller, Reply
from gateway.identifier.codes.handle import Handle, HandleError
from gateway.identifier.record import Record, Value
from gateway.identifier.registering.asking import (
    Asker,
    LoginError,
    Told,
    meanings,
    nothing_done,
    private_key,
    secret_needed,
    told_of,
    understood,
)
from gateway.identifier.registering.idhub_meta import ensured, meta_handle, version_of
from gateway.identifier.registering.marking import marked
from gateway.identifier.registering.registry import (
    NO_LISTING,
    Abilities,
    Listing,
    Outcome,
    Reading,
    Result,
)
from gateway.identifier.registering.singly import one_by_one
from gateway.identifier.template import FIRST_INDEX, ITEMS_BY_TYPE, Item

CREATE, UPDATE = "0.DOIP/Op.Create", "0.DOIP/Op.Update"
DELETE, RETRIEVE = "0.DOIP/Op.Delete", "0.DOIP/Op.Retrieve"
NO_META = 604
"""There is no such template, which says nothing of the identifier."""
MAX_CHALLENGE = 256
"""Characters of a challenge; whoever wants more signed is not answered."""
CODES: dict[int, Outcome] = {
    **dict.fromkeys((1, 10_000), Outcome.OK),
    105: Outcome.EXISTS,
    **dict.fromkeys((104, NO_META), Outcome.NOT_FOUND),
    **dict.fromkeys((101, 106, 601, 602, 603, 30_000, 40_508, 60_005), Outcome.INVALID),
    **dict.fromkeys((102, 401), Outcome.LOGIN),
    **dict.fromkeys((103, 200, 403, 404, 405, 406, 600, 605, 606), Outcome.DENIED),
    **dict.fromkeys((700, 701, 702, 60_001), Outcome.DENIED),
}
"""What codes come to, as the interface's table and its examples have them; 500 may be anything."""
WORDS: dict[str, Outcome] = {
    "token": Outcome.LOGIN,  # 101 无效的token, where other 101s are of the request
    "系统繁忙": Outcome.BUSY,
}


class IdhubRegistry:
    """One node; see ``Registry``. It takes one identifier at a time.

    Args:
        node: where it is, and who asks.
        timeout_s: for a whole answer.

    Raises:
        OSError: a file of ``tls`` cannot be used.
    """

    abilities = Abilities(batch=1, has_templates=True)

    def __init__(self, node: IdhubNode, timeout_s: float) -> None:
        self.name = f"idhub {node.url}"
        self._node = node
        self._meanings = meanings(CODES, WORDS, node.codes, node.words)
        self._caller = Caller(node.url, timeout_s, tls=node.tls)
        self._asker = Asker(self._caller, _Token(node, self._caller, self._meaning), self._meaning)

    async def login(self) -> Result:
        """See ``Registry``."""
        told = await self._asker.login()
        return Result("", told.outcome, told.message)

    async def read(self, handle: str) -> Reading:
        """See ``Registry``."""
        told = await self._operate("GET", handle, RETRIEVE)
        if told.outcome is not Outcome.OK:
            return Reading(told.outcome, None, told.message)
        record = self._record(told.body.get("data"))
        if record is None or Handle.parse(record.handle).key != Handle.parse(handle).key:
            return Reading(Outcome.UNKNOWN, None, f"reading {handle}: the answer is not its record")
        return Reading(Outcome.OK, record)

    async def listed(self, prefix: str, further: str = "") -> Listing:  # noqa: ARG002
        """See ``Registry``: not of this interface."""
        return NO_LISTING

    async def create(self, records: Sequence[Record]) -> list[Result]:
        """See ``Registry``."""

        async def one(record: Record) -> Result:
            return await self._write(record, CREATE, _content(record))

        return await one_by_one(records, one)

    async def update(self, records: Sequence[Record]) -> list[Result]:
        """See ``Registry``; values are emptied where the node cannot take them away."""
        return await one_by_one(records, self._update)

    async def withdraw(self, records: Sequence[Record], reason: str) -> list[Result]:
        """See ``Registry``; marked or deleted, as the configuration says."""
        if self._node.withdrawal == "mark":
            return await self.update([marked(one, reason) for one in records])

        async def one(record: Record) -> Result:
            told = await self._operate("POST", record.handle, DELETE)
            return Result(record.handle, told.outcome, told.message)

        return await one_by_one(records, one)

    async def ensure_template(self, prefix: str, version: str, items: Sequence[Item]) -> Result:
        """See ``Registry``: a meta object, which is published."""
        told = await ensured(self._asker, self._node, prefix, version, items)
        return Result("", told.outcome, told.message)

    async def close(self) -> None:
        """See ``Registry``."""
        await self._caller.close()

    async def _update(self, record: Record) -> Result:
        held = await self.read(record.handle)
        if held.record is None:
            return Result(record.handle, held.outcome, held.message)
        if not Handle.parse(held.record.handle).same_as(Handle.parse(record.handle)):
            why = f"the node holds {held.record.handle}, which differs in case"
            return Result(record.handle, Outcome.INVALID, why)
        emptied = {value.type: "" for value in held.record.values}
        return await self._write(record, UPDATE, emptied | _content(record))

    async def _write(self, record: Record, operation: str, content: dict[str, str]) -> Result:
        meta = meta_handle(self._node, Handle.parse(record.handle).prefix, record.template_version)
        body = {"type": meta, "attributes": {"content": content}}
        told = await self._operate("POST", record.handle, operation, json=body)
        is_of_meta = told.body is not None and told.body.get("code") == NO_META
        outcome = Outcome.DENIED if is_of_meta else told.outcome
        return Result(record.handle, outcome, told.message)

    async def _operate(self, method: str, handle: str, operation: str, **request: Any) -> Told:
        query = {"targetId": handle, "operationId": operation}
        told = await self._asker.ask(method, self._node.paths.operations, params=query, **request)
        if told.outcome is Outcome.OK:
            return told
        return Told(told.outcome, f"{operation} of {handle}: {told.message}", told.body)

    def _meaning(self, reply: Reply) -> Told | None:
        body = reply.body
        if not isinstance(body, dict) or type(body.get("code")) is not int:
            return None
        return told_of(self._meanings, body["code"], body.get("message"), body)

    def _record(self, data: object) -> Record | None:
        """The record in an answer; None if it is none of an identifier."""
        attributes = data.get("attributes") if isinstance(data, Mapping) else None
        elements = attributes.get("elements") if isinstance(attributes, Mapping) else None
        if not isinstance(data, Mapping) or not isinstance(elements, list):
            return None
        try:
            handle = str(Handle.parse(str(data.get("id"))))
        except HandleError:
            return None
        read = [value for one in elements if (value := _value(one)) is not None]
        own = sorted((one for one in read if one.index >= FIRST_INDEX and one.text), key=_index)
        return Record(handle, version_of(self._node, str(data.get("type"))), tuple(own))


class _Token:
    """A token for the signature of a challenge; see ``Login``."""

    def __init__(
        self, node: IdhubNode, caller: Caller, meaning: Callable[[Reply], Told | None]
    ) -> None:
        self._node = node
        self._caller = caller
        self._meaning = meaning
        self._lock = asyncio.Lock()
        self._header: dict[str, str] = {}

    async def header(self) -> dict[str, str]:
        """See ``Login``."""
        async with self._lock:
            if not self._header:
                self._header = {"Authorization": f"Bearer {await self._token()}"}
            return self._header

    def forget(self, header: Mapping[str, str]) -> bool:
        """See ``Login``; another request may have got a token meanwhile."""
        if self._header is header:
            self._header = {}
        return True

    async def _token(self) -> str:
        paths, handle = self._node.paths, self._node.application
        challenge = await self._asked("GET", paths.challenge, params={"handle": handle})
        if not isinstance(challenge, str | int) or len(str(challenge)) > MAX_CHALLENGE:
            raise LoginError(Told(Outcome.UNREACHABLE, "the node's challenge is none"))
        with secret_needed():
            key = await asyncio.to_thread(private_key, self._node.key, self._node.passphrase)
        signature = key.sign(str(challenge).encode(), PKCS1v15(), SHA256())
        answer = {"handle": handle, "signature": base64.b64encode(signature).decode()}
        data = await self._asked("POST", paths.verify, json=answer)
        token = data.get("token") if isinstance(data, Mapping) else None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise LoginError(
                Told(Outcome.UNREACHABLE, "the node takes the login and gives no token")
            )
        return token

    async def _asked(self, method: str, path: str, **request: Any) -> Any:
        reply = await self._caller.call(method, path, **request)
        told = understood(reply, self._meaning, f"{method} {self._caller.url}{path}")
        if told.outcome is Outcome.OK:
            return told.body.get("data")
        told = nothing_done(told)
        if not told.outcome.pauses:
            why = f"the node refuses {self._node.application}: {told.message}"
            told = Told(Outcome.LOGIN, why)
        raise LoginError(told)


def _content(record: Record) -> dict[str, str]:
    return {value.type: value.text for value in record.values}


def _index(value: Value) -> int:
    return value.index


def _value(one: object) -> Value | None:
    index = one.get("index") if isinstance(one, Mapping) else None
    if not isinstance(one, Mapping) or not isinstance(index, int):
        return None
    kind, text = str(one.get("type", "")), one.get("value")
    # The node numbers items as they come to it; by their names they are ours.
    own = ITEMS_BY_TYPE.get(kind)
    return Value(own.index if own else index, kind, "" if text is None else str(text))
