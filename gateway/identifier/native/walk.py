"""From server to server until a handle is found (RFC 3651, 3.3; RFC 3652, 3.2 and 3.4)."""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from gateway.identifier.irp.bodies import (
    Held,
    Question,
    Referral,
    read_fault,
    read_held,
    read_referral,
    write_question,
)
from gateway.identifier.irp.codes import ASKING, Flag, Op, Rc
from gateway.identifier.irp.data import ADMINISTER, TCP, UDP, Interface, Server, Site, read_site
from gateway.identifier.irp.message import Message, decode, encode, request_digest
from gateway.identifier.irp.octets import WireError
from gateway.identifier.irp.placing import server_of
from gateway.identifier.irp.values import Value
from gateway.identifier.native.peers import Peer, PeerError, TcpPeer, UdpPeer

MAX_HOPS = 40
"""Referrals and aliases of one walk."""
SITE_TYPES = ("HS_SITE", "HS_SITE.6", "HS_SITE.PREFIX", "HS_NA_DELEGATE")
_ELSEWHERE = frozenset(
    {Rc.BUSY, Rc.ERROR, Rc.UNSUPPORTED, Rc.PROTOCOL_ERROR, Rc.NOT_RESPONSIBLE, Rc.SITE_OUT_OF_DATE}
)
"""Answers after which another server may know better."""
_ABSENT = frozenset({Rc.HANDLE_NOT_FOUND, Rc.VALUES_NOT_FOUND})
_FLAGS = ASKING | Flag.RETURN_DIGEST | Flag.KEEP_ALIVE


@dataclass(frozen=True, slots=True)
class Hop:
    """One question to one server.

    Attributes:
        handle: that was asked for.
        place: ``host:port`` and the protocol.
        outcome: the answer's code, or why there was none, in words.
        took_s: how long it took.
    """

    handle: str
    place: str
    outcome: str
    took_s: float


class WalkError(Exception):
    """A handle was not found; ``hops`` says where it was looked for.

    Attributes:
        is_certain: a server that answers for it says so; else nobody could be asked.
        hops: the way.
    """

    def __init__(self, why: str, hops: Sequence[Hop], *, is_certain: bool = False) -> None:
        super().__init__(why)
        self.hops = tuple(hops)
        self.is_certain = is_certain


@dataclass(frozen=True, slots=True)
class Found:
    """A handle that was found, with the way to it."""

    held: Held
    hops: tuple[Hop, ...]


@dataclass(slots=True)
class _Way:
    """A walk under way: where it was, so that it does not go round."""

    hops: list[Hop] = field(default_factory=list)
    been: set[tuple[str, tuple[Site, ...]]] = field(default_factory=set)

    def step(self, handle: str, sites: tuple[Site, ...]) -> None:
        if (handle, sites) in self.been:
            raise WalkError(f"{handle}: servers refer to each other in a circle", self.hops)
        if len(self.been) >= MAX_HOPS:
            raise WalkError(f"{handle}: not found after {MAX_HOPS} referrals", self.hops)
        self.been.add((handle, sites))


class Walker:
    """Resolves handles from servers to begin with. Connections stay open for the next question.

    Args:
        start: sites that are asked first: roots, a recursive node, or the node itself.
        timeout_s: for one question to one server.
        clock_s: a clock that only runs.
    """

    def __init__(
        self,
        start: tuple[Site, ...],
        timeout_s: float,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._start = start
        self._timeout_s = timeout_s
        self._clock_s = clock_s
        self._peers: dict[tuple[str, int, int], Peer] = {}

    def close(self) -> None:
        """Close all connections."""
        for peer in self._peers.values():
            peer.close()

    async def resolve(self, question: Question) -> Found:
        """Find a handle, over referrals and aliases.

        Raises:
            WalkError: there is none, or nobody who knows could be asked.
        """
        way = _Way()
        sites, asked = self._start, question
        while True:
            way.step(asked.handle, sites)
            answer = await self._ask(sites, asked, way)
            if answer.rc in (Rc.SERVICE_REFERRAL, Rc.PREFIX_REFERRAL):
                sites = await self._referred(read_referral(answer.body), way)
                continue
            held = _held(answer, asked, way)
            alias = _alias(held, question)
            if alias is None:
                return Found(held, tuple(way.hops))
            asked, sites = Question(alias, question.indexes, question.types), self._start

    async def _referred(self, referral: Referral, way: _Way) -> tuple[Site, ...]:
        values = referral.values
        if referral.handle:
            asked = Question(referral.handle, (), SITE_TYPES)
            way.step(asked.handle, self._start)
            values = _held(await self._ask(self._start, asked, way), asked, way).values
        sites = tuple(_sites(values))
        if not sites:
            raise WalkError(f"a referral to {referral.handle or 'nobody'} names no site", way.hops)
        return sites

    async def _ask(self, sites: tuple[Site, ...], asked: Question, way: _Way) -> Message:
        """The first answer that decides, of all sites and ways to their servers."""
        last: Message | None = None
        for server, interface in _places(sites, asked.handle):
            answer = await self._ask_one(server, interface, asked, way)
            if answer is not None and answer.rc not in _ELSEWHERE:
                return answer
            last = answer or last
        why = "no server could be asked" if last is None else read_fault(last.body).message
        raise WalkError(f"{asked.handle}: {why or Rc(last.rc).name if last else why}", way.hops)

    async def _ask_one(
        self, server: Server, interface: Interface, asked: Question, way: _Way
    ) -> Message | None:
        request = encode(
            Message(Op.RESOLVE, secrets.randbits(31), write_question(asked), flags=int(_FLAGS))
        )
        began_s = self._clock_s()
        answer: Message | None = None
        try:
            answer = _checked(decode(await self._peer(server, interface).ask(request)), request)
            outcome = _name(answer.rc)
        except (PeerError, WireError) as error:
            outcome = str(error)
        place = f"{server.address}:{interface.port} {_PROTOCOLS[interface.protocol]}"
        way.hops.append(Hop(asked.handle, place, outcome, self._clock_s() - began_s))
        return answer

    def _peer(self, server: Server, interface: Interface) -> Peer:
        key = (server.address, interface.port, interface.protocol)
        if key not in self._peers:
            kind = TcpPeer if interface.protocol == TCP else UdpPeer
            self._peers[key] = kind(server.address, interface.port, self._timeout_s)
        return self._peers[key]


_PROTOCOLS = {TCP: "tcp", UDP: "udp"}


def _places(sites: Sequence[Site], handle: str) -> Iterator[tuple[Server, Interface]]:
    """Of each site the server that holds the handle, TCP before UDP; sites in their order."""
    for site in sites:
        server = server_of(site, handle)
        usable = [
            one for one in server.interfaces if one.protocol in _PROTOCOLS and one.use & ~ADMINISTER
        ]
        for interface in sorted(usable, key=lambda one: one.protocol != TCP):
            yield server, interface


def _checked(answer: Message, request: bytes) -> Message:
    """An answer that belongs to its request.

    Raises:
        WireError: it is none, or answers something else.
    """
    if not answer.is_answer or answer.op not in (Op.RESOLVE, 0):
        raise WireError("what came is no answer to this question")
    if answer.digest and answer.digest != request_digest(request, answer.digest[0]):
        raise WireError("the answer is to another question: its digest differs")
    return answer


def _held(answer: Message, asked: Question, way: _Way) -> Held:
    if answer.rc != Rc.OK:
        why = f"{asked.handle}: {_name(answer.rc)}"
        raise WalkError(why, way.hops, is_certain=answer.rc in _ABSENT)
    held = read_held(answer.body)
    if held.handle.upper() != asked.handle.upper():
        raise WalkError(f"{asked.handle}: the server answers for {held.handle}", way.hops)
    return held


def _alias(held: Held, question: Question) -> str | None:
    if "HS_ALIAS" in question.types:
        return None
    values = [one.data for one in held.values if one.type == "HS_ALIAS"]
    return values[0].decode(errors="replace") if values else None


def _sites(values: Sequence[Value]) -> Iterator[Site]:
    for value in values:
        if value.type in SITE_TYPES:
            try:
                yield read_site(value.data)
            except WireError:  # one that is broken does not hide the others
                continue


def _name(rc: int) -> str:
    try:
        return Rc(rc).name.lower().replace("_", " ")
    except ValueError:
        return f"code {rc}"
