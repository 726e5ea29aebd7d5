"""One question to one server, and an answer that can be believed."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from gateway.identifier.irp.bodies import (
    Held,
    Question,
    Referral,
    read_fault,
    read_held,
    read_referral,
    write_handle,
    write_question,
)
from gateway.identifier.irp.codes import ASKING, Flag, Op, Rc
from gateway.identifier.irp.data import Site, read_site
from gateway.identifier.irp.message import Message, decode, encode, request_digest
from gateway.identifier.irp.octets import WireError
from gateway.identifier.native.peers import PeerError
from gateway.identifier.native.walking.places import Place
from gateway.identifier.native.walking.pool import Pool
from gateway.identifier.native.walking.standing import Standing
from gateway.identifier.native.walking.way import ABSENT, Hop, Way, words

T = TypeVar("T")

REFERRALS = frozenset({Rc.SERVICE_REFERRAL, Rc.PREFIX_REFERRAL})
_ELSEWHERE = frozenset(
    {Rc.BUSY, Rc.ERROR, Rc.UNSUPPORTED, Rc.PROTOCOL_ERROR, Rc.NOT_RESPONSIBLE, Rc.SITE_OUT_OF_DATE}
)
"""Answers after which another server may know better."""
_MAX_WHY = 200
"""Characters of a server's reason."""
_FLAGS = ASKING | Flag.RETURN_DIGEST | Flag.KEEP_ALIVE


@dataclass(frozen=True, slots=True)
class Form:
    """How a question is written.

    Attributes:
        is_authoritative: it is for primary sites, not for what others keep of them.
        with_auth: an empty authentication stands behind it, as one maker's nodes want it.
    """

    is_authoritative: bool = False
    with_auth: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that belongs to its question.

    Attributes:
        rc: its code.
        place: whose it is.
        address: IP address of that server.
        held: the handle that was asked for, if it is there.
        referral: who else is to be asked, if the server says so.
        why: what the server says of a refusal.
    """

    rc: int
    place: Place
    address: str
    held: Held | None = None
    referral: Referral | None = None
    why: str = ""

    @property
    def is_good(self) -> bool:
        """Whether nobody else needs to be asked."""
        return self.rc not in _ELSEWHERE and (self.place.is_home or self.rc not in ABSENT)


class Exchange:
    """Asks one server at a time, and notes how it did.

    Args:
        pool: of connections.
        standing: where it is noted.
        clock_s: a clock that only runs.
    """

    def __init__(self, pool: Pool, standing: Standing, clock_s: Callable[[], float]) -> None:
        self._pool, self._standing, self._clock_s = pool, standing, clock_s

    async def resolve(self, place: Place, asked: Question, form: Form, way: Way) -> Reply | None:
        """What a server says of a handle; None if nothing that can be believed."""
        flags = _FLAGS | (Flag.AUTHORITATIVE if form.is_authoritative else 0)
        body = write_question(asked, with_auth=form.with_auth)
        request = Message(Op.RESOLVE, secrets.randbits(31), body, flags=int(flags))
        return await self._noted(
            place, asked.handle, request, way, lambda answer, at: _reply(answer, at, place, asked)
        )

    async def site(self, place: Place, way: Way) -> Site | None:
        """How a server describes its own site; None if it does not."""
        body = write_handle("/")
        request = Message(Op.GET_SITE, secrets.randbits(31), body, flags=int(_FLAGS))
        return await self._noted(place, "/", request, way, lambda answer, _: _site(answer))

    async def _noted(
        self,
        place: Place,
        handle: str,
        message: Message,
        way: Way,
        read: Callable[[Message, str], T],
    ) -> T | None:
        """What is read in an answer; how it went is noted on the way, and of the place."""
        began_s = self._clock_s()
        outcome = "let go: another one was quicker, or there was no time left"
        try:
            answer, address = await self._exchanged(place, message)
            found = read(answer, address)
            outcome = words(answer.rc)
        except (PeerError, WireError) as error:
            outcome = str(error)
            self._standing.failed(place)
            return None
        else:
            self._standing.answered(place, self._clock_s() - began_s)
            return found
        finally:
            way.hops.append(Hop(handle, str(place), outcome, self._clock_s() - began_s))

    async def _exchanged(self, place: Place, message: Message) -> tuple[Message, str]:
        """An answer that belongs to its request, and the address that it came from.

        Raises:
            PeerError: there is none.
            WireError: it is none, or answers something else.
        """
        request = encode(message)
        with self._pool.lent(place) as peer:
            answer = decode(await peer.ask(request))
            address = peer.address
        if not answer.is_answer or answer.op not in (message.op, 0):
            raise WireError("what came is no answer to this question")
        if answer.digest and answer.digest != request_digest(request, answer.digest[0]):
            raise WireError("the answer is to another question: its digest differs")
        return answer, address


def _reply(answer: Message, address: str, place: Place, asked: Question) -> Reply:
    """What an answer says.

    Raises:
        WireError: its body is broken, or of another handle.
    """
    if answer.rc in REFERRALS:
        return Reply(answer.rc, place, address, referral=read_referral(answer.body))
    if answer.rc != Rc.OK:
        return Reply(answer.rc, place, address, why=read_fault(answer.body).message[:_MAX_WHY])
    held = read_held(answer.body)
    if held.handle.upper() != asked.handle.upper():
        raise WireError(f"the server answers for {held.handle}")
    return Reply(answer.rc, place, address, held)


def _site(answer: Message) -> Site | None:
    return read_site(answer.body) if answer.rc == Rc.OK else None
