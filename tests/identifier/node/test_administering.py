"""A node takes changes natively from who proves himself, by its own rules."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from gateway.identifier.irp.bodies import (
    Held,
    Question,
    Removal,
    read_challenge,
    read_fault,
    read_held,
    read_list,
    write_handle,
    write_held,
    write_proof,
    write_question,
    write_removal,
)
from gateway.identifier.irp.codes import Flag, Op, Rc
from gateway.identifier.irp.message import Message, decode, encode
from gateway.identifier.irp.proofs import write_rsa_key
from gateway.identifier.irp.values import Value
from gateway.identifier.native.administering import Administrator
from gateway.identifier.native.keys import PrivateKey, SecretKey
from gateway.identifier.native.peers import Peer, TcpPeer, UdpPeer
from gateway.identifier.native.walking.walk import Manner, Walker
from gateway.identifier.native.walking.way import WalkError
from gateway.identifier.node.keeping import audit
from gateway.identifier.node.keeping.opening import open_database
from gateway.identifier.node.keeping.users import AdminKey
from gateway.identifier.node.native.challenges import LIFE_S, MOST_OF_ONE
from gateway.identifier.node.rights.principal import Terms
from gateway.identifier.record import Record
from gateway.identifier.record import Value as Item
from gateway.identifier.registering.registry import Outcome
from gateway.relational.database import Database
from tests.identifier.irp.servers import site_at
from tests.identifier.node.acting import TERMS, Node, machine
from tests.identifier.node.natively import KEY, PLACE, TIMEOUT_S, Served, served, with_key

HANDLE = "88.999.QZ01/m1"
RECORD = Record(HANDLE, "1", (Item(2000, "t0", "a"), Item(2001, "t1", "b"), Item(2002, "t2", "c")))


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    database = open_database("sqlite:///node.db", tmp_path, {})
    yield Node(database)
    database.close()


async def test_an_identifier_is_registered_read_changed_and_withdrawn(
    database: Database, tmp_path: Path
) -> None:
    node = Node(database)
    changed = replace(RECORD, values=(Item(2000, "t0", "z"), Item(2002, "t2", "c")))
    async with served(node, with_key(node, tmp_path)) as here, here.registry() as registry:
        assert (await registry.login()).outcome is Outcome.OK
        assert [one.outcome for one in await registry.create([RECORD])] == [Outcome.OK]
        assert [one.outcome for one in await registry.create([RECORD])] == [Outcome.EXISTS]
        read = (await registry.read(HANDLE.lower())).record
        assert read == RECORD
        assert [one.outcome for one in await registry.update([changed])] == [Outcome.OK]
        assert (await registry.read(HANDLE)).record == changed
        gone = await registry.withdraw([changed], "误录")
        assert [one.outcome for one in gone] == [Outcome.OK]
        assert (await registry.read(HANDLE)).outcome is Outcome.NOT_FOUND
        assert [one.outcome for one in await registry.create([RECORD])] == [Outcome.EXISTS]
        counted: Counter[tuple[str, str]] = Counter()
        for (what, _), times in here.tally.taken().items():
            counted[what.action, what.outcome] += times
    entries = node.database.run_now(audit.newest, 4)
    assert [(one.who, one.action) for one in entries[:3]] == [
        ("qz01", audit.Action.WITHDRAWN),
        ("qz01", audit.Action.UPDATED),
        ("qz01", audit.Action.REGISTERED),
    ]
    # Replacing is creating over what is there.
    assert (counted["create", "ok"], counted["create", "exists"]) == (2, 2)


async def test_a_mark_withdraws_with_its_reason(node: Node, tmp_path: Path) -> None:
    node.create("qz01", machine("m1"))
    async with (
        served(node, with_key(node, tmp_path)) as here,
        here.registry(deletes=False) as registry,
    ):
        assert (await registry.withdraw([RECORD], " 误录：\n两次 "))[0].outcome is Outcome.OK
        gone = await registry.read(HANDLE)
        assert (gone.outcome, gone.message) == (
            Outcome.NOT_FOUND,
            f"{HANDLE} was withdrawn: 误录： 两次",
        )
        walker = Walker((site_at(here.port),), Manner(TIMEOUT_S))
        with closing(walker), pytest.raises(WalkError) as caught:
            await walker.resolve(Question(HANDLE))
        assert (caught.value.rc, caught.value.is_certain) == (Rc.HANDLE_NOT_FOUND, True)
        assert (await registry.create([RECORD]))[0].outcome is Outcome.EXISTS
    assert node.database.run_now(audit.newest, 1)[0].detail == "误录： 两次"


async def test_a_private_key_is_as_good(node: Node, tmp_path: Path) -> None:
    made = generate_private_key(65_537, 2048)
    public = AdminKey("qz01", "HS_PUBKEY", write_rsa_key(made.public_key()))
    seal = with_key(node, tmp_path, public)
    async with served(node, seal) as here:
        async with here.registry(PrivateKey(PLACE, made)) as registry:
            assert [one.outcome for one in await registry.create([RECORD])] == [Outcome.OK]
        async with here.registry() as with_secret:  # the key there is of another kind
            assert (await with_secret.create([RECORD]))[0].outcome is Outcome.LOGIN
        other = PrivateKey(PLACE, generate_private_key(65_537, 2048))
        async with here.registry(other) as stranger:
            assert (await stranger.create([RECORD]))[0].outcome is Outcome.LOGIN


async def test_others_see_and_change_what_they_may(node: Node, tmp_path: Path) -> None:
    node.create("qz01", machine("m1"))
    node.create("qz02", machine("m2", prefix="88.999.QZ02"))
    theirs = replace(RECORD, handle="88.999.QZ02/m2")
    async with served(node, with_key(node, tmp_path)) as here, here.registry() as registry:
        results = [
            *await registry.create([replace(RECORD, handle="88.999.QZ02/m3")]),
            *await registry.update([theirs]),
            *await registry.withdraw([theirs], "误录"),
        ]
        assert {one.outcome for one in results} == {Outcome.DENIED}
        seen = (await registry.read(theirs.handle)).record
        assert seen is not None
        assert [one.index for one in seen.values] == [2000, 2001]  # as a member
        foreign = await registry.create([replace(RECORD, handle="88.111.1/m1")])
        assert foreign[0].outcome is Outcome.DENIED
        wrong = await registry.create([replace(RECORD, handle="88.999.QZ01/m 3")])
        assert wrong[0].outcome is Outcome.INVALID
        unfit = await registry.create([replace(RECORD, handle="88.999.QZ01/m3", values=())])
        assert unfit[0].outcome is Outcome.INVALID
        public = await asked(here, Op.RESOLVE, write_question(Question(HANDLE)), Flag.PUBLIC_ONLY)
        assert [one.index for one in read_held(public.body).values] == [1000, 2000]
        hidden = await asked(here, Op.RESOLVE, write_question(Question(HANDLE)))
        assert hidden.rc == Rc.CHALLENGE
    assert node.read("qz02", theirs.handle) == {2000: "a", 2001: "b", 2002: "c"}


async def asked(here: Served, op: Op, body: bytes, flags: int = 0) -> Message:
    """What is answered to a request without a proof."""
    peer = TcpPeer("127.0.0.1", here.port, TIMEOUT_S)
    try:
        return decode(await peer.ask(encode(Message(op, 7, body, flags=flags))))
    finally:
        peer.close()


async def test_a_quota_is_told(node: Node, tmp_path: Path) -> None:
    node.terms = Terms(TERMS.prefix, per_day=1)
    async with served(node, with_key(node, tmp_path)) as here, here.registry() as registry:
        assert (await registry.create([RECORD]))[0].outcome is Outcome.OK
        second = await registry.create([replace(RECORD, handle="88.999.QZ01/m2")])
    assert second[0].outcome is Outcome.QUOTA
    assert f"({int(Rc.DAILY_LIMIT)})" in second[0].message


async def test_single_values_are_changed_as_the_protocol_says(node: Node, tmp_path: Path) -> None:
    node.create("qz01", machine("m1"))
    url = Value(1, "URL", b"http://a.cn")
    item = Value(2000, "t0", b"new")
    place = ("127.0.0.1", 0)
    async with served(node, with_key(node, tmp_path)) as here:
        admin = Administrator((place[0], here.port), KEY, TIMEOUT_S)

        async def rc(op: Op, body: bytes, flags: int = 0) -> int:
            return (await admin.ask(op, body, flags)).rc

        free = "88.999.QZ01/free"
        assert await rc(Op.CREATE, write_held(Held(free, (url,)))) == Rc.OK
        assert await rc(Op.CREATE, write_held(Held(free, (url, url)))) == Rc.INVALID_VALUE
        assert await rc(Op.CREATE, write_held(Held(free, ())), Flag.OVERWRITE) == Rc.OK
        assert node.read(None, free) == {}
        assert await rc(Op.ADD_VALUE, write_held(Held(free, (url,)))) == Rc.OK
        assert await rc(Op.ADD_VALUE, write_held(Held(free, (url,)))) == Rc.VALUE_EXISTS
        assert await rc(Op.ADD_VALUE, write_held(Held(free, (url,))), Flag.OVERWRITE) == Rc.OK
        assert await rc(Op.MODIFY_VALUE, write_held(Held(HANDLE, (item,)))) == Rc.OK
        assert node.read("qz01", HANDLE) == {2000: "new", 2001: "b", 2002: "c"}
        assert await rc(Op.MODIFY_VALUE, write_held(Held(HANDLE, (url,)))) == Rc.VALUES_NOT_FOUND
        assert await rc(Op.REMOVE_VALUE, write_removal(Removal(HANDLE, (1,)))) == (
            Rc.VALUES_NOT_FOUND
        )
        assert await rc(Op.REMOVE_VALUE, write_removal(Removal(HANDLE, (2000,)))) == (
            Rc.INVALID_VALUE  # its template wants it
        )
        assert await rc(Op.REMOVE_VALUE, write_removal(Removal(free, (1,)))) == Rc.OK
        assert await rc(Op.DELETE, write_handle("88.999.QZ01/none")) == Rc.HANDLE_NOT_FOUND
        listed = await admin.ask(Op.LIST_HANDLES, write_handle("0.NA/88.999.QZ01"))
        assert read_list(listed.body) == (free, HANDLE)
        assert await rc(Op.LIST_HANDLES, write_handle("0.NA/88.999.QZ02")) == Rc.NOT_PERMITTED
        assert await rc(Op.LIST_HANDLES, write_handle(HANDLE)) == Rc.INVALID_HANDLE
        assert await rc(Op.HOME_PREFIX, write_handle("0.NA/88.999.QZ01")) == Rc.UNSUPPORTED
        assert await rc(Op.CREATE, b"") == Rc.PROTOCOL_ERROR
        admin.close()


PEERS: dict[str, Callable[[str, int, float], Peer]] = {"tcp": TcpPeer, "udp": UdpPeer}


@pytest.mark.parametrize("protocol", PEERS)
async def test_a_proof_is_good_for_one_request_once_and_for_a_minute(
    node: Node, tmp_path: Path, protocol: str
) -> None:
    seal = with_key(node, tmp_path)
    async with served(node, seal) as here:
        peer = PEERS[protocol]("127.0.0.1", here.port, TIMEOUT_S)
        body = write_held(Held(HANDLE, (Value(1, "DESC", b"x" * 900),)))  # two datagrams
        challenge = decode(await peer.ask(encode(Message(Op.CREATE, 7, body))))
        assert challenge.rc == Rc.CHALLENGE
        proof = proof_of(challenge)
        forged = msgspec.structs.replace(proof, session_id=challenge.session_id ^ 1)
        assert decode(await peer.ask(encode(forged))).rc == Rc.AUTHENTICATION_TIMEOUT
        done = await peer.ask(encode(proof))
        assert decode(done).rc == Rc.OK
        # Sent again, as datagrams are, it is answered again, and done no second time.
        assert await peer.ask(encode(proof)) == done
        other = encode(msgspec.structs.replace(proof, request_id=9))
        assert decode(await peer.ask(other)).rc == Rc.AUTHENTICATION_TIMEOUT
        late = decode(await peer.ask(encode(Message(Op.DELETE, 11, write_handle(HANDLE)))))
        here.clock[0] += LIFE_S + 1
        assert decode(await peer.ask(encode(proof_of(late)))).rc == Rc.AUTHENTICATION_TIMEOUT
        peer.close()
    assert node.read(None, HANDLE) is not None


def proof_of(challenge: Message) -> Message:
    nonce = read_challenge(challenge.body)
    proof = KEY.prove(nonce, challenge.digest[1:], bytes(16), (2, 11))
    return Message(
        Op.CHALLENGE_ANSWER,
        8,
        write_proof(proof),
        session_id=challenge.session_id,
        flags=0x0300_0000,
    )


async def test_the_proof_of_one_request_does_not_do_another(node: Node, tmp_path: Path) -> None:
    node.create("qz01", machine("m1"))
    async with served(node, with_key(node, tmp_path)) as here:
        one = await asked(here, Op.DELETE, write_handle(HANDLE))
        other = await asked(here, Op.DELETE, write_handle("88.999.QZ01/m2"))
        proof = msgspec.structs.replace(proof_of(other), session_id=one.session_id)
        answer = await asked_as(here, proof)
    assert answer.rc == Rc.AUTHENTICATION_FAILED
    assert node.read(None, HANDLE) is not None


async def asked_as(here: Served, message: Message) -> Message:
    peer = TcpPeer("127.0.0.1", here.port, TIMEOUT_S)
    try:
        return decode(await peer.ask(encode(message)))
    finally:
        peer.close()


async def test_who_guesses_has_to_wait(node: Node, tmp_path: Path) -> None:
    node.create("qz01", machine("m1"))
    async with served(node, with_key(node, tmp_path)) as here:
        async with here.registry(SecretKey(PLACE, b"wrong")) as guesser:
            outcomes = [(await guesser.withdraw([RECORD], ""))[0].outcome for _ in range(6)]
        assert outcomes == [Outcome.LOGIN] * 5 + [Outcome.BUSY]
        here.clock[0] += 2
        async with here.registry() as registry:
            assert (await registry.read(HANDLE)).outcome is Outcome.OK


async def test_one_visitor_does_not_take_all_challenges(node: Node, tmp_path: Path) -> None:
    async with served(node, with_key(node, tmp_path)) as here:
        peer = TcpPeer("127.0.0.1", here.port, TIMEOUT_S)
        requests = [
            encode(Message(Op.DELETE, number, write_handle(HANDLE), flags=int(Flag.KEEP_ALIVE)))
            for number in range(MOST_OF_ONE + 1)
        ]
        answers = [decode(one) for one in await asyncio.gather(*map(peer.ask, requests))]
        peer.close()
    codes = [one.rc for one in answers]
    assert codes == [Rc.CHALLENGE] * MOST_OF_ONE + [Rc.BUSY]
    assert str(MOST_OF_ONE) in read_fault(answers[-1].body).message


async def test_a_process_that_only_reads_takes_no_change(node: Node) -> None:
    node.create("qz01", machine("m1"))
    async with served(node, None) as here:
        refused = await asked(here, Op.DELETE, write_handle(HANDLE))
        assert refused.rc == Rc.READ_ONLY
        public = await asked(here, Op.RESOLVE, write_question(Question(HANDLE)))
        assert [one.index for one in read_held(public.body).values] == [1000, 2000]
