"""Datagrams to an address that anybody may have written: bounded, and then TCP is named."""

import asyncio
import socket

import pytest

from gateway.identifier.irp.bodies import Held, Question, read_held, write_held, write_question
from gateway.identifier.irp.codes import ASKING, Flag, Op, Rc
from gateway.identifier.irp.data import UDP
from gateway.identifier.irp.datagrams import DATAGRAM, is_truncated
from gateway.identifier.irp.message import Message, decode, encode, request_digest
from gateway.identifier.irp.values import Value
from gateway.identifier.native.peers import UdpPeer
from gateway.identifier.native.walking.walk import Manner, Walker
from gateway.identifier.node.native.unproved import MOST_TIMES, OCTETS_PER_MINUTE, Unproved
from tests.identifier.irp.servers import answering, site_at

HANDLE = "88.999.1/1"
TIMEOUT_S = 30.0
REQUEST = encode(Message(Op.RESOLVE, 7, write_question(Question(HANDLE)), flags=int(ASKING)))


def telling(size: int) -> bytes:
    """An answer with a value of so many octets."""
    body = write_held(Held(HANDLE, (Value(1, "URL", b"x" * size),)))
    digest = request_digest(REQUEST)
    return encode(Message(Op.RESOLVE, 7, body, Rc.OK, int(Flag.RETURN_DIGEST), digest=digest))


FITS = telling(DATAGRAM - len(telling(0)))


def test_what_is_sent_is_one_datagram_or_three_times_the_question() -> None:
    assert len(FITS) == DATAGRAM
    for size in (0, len(FITS) - len(telling(0)), 400, 10_000, 60_000):
        sent = Unproved().sent(REQUEST, telling(size), "192.0.2.1", 0.0)
        assert len(sent) <= max(DATAGRAM, MOST_TIMES * len(REQUEST))
        assert is_truncated(sent) is (len(telling(size)) > DATAGRAM)
    long = REQUEST + bytes(30_000)
    assert Unproved().sent(long, telling(60_000), "192.0.2.1", 0.0) == telling(60_000)


def test_of_datagrams_that_are_longer_than_three_questions_a_visitor_gets_some() -> None:
    unproved, most = Unproved(), OCTETS_PER_MINUTE // DATAGRAM
    sent = [unproved.sent(REQUEST, FITS, "192.0.2.1", 0.0) for _ in range(most + 1)]
    assert sent[:-1] == [FITS] * most
    assert is_truncated(sent[-1])
    assert len(sent[-1]) <= MOST_TIMES * len(REQUEST)
    assert unproved.sent(REQUEST, telling(0), "192.0.2.1", 0.0) == telling(0), (
        "what is short goes out"
    )
    assert unproved.sent(REQUEST, FITS, "192.0.2.2", 0.0) == FITS, "each for itself"
    assert unproved.sent(REQUEST, FITS, "192.0.2.1", 1.0) == FITS, "and later again"


async def test_nothing_more_comes_over_the_wire() -> None:
    async with answering(lambda _: telling(60_000)) as port:
        await UdpPeer("127.0.0.1", port, TIMEOUT_S).ask(REQUEST)  # it hears datagrams now
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as victim:
            victim.setblocking(False)
            victim.bind(("127.0.0.1", 0))
            await loop.sock_sendto(victim, REQUEST, ("127.0.0.1", port))
            datagram = await asyncio.wait_for(loop.sock_recv(victim, 65_536), TIMEOUT_S)
            # What is asked afterwards is answered next: there was no second part.
            await loop.sock_sendto(victim, REQUEST, ("127.0.0.1", port))
            again = await asyncio.wait_for(loop.sock_recv(victim, 65_536), TIMEOUT_S)
    assert again == datagram
    assert len(datagram) <= MOST_TIMES * len(REQUEST)
    assert is_truncated(datagram)


@pytest.mark.parametrize("size", [100, 60_000])
async def test_who_asks_by_datagrams_goes_on_by_tcp(size: int) -> None:
    async with answering(lambda _: telling(size)) as port:
        peer = UdpPeer("127.0.0.1", port, TIMEOUT_S)
        told = decode(await peer.ask(REQUEST))
        assert (told.rc, len(read_held(told.body).values[0].data)) == (Rc.OK, size)


async def test_a_walk_does_too_where_a_site_names_no_tcp() -> None:
    def answer(request: bytes) -> bytes:
        asked = decode(request)
        body = write_held(Held(HANDLE, (Value(1, "URL", b"x" * 60_000),)))
        flags, digest = int(Flag.RETURN_DIGEST), request_digest(request)
        return encode(Message(asked.op, asked.request_id, body, Rc.OK, flags, digest=digest))

    async with answering(answer) as port:
        walker = Walker((site_at(port, UDP),), Manner(TIMEOUT_S))
        found = await walker.resolve(Question(HANDLE))
        walker.close()
    assert len(found.held.values[0].data) == 60_000
    assert [hop.outcome for hop in found.hops] == ["ok"]
