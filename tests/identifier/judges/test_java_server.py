"""Our client at the server of the protocol's authors (org.dspace:handle 9.2.0)."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from gateway.identifier.irp.bodies import Question, write_handle
from gateway.identifier.irp.codes import Flag, Op, Rc
from gateway.identifier.irp.data import TCP, UDP, Admin, Right, Site, read_site
from gateway.identifier.irp.message import Message, decode, encode
from gateway.identifier.irp.values import Reference
from gateway.identifier.native.administering import Administrator
from gateway.identifier.native.keys import Key, PrivateKey, SecretKey
from gateway.identifier.native.peers import TcpPeer
from gateway.identifier.native.walking.walk import Manner, Walker
from gateway.identifier.native.walking.way import WalkError
from gateway.identifier.record import Record, Value
from gateway.identifier.registering.native.registry import Habits, NativeRegistry
from gateway.identifier.registering.registry import Outcome
from tests.identifier.irp.servers import site_at
from tests.support.handle_server import PUBLIC_KEY, SECRET_KEY, HandleServer, handle_server

PREFIX = "88.999.QZ01"
KEY = generate_private_key(65537, 2048)
SECRET = "geheim-秘密"
TIMEOUT_S = 30.0
ALL_RIGHTS = sum(Right)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandleServer]:
    with handle_server(tmp_path_factory.mktemp("handles"), PREFIX, KEY, SECRET) as running:
        yield running


def key_of(kind: str, admin: str, secret: str = SECRET) -> Key:
    if kind == "HS_SECKEY":
        return SecretKey(Reference(admin, SECRET_KEY), secret.encode())
    return PrivateKey(Reference(admin, PUBLIC_KEY), KEY)


def registry_at(server: HandleServer, key: Key, *, deletes: bool = False) -> NativeRegistry:
    habits = Habits(
        key.name, Admin(ALL_RIGHTS, key.name.handle, key.name.index), deletes=deletes, lists=True
    )
    place = Administrator(("127.0.0.1", server.port), key, TIMEOUT_S)
    return NativeRegistry("judge", place, habits)


@pytest.fixture(params=["HS_SECKEY", "HS_PUBKEY"])
async def registry(
    server: HandleServer, request: pytest.FixtureRequest
) -> AsyncIterator[NativeRegistry]:
    made = registry_at(server, key_of(request.param, server.admin))
    yield made
    await made.close()


def record(suffix: str, name: str = "磨床") -> Record:
    return Record(
        f"{PREFIX}/{suffix}", "1", (Value(2000, "equipName", name), Value(2003, "serialNo", "S-1"))
    )


async def test_it_takes_our_proofs(
    registry: NativeRegistry, request: pytest.FixtureRequest
) -> None:
    suffix = request.node.name
    made, changed = record(suffix), record(suffix, "外圆磨床")
    assert (await registry.login()).outcome is Outcome.OK
    assert [one.outcome for one in await registry.create([made])] == [Outcome.OK]
    assert [one.outcome for one in await registry.create([made])] == [Outcome.EXISTS]
    assert (await registry.read(made.handle)).record == made
    assert [one.outcome for one in await registry.update([changed])] == [Outcome.OK]
    assert (await registry.read(made.handle)).record == changed
    absent = record(f"{suffix}-none")
    assert [one.outcome for one in await registry.update([absent])] == [Outcome.NOT_FOUND]
    assert [one.outcome for one in await registry.withdraw([made], "误录")] == [Outcome.OK]
    reading = await registry.read(made.handle)
    assert (reading.message, reading.record) == ("误录", Record(made.handle, "1", ()))
    assert [one.outcome for one in await registry.create([made])] == [Outcome.EXISTS]


async def test_many_at_a_time(registry: NativeRegistry, request: pytest.FixtureRequest) -> None:
    records = [record(f"{request.node.name}.{number}") for number in range(40)]
    assert {one.outcome for one in await registry.create(records)} == {Outcome.OK}
    assert {one.outcome for one in await registry.create(records)} == {Outcome.EXISTS}


async def test_it_refuses_a_wrong_secret_and_a_foreign_prefix(server: HandleServer) -> None:
    wrong = registry_at(server, key_of("HS_SECKEY", server.admin, "other"))
    right = registry_at(server, key_of("HS_SECKEY", server.admin))
    foreign = Record("88.111.X/1", "1", ())
    try:
        assert (await wrong.login()).outcome is Outcome.LOGIN
        assert [one.outcome for one in await wrong.create([record("w")])] == [Outcome.LOGIN]
        assert (await right.read(record("w").handle)).outcome is Outcome.NOT_FOUND
        refused = (await right.create([foreign]))[0]
        assert refused.outcome is not Outcome.OK
        assert refused.message
    finally:
        await wrong.close()
        await right.close()


async def test_what_is_deleted_is_gone(server: HandleServer) -> None:
    registry = registry_at(server, key_of("HS_PUBKEY", server.admin), deletes=True)
    made = record("gone")
    try:
        await registry.create([made])
        assert [one.outcome for one in await registry.withdraw([made], "误录")] == [Outcome.OK]
        assert (await registry.read(made.handle)).outcome is Outcome.NOT_FOUND
        assert [one.outcome for one in await registry.withdraw([made], "")] == [Outcome.NOT_FOUND]
    finally:
        await registry.close()


@pytest.mark.parametrize("protocol", [TCP, UDP], ids=["tcp", "udp"])
async def test_our_client_resolves_there(server: HandleServer, protocol: int) -> None:
    registry = registry_at(server, key_of("HS_SECKEY", server.admin))
    made = record(f"long.{protocol}", "磨床" * 400)  # takes several datagrams
    walker = Walker((site_at(server.port, protocol),), Manner(TIMEOUT_S))
    try:
        assert [one.outcome for one in await registry.create([made])] == [Outcome.OK]
        held = (await walker.resolve(Question(made.handle.lower()))).held
        some = (await walker.resolve(Question(made.handle, types=("serialNo",)))).held
        with pytest.raises(WalkError) as absent:
            await walker.resolve(Question(made.handle + "0"))
        with pytest.raises(WalkError) as foreign:
            await walker.resolve(Question("10.1000/1"))
    finally:
        walker.close()
        await registry.close()
    texts = {one.type: one.data.decode() for one in held.values if one.index >= 1000}
    assert texts == {"TEMPLATE_ID": "1", "equipName": "磨床" * 400, "serialNo": "S-1"}
    assert [one.data for one in some.values] == [b"S-1"]
    assert absent.value.is_certain
    assert not foreign.value.is_certain


async def test_many_questions_at_a_time(server: HandleServer) -> None:
    """It closes a connection after each answer, so none is for two questions."""
    walker = Walker((site_at(server.port, TCP),), Manner(TIMEOUT_S))
    try:
        found = await asyncio.gather(
            *(walker.resolve(Question(server.admin, types=("HS_PUBKEY",))) for _ in range(20))
        )
    finally:
        walker.close()
    assert [len(one.held.values) for one in found] == [1] * 20


async def asked(server: HandleServer, op: Op, body: bytes) -> Message:
    peer = TcpPeer("127.0.0.1", server.port, TIMEOUT_S)
    flags = int(Flag.RETURN_DIGEST | Flag.KEEP_ALIVE)
    try:
        return decode(await peer.ask(encode(Message(op, 11, body, flags=flags))))
    finally:
        peer.close()


async def test_it_describes_itself_as_we_wrote_it(server: HandleServer) -> None:
    """It started from an HS_SITE of ours."""
    answer = await asked(server, Op.GET_SITE, write_handle("/"))
    described: Site = read_site(answer.body)
    assert (answer.rc, described.servers) == (Rc.OK, server.site.servers)


async def test_what_it_lists_is_read(server: HandleServer) -> None:
    """It tells 50 identifiers in each message, in its own order and in capital letters."""
    registry = registry_at(server, key_of("HS_SECKEY", server.admin))
    made = [record(f"listed.{number}") for number in range(130)]
    try:
        await registry.create(made)
        told = await registry.listed(PREFIX)
        foreign = await registry.listed("88.111.X")
    finally:
        await registry.close()
    assert (told.outcome, told.further) == (Outcome.OK, "")
    assert {one.handle.upper() for one in made} <= {one.upper() for one in told.handles}
    assert (foreign.outcome, foreign.handles) == (Outcome.DENIED, ())
