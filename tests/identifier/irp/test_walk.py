"""Handles are found over real sockets: at one node, over referrals and aliases, or not at all."""

from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest

from gateway.identifier.irp.bodies import (
    Held,
    Question,
    Referral,
    read_question,
    write_held,
    write_referral,
)
from gateway.identifier.irp.codes import Flag, Op, Rc
from gateway.identifier.irp.data import TCP, UDP, Site, read_site, write_site
from gateway.identifier.irp.message import Message, decode, encode, request_digest
from gateway.identifier.irp.values import Value
from gateway.identifier.native.peers import TcpPeer
from gateway.identifier.native.walking.walk import Found, Manner, Walker
from gateway.identifier.native.walking.way import WalkError
from gateway.identifier.node.keeping import records
from gateway.identifier.node.keeping.lookup import Lookup
from gateway.identifier.node.keeping.opening import open_database
from gateway.identifier.node.native.answering import Holdings, answer
from gateway.identifier.node.native.referring import Directory, site_of
from gateway.identifier.node.registration import Registration
from tests.identifier.irp.servers import answering, site_at

NOW_S = 1_795_000_000
MACHINE = "88.999.QZ01/451.000001"
TIMEOUT_S = 5.0
RECORD = Registration(
    MACHINE,
    "1",
    (Value(2000, "equipName", ("磨床" * 90).encode()), Value(2003, "serialNo", b"S-1")),
)


@pytest.fixture
def holdings(tmp_path: Path) -> Iterator[Holdings]:
    database = open_database("sqlite:///node.db", tmp_path, {})
    database.run_now(records.add, [RECORD], "", NOW_S * 1000)
    with closing(Lookup(database)) as lookup:
        directory = Directory("88.999", site_of("88.999", ("127.0.0.1", 2641)))
        yield Holdings(lookup.held, lambda: directory)
    database.close()


def node(holdings: Holdings) -> Callable[[bytes], bytes]:
    return lambda request: answer(request, holdings, NOW_S)


def replies(made: Callable[[Question], tuple[Rc, bytes]]) -> Callable[[bytes], bytes]:
    """Answers that a function makes of questions."""

    def reply(request: bytes) -> bytes:
        asked = decode(request)
        rc, body = made(read_question(asked.body))
        digest = request_digest(request)
        flags = int(Flag.RETURN_DIGEST)
        return encode(Message(asked.op, asked.request_id, body, rc, flags, digest=digest))

    return reply


async def found(handle: str, *sites: Site, timeout_s: float = TIMEOUT_S) -> Found:
    walker = Walker(sites, Manner(timeout_s, patience_s=TIMEOUT_S))
    try:
        return await walker.resolve(Question(handle))
    finally:
        walker.close()


@pytest.mark.parametrize("protocol", [TCP, UDP])
async def test_a_machine_of_the_node_is_found(holdings: Holdings, protocol: int) -> None:
    async with answering(node(holdings)) as port:
        one = await found(MACHINE.lower(), site_at(port, protocol))
    assert one.held.handle == MACHINE
    assert [(value.index, value.type) for value in one.held.values] == [
        (1000, "TEMPLATE_ID"),
        (2000, "equipName"),
        (2003, "serialNo"),
    ]
    assert one.held.values[1].data.decode() == "磨床" * 90  # more than a datagram holds
    assert [hop.outcome for hop in one.hops] == ["ok"]


async def test_the_node_says_what_it_lacks_and_what_is_not_its_own(holdings: Holdings) -> None:
    async with answering(node(holdings)) as port:
        with pytest.raises(WalkError, match="handle not found") as absent:
            await found("88.999.QZ01/none", site_at(port))
        with pytest.raises(WalkError, match="is not of this node") as foreign:
            await found("10.1000/182", site_at(port))
    assert absent.value.is_certain
    assert not foreign.value.is_certain
    assert len(foreign.value.hops) == 2  # by TCP, then by UDP


async def test_only_what_is_asked_for_is_told(holdings: Holdings) -> None:
    async with answering(node(holdings)) as port:
        walker = Walker((site_at(port),), Manner(TIMEOUT_S))
        one = await walker.resolve(Question(MACHINE, (2003,)))
        with pytest.raises(WalkError, match="values not found"):
            await walker.resolve(Question(MACHINE, (), ("HS_ADMIN",)))
        walker.close()
    assert [value.data for value in one.held.values] == [b"S-1"]


async def test_a_node_describes_itself_and_takes_no_changes(holdings: Holdings) -> None:
    async with answering(node(holdings)) as port:
        peer = TcpPeer("127.0.0.1", port, TIMEOUT_S)
        described = decode(await peer.ask(encode(Message(Op.GET_SITE, 1, b"\0\0\0\1/"))))
        refused = decode(await peer.ask(encode(Message(Op.DELETE, 2, b"\0\0\0\1x"))))
        broken = decode(await peer.ask(encode(Message(Op.RESOLVE, 3, b"\0\0\0\x09x"))))
        peer.close()
    assert read_site(described.body).servers[0].interfaces[0].port == 2641
    assert described.expires_s > NOW_S
    assert [refused.rc, broken.rc] == [Rc.READ_ONLY, Rc.PROTOCOL_ERROR]


def refer(handle: str, sites: Callable[[], list[Site]]) -> Callable[[bytes], bytes]:
    """A server above others: it refers all questions to sites, or to a handle that names them."""

    def values() -> tuple[Value, ...]:  # the ports are known later
        numbered = enumerate(sites(), start=1)
        return tuple(Value(number, "HS_SITE", write_site(site)) for number, site in numbered)

    def made(asked: Question) -> tuple[Rc, bytes]:
        if handle and asked.handle == handle:
            return Rc.OK, write_held(Held(handle, values()))
        referral = Referral(handle) if handle else Referral("", values())
        return Rc.PREFIX_REFERRAL, write_referral(referral)

    return replies(made)


@pytest.mark.parametrize("by_handle", ["", "0.NA/88.999"])
async def test_three_levels_are_walked(holdings: Holdings, by_handle: str) -> None:
    async with AsyncExitStack() as stack:
        enterprise = await stack.enter_async_context(answering(node(holdings)))
        secondary = await stack.enter_async_context(
            answering(refer("", lambda: [site_at(enterprise)]))
        )
        top = await stack.enter_async_context(
            answering(refer(by_handle, lambda: [site_at(secondary)]))
        )
        one = await found(MACHINE, site_at(top))
    assert one.held.handle == MACHINE
    places = [hop.place.split(":")[1] for hop in one.hops]
    own = [f"{port} tcp" for port in (top, secondary, enterprise)]
    assert places == (own if not by_handle else [own[0], *own])


async def test_a_dead_server_is_passed_over(holdings: Holdings) -> None:
    async with answering(node(holdings)) as dead:
        pass
    async with answering(node(holdings)) as alive:
        one = await found(MACHINE, site_at(dead, TCP), site_at(alive))
    assert [hop.outcome == "ok" for hop in one.hops] == [False, True]


async def test_a_connection_that_a_server_closed_is_opened_again(holdings: Holdings) -> None:
    async with answering(node(holdings)) as port:
        peer = TcpPeer("127.0.0.1", port, TIMEOUT_S)
        for number in range(3):  # without KEEP_ALIVE each answer is the last
            asked = Message(Op.GET_SITE, number, b"\0\0\0\1/", flags=0)
            assert decode(await peer.ask(encode(asked))).request_id == number
        peer.close()


async def test_an_alias_is_followed(holdings: Holdings) -> None:
    def made(asked: Question) -> tuple[Rc, bytes]:
        if asked.handle == "88.999.QZ01/old":
            alias = Value(1, "HS_ALIAS", MACHINE.encode())
            return Rc.OK, write_held(Held(asked.handle, (alias,)))
        held = holdings.lookup(asked.handle)
        assert held is not None
        return Rc.OK, write_held(held)

    async with answering(replies(made)) as port:
        assert (await found("88.999.QZ01/old", site_at(port))).held.handle == MACHINE


async def test_servers_that_refer_in_a_circle_are_left() -> None:
    ports: list[int] = []
    around = refer("", lambda: [site_at(ports[0])])
    async with answering(around) as port:
        ports.append(port)
        with pytest.raises(WalkError, match="circle"):
            await found(MACHINE, site_at(port))


async def test_an_endless_chain_of_aliases_is_left() -> None:
    def made(asked: Question) -> tuple[Rc, bytes]:
        alias = Value(1, "HS_ALIAS", f"{asked.handle}x".encode())
        return Rc.OK, write_held(Held(asked.handle, (alias,)))

    async with answering(replies(made)) as port:
        with pytest.raises(WalkError, match="40 referrals"):
            await found(MACHINE, site_at(port))


def lying(change: Callable[[Message], Message]) -> Callable[[bytes], bytes]:
    """Answers of which something is not true."""
    good = replies(lambda asked: (Rc.OK, write_held(Held(asked.handle, ()))))
    return lambda request: encode(change(decode(good(request))))


def changed(**what: object) -> Callable[[Message], Message]:
    def change(message: Message) -> Message:
        fields = {name: getattr(message, name) for name in message.__struct_fields__}
        return Message(**{**fields, **what})

    return change


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (changed(digest=bytes([3]) + bytes(32)), "digest differs"),
        (changed(body=write_held(Held("88.999.QZ01/other", ()))), "answers for"),
        (changed(op=int(Op.DELETE)), "no answer to this"),
        (changed(rc=0, flags=0, digest=b""), "no answer to this"),
    ],
)
async def test_a_server_that_lies_is_not_believed(
    change: Callable[[Message], Message], why: str
) -> None:
    async with answering(lying(change)) as port:
        with pytest.raises(WalkError) as caught:
            await found(MACHINE, site_at(port, TCP))
    assert why in f"{caught.value} {[hop.outcome for hop in caught.value.hops]}"


@pytest.mark.parametrize("protocol", [TCP, UDP])
async def test_an_answer_to_another_question_is_waited_out(protocol: int) -> None:
    async with answering(lying(changed(request_id=7))) as port:
        with pytest.raises(WalkError) as caught:
            await found(MACHINE, site_at(port, protocol), timeout_s=0.7)
    assert "did not answer" in caught.value.hops[0].outcome


async def test_what_is_no_message_ends_the_connection_only(holdings: Holdings) -> None:
    async with answering(node(holdings)) as port:
        peer = TcpPeer("127.0.0.1", port, TIMEOUT_S)
        with pytest.raises(Exception, match="127"):
            await peer.ask(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + b"\xff" * 40)
        assert (await found(MACHINE, site_at(port))).held.handle == MACHINE
