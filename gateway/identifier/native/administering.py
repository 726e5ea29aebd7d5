"""Changes at a server, each proved by itself: request, challenge, proof, answer (RFC 3652, 3.5)."""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

from gateway.identifier.irp.bodies import read_challenge, write_proof
from gateway.identifier.irp.codes import Flag, Op, Rc
from gateway.identifier.irp.message import (
    VERSION,
    Message,
    Stream,
    decode,
    encode,
    request_digest,
)
from gateway.identifier.irp.octets import WireError
from gateway.identifier.irp.proofs import SALT_SIZE
from gateway.identifier.native.keys import Key
from gateway.identifier.native.line import NUMBER, Line

_FLAGS = Flag.AUTHORITATIVE | Flag.RETURN_DIGEST | Flag.KEEP_ALIVE
_LIFE_S = 2 * 86_400
"""How long a request is good for: clocks of servers may be a day off."""
_NONCE_SIZES = range(16, 65)
_NONCES_KEPT = 4_096
_PIECE = 65_536
"""Octets that are read at a time of answers that continue."""

T = TypeVar("T")


class AdministrationError(Exception):
    """No answer that could be believed."""


class NotSentError(AdministrationError):
    """The server was not reached: nothing has happened."""


class UncertainError(AdministrationError):
    """The server was asked, and it may have happened."""


class DistrustError(AdministrationError):
    """The challenge was none that may be answered: nothing was proved, nothing has happened."""


class Administrator:
    """Asks one server for changes, over connections that stay open if the server lets them.

    A connection carries one message at a time, and a proof may go by another than its challenge
    came by: servers of the protocol's authors close each one after one answer.

    Args:
        place: host and port.
        key: with what it proves itself.
        timeout_s: for connecting, and for each answer.
        window: requests under way at the same time.
        now_s: seconds since 1970.
    """

    def __init__(
        self,
        place: tuple[str, int],
        key: Key,
        timeout_s: float,
        window: int = 16,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._host, self._port = place
        self.where = f"{self._host}:{self._port}"
        self._key = key
        self._timeout_s = timeout_s
        self._room = asyncio.Semaphore(window)
        self._now_s = now_s
        self._idle: list[Line] = []
        self._nonces: deque[bytes] = deque(maxlen=_NONCES_KEPT)

    async def ask(self, op: Op, body: bytes, flags: int = 0) -> Message:
        """The answer to a request, which is proved if the server wants it.

        Args:
            op: what is wanted.
            body: of the request.
            flags: beside the usual ones, as OVERWRITE.

        Raises:
            NotSentError: nobody was reached.
            UncertainError: there is no answer, or none that could be understood.
            DistrustError: the challenge was to another request, or used before.
        """
        asked = self._asked(op, body, flags)
        request = encode(asked)
        async with self._room:
            answer = await self._exchange(request)
            if answer.rc != Rc.CHALLENGE:
                return self._belonging(answer, request)
            proving = await self._proving(asked, request, answer)
            answer = self._belonging(await self._exchange(proving), request, proving)
        self._demand_final(answer)
        return answer

    async def ask_on(self, op: Op, body: bytes) -> AsyncGenerator[Message, None]:
        """The answers to a request that is answered by several messages, as a listing is.

        They come over a connection of their own, no faster than they are taken. The last one says
        that none follows: answers that end without it end with an error.

        Args:
            op: what is wanted.
            body: of the request.

        Raises:
            NotSentError, DistrustError: as of :meth:`ask`.
            UncertainError: also if the last answer did not come.
        """
        asked = self._asked(op, body)
        request = encode(asked)
        proving = b""
        async with self._room:
            async with aclosing(self._answers(request)) as answers:
                async for answer in answers:
                    if answer.rc != Rc.CHALLENGE:
                        yield self._belonging(answer, request)
                    else:
                        proving = await self._proving(asked, request, answer)
                        break
            if not proving:
                return
            async with aclosing(self._answers(proving)) as answers:
                async for answer in answers:
                    self._demand_final(answer)
                    yield self._belonging(answer, request, proving)

    def close(self) -> None:
        """Close the connections that nobody uses at the moment."""
        while self._idle:
            self._idle.pop().lose(ConnectionResetError("closed"))

    def _asked(self, op: Op, body: bytes, flags: int = 0) -> Message:
        until_s = int(self._now_s()) + _LIFE_S
        flags = int(_FLAGS) | flags
        return Message(op, secrets.randbits(31), body, flags=flags, expires_s=until_s)

    def _demand_final(self, answer: Message) -> None:
        """See that the answer to a proof is no second challenge.

        Raises:
            UncertainError: it is one.
        """
        if answer.rc == Rc.CHALLENGE:
            raise UncertainError(f"{self.where} asks for a second proof of one request")

    async def _proving(self, asked: Message, request: bytes, challenge: Message) -> bytes:
        nonce = self._nonce(challenge, request)
        salt, version = secrets.token_bytes(SALT_SIZE), min(challenge.version, VERSION)
        prove, digest = self._key.prove, challenge.digest[1:]
        proof = await asyncio.to_thread(prove, nonce, digest, salt, version)
        answer = Message(
            Op.CHALLENGE_ANSWER,
            asked.request_id,
            write_proof(proof),
            flags=asked.flags,
            session_id=challenge.session_id,
            expires_s=asked.expires_s,
        )
        return encode(answer)

    def _nonce(self, challenge: Message, request: bytes) -> bytes:
        """The nonce of a challenge that is to this request, and new.

        Raises:
            DistrustError: it is not.
        """
        try:
            nonce = read_challenge(challenge.body)
            own = challenge.digest and request_digest(request, challenge.digest[0])
        except WireError as error:
            raise DistrustError(f"the challenge of {self.where} is none: {error}") from None
        if not own or challenge.digest != own:
            raise DistrustError(f"the challenge of {self.where} is to another request than ours")
        if len(nonce) not in _NONCE_SIZES or nonce in self._nonces:
            raise DistrustError(f"the challenge of {self.where} was used before, or is too short")
        self._nonces.append(nonce)
        return nonce

    def _belonging(self, answer: Message, *requests: bytes) -> Message:
        """An answer to one of the requests.

        Raises:
            UncertainError: to another one.
        """
        digest = answer.digest
        if digest and all(digest != request_digest(one, digest[0]) for one in requests):
            raise UncertainError(f"{self.where} answers another request: its digest differs")
        return answer

    async def _exchange(self, message: bytes) -> Message:
        line = await self._connected()
        answer: Message | None = None
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = _answer(await line.ask(message))
        except TimeoutError:
            raise UncertainError(f"{self.where} did not answer in {self._timeout_s:g} s") from None
        except (OSError, WireError) as error:
            raise UncertainError(f"{self.where}: {error}") from error
        finally:
            if answer is not None and answer.flags & Flag.KEEP_ALIVE:
                self._idle.append(line)
            else:
                line.lose(ConnectionResetError("closed"))
        return answer

    async def _answers(self, message: bytes) -> AsyncGenerator[Message, None]:
        """The answers to a message, over a connection of its own, until the last one."""
        reader, writer = await self._reached(asyncio.open_connection(self._host, self._port))
        stream, is_continued = Stream(), True
        try:
            writer.write(message)
            while is_continued:
                async with asyncio.timeout(self._timeout_s):
                    piece = await reader.read(_PIECE)
                if not piece:
                    raise UncertainError(f"{self.where} ended before its last answer")
                for octets in stream.feed(piece):
                    answer = _answer(octets)
                    if octets[NUMBER] != message[NUMBER] or not is_continued:
                        raise UncertainError(f"{self.where} answers what was not asked")
                    is_continued = answer.is_continued
                    yield answer
        except TimeoutError:
            raise UncertainError(f"{self.where} did not answer in {self._timeout_s:g} s") from None
        except (OSError, WireError) as error:
            raise UncertainError(f"{self.where}: {error}") from error
        finally:
            writer.close()

    async def _connected(self) -> Line:
        while self._idle:
            line = self._idle.pop()
            if not line.is_lost:
                return line
        return await self._opened()

    async def _opened(self) -> Line:
        loop = asyncio.get_running_loop()
        return (await self._reached(loop.create_connection(Line, self._host, self._port)))[1]

    async def _reached(self, connecting: Awaitable[T]) -> T:
        """What comes of connecting.

        Raises:
            NotSentError: nobody is reached.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return await connecting
        except TimeoutError:
            why = f"{self.where} was not reached in {self._timeout_s:g} s"
            raise NotSentError(why) from None
        except OSError as error:
            raise NotSentError(f"{self.where} was not reached: {error}") from error


def _answer(octets: bytes) -> Message:
    answer = decode(octets)
    if not answer.is_answer:
        raise WireError("what came is no answer")
    return answer
