"""What comes of a native message at a node: answered at once, or once its database was asked."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from sqlalchemy.exc import SQLAlchemyError

from gateway.identifier.irp.bodies import Held
from gateway.identifier.irp.codes import Op, Rc
from gateway.identifier.irp.message import ENVELOPE_SIZE, decode
from gateway.identifier.irp.octets import WireError
from gateway.identifier.node.keeping import prefixes
from gateway.identifier.node.keeping.counts import Tally, What
from gateway.identifier.node.keeping.lookup import Lookup, LookupFailedError
from gateway.identifier.node.native.administering import Administration
from gateway.identifier.node.native.answering import (
    PROVED,
    Holdings,
    ProofNeededError,
    RefusedError,
    answer,
    broken,
    refused,
)
from gateway.identifier.node.native.referring import Directory
from gateway.identifier.registering.native.codes import outcome_of
from gateway.relational.database import Database, words

log = logging.getLogger(__name__)

PROTOCOL = "native"
_OP, _RC = (slice(ENVELOPE_SIZE + at, ENVELOPE_SIZE + at + 4) for at in (0, 4))
_AT_ONCE = frozenset({Op.RESOLVE, Op.GET_SITE})
_WORDS = {
    Rc.SERVICE_REFERRAL: "referred",
    Rc.PREFIX_REFERRAL: "referred",
    Rc.NOT_RESPONSIBLE: "not responsible",
    Rc.VALUES_NOT_FOUND: "not found",
}
"""What some codes are counted as; others as what they come to for who registers."""
_NAMES = {int(one): one.name.lower() for one in Op}
_TOO_OFTEN = "too many requests came from here; ask again later"
_BY_TCP = "identifiers are listed over TCP only"
_REFRESH_S = 2.0
"""How old what is known of prefixes may be."""


class NativeNode:
    """Answers for a node; its ``answer`` is what a ``NativeFace`` wants.

    Args:
        database: of the node.
        lookup: a connection of its own to it.
        directory: prefix and site of the node; what is allotted is read from the database.
        administration: does what is proved; None: this process only reads.
        tally: counts what is answered.
        now_ms: UTC milliseconds.
        may_ask: whether a visitor may ask now; counts that he did.
    """

    def __init__(
        self,
        database: Database,
        lookup: Lookup,
        directory: Directory,
        administration: Administration | None,
        tally: Tally,
        now_ms: Callable[[], int],
        may_ask: Callable[[str], bool] = lambda _visitor: True,
    ) -> None:
        self._database, self._lookup = database, lookup
        self._directory = directory
        self._administration = administration
        self._tally = tally
        self._now_ms = now_ms
        self._may_ask = may_ask
        self._holdings = Holdings(self._held, lambda: self._directory, administration is not None)
        self._looking = asyncio.Lock()

    async def refresh(self) -> None:
        """Read what is allotted.

        Raises:
            SQLAlchemyError: the database fails.
        """
        allotted = await self._database.read(prefixes.allotted)
        self._directory = Directory(self._directory.own, self._directory.site, allotted)

    async def keep_current(self) -> None:
        """Know of what is allotted within seconds, until cancelled."""
        while True:
            await asyncio.sleep(_REFRESH_S)
            try:
                await self.refresh()
            except SQLAlchemyError as error:
                log.warning("node: prefixes cannot be read: %s", words(error))

    def answer(
        self, request: bytes, visitor: str, *, is_datagram: bool = False
    ) -> bytes | AsyncGenerator[bytes, None]:
        """The answer to a whole message, or later answers.

        Args:
            request: as it came.
            visitor: who sent it: an address, or the site of one.
            is_datagram: it came by UDP, where only one answer can be told.

        Raises:
            WireError: there is none.
        """
        if not self._may_ask(visitor):
            return refused(request, Rc.BUSY, _TOO_OFTEN, self._now_ms() // 1000)
        op = int.from_bytes(request[_OP], "big")
        if op == Op.LIST_HANDLES and is_datagram:
            return refused(request, Rc.UNSUPPORTED, _BY_TCP, self._now_ms() // 1000)
        if op in PROVED and self._administration is not None:
            if op == Op.CHALLENGE_ANSWER:
                return self._proved(self._administration, request, visitor)
            return self._challenge(self._administration, request, visitor)
        if op == Op.RESOLVE and not self._lookup.is_quick:
            return self._later(request, visitor)
        return self._counted(op, request, visitor)

    def _counted(self, op: int, request: bytes, visitor: str) -> bytes:
        began_s = time.perf_counter()
        try:
            told = answer(request, self._holdings, self._now_ms() // 1000)
        except ProofNeededError:
            return self._unproved(request, visitor)
        if op in _AT_ONCE:
            self._count(op, int.from_bytes(told[_RC], "big"), began_s)
        return told

    async def _later(self, request: bytes, visitor: str) -> AsyncGenerator[bytes, None]:
        began_s = time.perf_counter()
        try:
            async with self._looking:  # the connection is for one thread at a time
                now_s = self._now_ms() // 1000
                told = await asyncio.to_thread(answer, request, self._holdings, now_s)
        except ProofNeededError:
            yield self._unproved(request, visitor)
            return
        self._count(Op.RESOLVE, int.from_bytes(told[_RC], "big"), began_s)
        yield told

    def _unproved(self, request: bytes, visitor: str) -> bytes:
        """The challenge to a question; a process that only reads is never asked for one."""
        assert self._administration is not None  # noqa: S101 - as ``takes_proofs`` of holdings
        return self._challenge(self._administration, request, visitor)

    def _challenge(self, administration: Administration, request: bytes, visitor: str) -> bytes:
        try:
            asked = decode(request)
        except WireError as error:
            return broken(request, error)
        if asked.is_answer:
            raise WireError("an answer where a request is expected")
        return administration.challenge(request, asked, visitor, self._directory)

    async def _proved(
        self, administration: Administration, request: bytes, visitor: str
    ) -> AsyncGenerator[bytes, None]:
        began_s = time.perf_counter()
        try:
            proving = decode(request)
        except WireError as error:
            yield broken(request, error)
            return
        last = 0, Rc.OK, b""
        try:
            async with aclosing(administration.proved(request, proving, visitor)) as answers:
                async for last in answers:
                    yield last[2]
        finally:  # also where who asked has gone
            op, rc, told = last
            if told:
                self._count(op, rc, began_s)

    def _count(self, op: int, rc: int, began_s: float) -> None:
        word = _WORDS.get(rc) or outcome_of(rc).value  # type: ignore[call-overload]
        what = What(PROTOCOL, _NAMES[op], word)
        self._tally.add(what, time.perf_counter() - began_s)

    def _held(self, handle: str) -> Held | None:
        try:
            return self._lookup.held(handle)
        except LookupFailedError as error:
            log.warning("node: %s", error)
            raise RefusedError(Rc.BUSY, "the node's database does not answer") from error
