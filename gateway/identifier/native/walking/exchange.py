"""One question to one server, and an answer that can be believed."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from gateway.identifier.irp.bodies import Question, write_handle, write_question
from gateway.identifier.irp.codes import ASKING, Flag, Op, Rc
from gateway.identifier.irp.data import Site, read_site
from gateway.identifier.irp.message import Message, encode
from gateway.identifier.irp.octets import WireError
from gateway.identifier.native.peers import PeerError
from gateway.identifier.native.walking.places import Place
from gateway.identifier.native.walking.pool import Pool
from gateway.identifier.native.walking.replies import Reply, belonging, reply_of
from gateway.identifier.native.walking.standing import Standing
from gateway.identifier.native.walking.way import Hop, Way, words

T = TypeVar("T")

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
            place, asked.handle, request, way, lambda answer, at: reply_of(answer, at, place, asked)
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
            whole, address = await peer.ask(request), peer.address
        return belonging(whole, request, message.op), address


def _site(answer: Message) -> Site | None:
    return read_site(answer.body) if answer.rc == Rc.OK else None
