"""Requests that are done for who proves himself: challenge, proof, and what was asked."""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from gateway.identifier.irp.bodies import Fault, Proof, read_proof, write_challenge, write_fault
from gateway.identifier.irp.codes import Op, Rc
from gateway.identifier.irp.message import Message, decode, request_digest
from gateway.identifier.irp.octets import WireError
from gateway.identifier.irp.proofs import is_secret_answer, is_signed_answer, read_rsa_key
from gateway.identifier.native.keys import SECRET_KEY
from gateway.identifier.node.keeping import users
from gateway.identifier.node.keeping.secrets import Seal, SealError
from gateway.identifier.node.keeping.users import AdminKey
from gateway.identifier.node.native.answering import RefusedError, demand_own, encoded, told
from gateway.identifier.node.native.challenges import (
    MAX_OCTETS,
    BusyError,
    Challenge,
    Challenges,
)
from gateway.identifier.node.native.changing import done, listed, subject_of
from gateway.identifier.node.native.referring import Directory
from gateway.identifier.node.rights.principal import Terms, Visit, principal_of
from gateway.relational.database import Database, words
from gateway.throttle import Throttle

log = logging.getLogger(__name__)

_NONCE_SIZE = 16
_WAITING = 256
"""Proofs that are looked at or wait for it; of more, who comes is told to come again."""
_LISTINGS = 4
"""Listings of one user at a time; each holds one message of it."""


class Administration:
    """What is asked of a node by who has a key.

    Args:
        database: of the node.
        seal: of its secrets.
        terms: of the node.
        now_ms: UTC milliseconds.
        clock_s: a clock that only runs.
    """

    def __init__(
        self,
        database: Database,
        seal: Seal,
        terms: Terms,
        now_ms: Callable[[], int],
        clock_s: Callable[[], float],
    ) -> None:
        self._database, self._seal, self._terms = database, seal, terms
        self._now_ms, self._clock_s = now_ms, clock_s
        self._challenges = Challenges()
        self._throttle = Throttle()
        self._one_by_one = asyncio.Lock()  # a proof costs milliseconds of the processor
        self._waiting = 0
        self._listings = Counter[str]()

    def challenge(
        self, request: bytes, asked: Message, visitor: str, directory: Directory
    ) -> bytes:
        """The challenge to a request, or why there is none.

        Args:
            request: whole.
            asked: the same.
            visitor: who sent it.
            directory: prefixes of the node.
        """
        session_id = secrets.randbits(31) or 1

        def body() -> bytes:
            if len(request) > MAX_OCTETS:
                raise RefusedError(Rc.INVALID_VALUE, f"more than {MAX_OCTETS} octets")
            demand_own(asked, subject_of(asked), directory)
            nonce = secrets.token_bytes(_NONCE_SIZE)
            try:
                self._challenges.put(request, visitor, session_id, nonce, self._clock_s())
            except BusyError as error:
                raise RefusedError(Rc.BUSY, str(error)) from None
            raise RefusedError(Rc.CHALLENGE, "", write_challenge(nonce))

        rc, answer = told(body)
        asked = msgspec.structs.replace(asked, session_id=session_id)
        return encoded(request, asked, rc, answer, self._now_ms() // 1000)

    async def proved(
        self, request: bytes, proving: Message, visitor: str
    ) -> AsyncGenerator[tuple[int, Rc, bytes], None]:
        """What comes of a proof: one answer, or of a listing several, which say that more follow.

        Args:
            request: the message with the proof, whole.
            proving: the same.
            visitor: who sent it.

        Yields:
            Operation and code of an answer, and the answer; it is empty while the same proof is
            being looked at.
        """
        found = self._challenges.proved(proving.session_id, request, self._clock_s())
        if found is None:
            rc, body = told(_too_late)
            yield Op.CHALLENGE_ANSWER, rc, self._encoded(request, proving, rc, body)
            return
        one, is_first = found
        first = decode(one.request)
        if not is_first:
            yield first.op, Rc.OK, one.answer
            return
        proving = msgspec.structs.replace(proving, op=first.op)  # as clients expect it
        if first.op == Op.LIST_HANDLES:  # is not kept to be told again
            one.answer = self._encoded(request, proving, *told(_too_late))
        async with aclosing(self._answers(one, first, proving, visitor)) as answers:
            async for rc, body, is_continued in answers:
                answer = self._encoded(request, proving, rc, body, is_continued=is_continued)
                one.answer = one.answer or answer
                yield first.op, rc, answer

    def _encoded(
        self, request: bytes, asked: Message, rc: Rc, body: bytes, *, is_continued: bool = False
    ) -> bytes:
        now_s = self._now_ms() // 1000
        return encoded(request, asked, rc, body, now_s, is_continued=is_continued)

    async def _answers(
        self, one: Challenge, first: Message, proving: Message, visitor: str
    ) -> AsyncGenerator[tuple[Rc, bytes, bool], None]:
        """Codes and bodies of answers, and whether another one follows."""
        try:
            user = await self._judged(one, proving, visitor)
            if first.op != Op.LIST_HANDLES:
                yield Rc.OK, await self._done(user, first), False
                return
            async with aclosing(self._listed(user, first)) as parts:
                async for body, is_continued in parts:
                    yield Rc.OK, body, is_continued
        except RefusedError as refused:
            yield refused.rc, refused.body, False
        except WireError as error:
            yield Rc.PROTOCOL_ERROR, write_fault(Fault(str(error))), False

    async def _listed(self, user: str, first: Message) -> AsyncGenerator[tuple[bytes, bool], None]:
        """A listing, of which never more is read than one message takes."""
        if self._listings[user] >= _LISTINGS:
            raise RefusedError(Rc.BUSY, f"{_LISTINGS} listings are under way; come again later")
        self._listings[user] += 1
        try:
            after, is_continued = "", True
            while is_continued:
                body, after = await self._page(user, first, after)
                is_continued = bool(after)
                yield body, is_continued
        finally:
            self._listings[user] -= 1

    async def _judged(self, one: Challenge, proving: Message, visitor: str) -> str:
        """Who has proved himself.

        Raises:
            RefusedError: nobody has, or it is not looked at now.
            WireError: it is no proof.
        """
        proof = read_proof(proving.body)
        who = f"{visitor} {proof.key_index}:{proof.key_handle.upper()}"
        if self._throttle.pause_s(who, self._clock_s()) or self._waiting >= _WAITING:
            raise RefusedError(Rc.BUSY, "too many proofs, or wrong ones; come again later")
        self._waiting += 1
        try:
            async with self._one_by_one:
                user = await self._user(one, proof)
        finally:
            self._waiting -= 1
        if user is None:
            if self._throttle.wrong(who, self._clock_s()):
                log.warning("node: wrong proofs natively from %s; further ones have to wait", who)
            raise RefusedError(Rc.AUTHENTICATION_FAILED, "no such key, or not proved by it")
        self._throttle.right(who)
        return user

    async def _user(self, one: Challenge, proof: Proof) -> str | None:
        """Whose key the proof was made with; None: it was not."""
        place = proof.key_handle, proof.key_index
        try:
            key = await self._database.read(users.admin_key_at, self._seal, place)
        except (SealError, SQLAlchemyError) as error:
            log.error("node: the key %s:%s cannot be read: %s", place[1], place[0], error)  # noqa: TRY400 - its words suffice
            raise RefusedError(Rc.AUTHENTICATION_ERROR, "the key cannot be read here") from error
        if key is None or key.type != proof.kind:
            return None
        digest = request_digest(one.request)[1:]
        is_right = await asyncio.to_thread(_is_right, key, proof.answer, one.nonce, digest)
        return key.user if is_right else None

    async def _done(self, user: str, first: Message) -> bytes:
        with _failures(f"it was changed natively by {user}"):
            return await self._database.run(self._changed, user, first)

    async def _page(self, user: str, first: Message, after: str) -> tuple[bytes, str]:
        with _failures(f"it was listed natively for {user}"):
            return await self._database.read(self._some, user, first, after)

    def _changed(self, connection: Connection, user: str, first: Message) -> bytes:
        return done(connection, self._visit(connection, user), first)

    def _some(
        self, connection: Connection, user: str, first: Message, after: str
    ) -> tuple[bytes, str]:
        return listed(connection, self._visit(connection, user), first, after)

    def _visit(self, connection: Connection, user: str) -> Visit:
        return Visit(principal_of(connection, user), self._terms, self._now_ms())


@contextmanager
def _failures(doing: str) -> Iterator[None]:
    """What the database's failing is told as.

    Raises:
        RefusedError: it failed.
    """
    try:
        yield
    except SQLAlchemyError as error:
        log.error("node: the node's database: %s, while %s", words(error), doing)  # noqa: TRY400 - its words suffice
        raise RefusedError(Rc.ERROR, "the node's database failed") from error


def _too_late() -> bytes:
    raise RefusedError(Rc.AUTHENTICATION_TIMEOUT, "this challenge is over; ask again")


def _is_right(key: AdminKey, answer: bytes, nonce: bytes, digest: bytes) -> bool:
    if key.type == SECRET_KEY:
        return is_secret_answer(answer, key.content, nonce, digest)
    return is_signed_answer(answer, read_rsa_key(key.content), nonce, digest)
