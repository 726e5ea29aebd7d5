"""Servers that lie, drip, flood or say nothing: an answer, a reason, never more than their time."""

import asyncio

import pytest

from gateway.identifier.codes.handle import Handle
from gateway.identifier.irp.bodies import Held, Question, write_held, write_question
from gateway.identifier.irp.codes import Op, Rc
from gateway.identifier.irp.data import TCP
from gateway.identifier.irp.message import MAX_LENGTH, Message, decode, encode
from gateway.identifier.irp.octets import U32
from gateway.identifier.irp.values import Value
from gateway.identifier.native.peers import PeerError, TcpPeer
from gateway.identifier.native.walking.places import Place
from gateway.identifier.native.walking.pool import Pool
from gateway.identifier.native.walking.walk import Manner, Walker
from gateway.identifier.native.walking.way import WalkError
from gateway.identifier.resolving.answer import Outcome
from gateway.identifier.resolving.native import NativeSource
from tests.identifier.irp.servers import answering, nothing, sending, site_at
from tests.identifier.irp.test_walk import replies
from tests.support.waiting import until

MACHINE = "88.999.QZ01/1"
GOOD = replies(lambda asked: (Rc.OK, write_held(Held(asked.handle, (Value(1, "D", b"x"),)))))
OTHER = write_held(Held("88.999.QZ01/2", ()))
REQUEST = encode(Message(Op.RESOLVE, 7, write_question(Question(MACHINE))))
MANY = U32.pack(1) + b"x" + U32.pack(2**32 - 1)


@pytest.mark.parametrize(
    ("rc", "body", "why"),
    [
        (Rc.OK, b"", "4 octets expected"),
        (Rc.OK, OTHER, "answers for 88.999.QZ01/2"),
        (Rc.OK, MANY, "things announced"),
        (Rc.PREFIX_REFERRAL, MANY, "things announced"),
        (Rc.PREFIX_REFERRAL, b"\xff", "4 octets expected"),
        (Rc.HANDLE_NOT_FOUND, b"\0\0\0\1\xff", "no UTF-8"),
        (Rc.BUSY, b"", "busy"),
    ],
)
async def test_what_cannot_be_believed_is_said_and_another_server_is_asked(
    rc: Rc, body: bytes, why: str
) -> None:
    async with answering(replies(lambda _: (rc, body))) as bad, answering(GOOD) as good:
        walker = Walker((site_at(bad, TCP), site_at(good, TCP)), Manner(5.0, 60.0, 60.0))
        found = await walker.resolve(Question(MACHINE))
        walker.close()
        alone = NativeSource("liar", Walker((site_at(bad, TCP),), Manner(5.0)))
        answer = await alone.ask(Handle.parse(MACHINE))
        await alone.close()
    assert why in found.hops[0].outcome
    assert found.held.handle == MACHINE
    assert answer.outcome in (Outcome.UNREACHABLE, Outcome.BUSY)
    assert why in answer.hops[0].outcome


async def test_a_long_reason_is_cut() -> None:
    reason = b"x" * 100_000
    body = U32.pack(len(reason)) + reason
    async with answering(replies(lambda _: (Rc.NOT_PERMITTED, body))) as bad:
        source = NativeSource("liar", Walker((site_at(bad, TCP),), Manner(5.0)))
        answer = await source.ask(Handle.parse(MACHINE))
        await source.close()
    assert answer.outcome is Outcome.DENIED
    assert len(answer.why) < 300


async def drip(writer: asyncio.StreamWriter, data: bytes) -> None:
    for octet in GOOD(data):
        writer.write(bytes([octet]))
        await writer.drain()
        await asyncio.sleep(0.1)


async def announce(writer: asyncio.StreamWriter, _: bytes) -> None:
    writer.write(bytes(16) + U32.pack(MAX_LENGTH + 1))


async def flood(writer: asyncio.StreamWriter, data: bytes) -> None:
    other = GOOD(data[:8] + b"\xff" * 4 + data[12:])  # answers to a question of another number
    for _ in range(200):
        writer.write(other)
        await writer.drain()


@pytest.mark.parametrize(
    ("send", "why"),
    [
        (nothing, "did not answer in 0.5 s"),
        (drip, "did not answer in 0.5 s"),
        (announce, f"{MAX_LENGTH} are the most"),
        (flood, "that nobody asked"),
    ],
)
async def test_a_server_that_gives_no_answer_is_left(send: object, why: str) -> None:
    async with sending(send) as port:  # type: ignore[arg-type]
        walker = Walker((site_at(port, TCP),), Manner(0.5))
        with pytest.raises(WalkError) as caught:
            await walker.resolve(Question(MACHINE))
        walker.close()
    assert why in caught.value.hops[0].outcome


async def test_a_connection_on_which_nothing_came_is_not_used_again() -> None:
    connections: list[asyncio.StreamWriter] = []

    async def fall_asleep(writer: asyncio.StreamWriter, data: bytes) -> None:
        if writer not in connections:
            connections.append(writer)
        if len(connections) > 1:  # the first one is half open
            writer.write(GOOD(data))

    async with sending(fall_asleep) as port:
        peer = TcpPeer("127.0.0.1", port, 1.0)
        with pytest.raises(PeerError, match="did not answer"):
            await peer.ask(REQUEST)
        assert decode(await peer.ask(REQUEST)).rc == Rc.OK
        peer.close()


async def test_connections_are_few_and_closed_when_nobody_uses_them() -> None:
    open_now: set[asyncio.StreamWriter] = set()

    async def note(writer: asyncio.StreamWriter, data: bytes) -> None:
        open_now.add(writer)
        writer.write(GOOD(data))

    def still_open() -> int:
        return sum(not writer.transport.is_closing() for writer in open_now)

    async with sending(note) as one, sending(note) as other:
        pool = Pool(5.0, most=1, idle_s=0.1)
        for port in (one, other):
            await asked_by(pool, port)
        await until(lambda: still_open() == 1)  # the second one took the first one's room
        with (
            pool.lent(Place("127.0.0.1", other, TCP)),
            pytest.raises(PeerError, match="1 servers are being asked already"),
            pool.lent(Place("127.0.0.1", one, TCP)),
        ):
            raise AssertionError("a second one was lent")
        await until(lambda: still_open() == 0)
        pool.close()


async def asked_by(pool: Pool, port: int) -> None:
    with pool.lent(Place("127.0.0.1", port, TCP)) as peer:
        await peer.ask(REQUEST)
