"""A top level, a secondary node and an enterprise's: three nodes, and the walk through them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

import pytest
from sqlalchemy import Connection

from edge_config.models.identifiers.node import NodeConfig
from gateway.identifier.irp.bodies import (
    Question,
    read_held,
    read_referral,
    write_handle,
    write_question,
)
from gateway.identifier.irp.codes import Flag, Op, Rc
from gateway.identifier.irp.data import read_site
from gateway.identifier.irp.message import Message, decode, encode
from gateway.identifier.irp.values import Value
from gateway.identifier.native.peers import TcpPeer
from gateway.identifier.native.walking.walk import Manner, Walker
from gateway.identifier.native.walking.way import WalkError
from gateway.identifier.node import program
from gateway.identifier.node.keeping import records
from gateway.identifier.node.keeping.opening import open_database
from gateway.identifier.node.keeping.prefixes import State
from gateway.identifier.node.keeping.users import Role
from gateway.identifier.node.native.referring import site_of
from gateway.identifier.node.registration import Registration
from gateway.identifier.node.rights import allotting
from gateway.identifier.node.rights.principal import Principal, Terms, Visit
from gateway.identifier.registering.registry import Outcome, Result
from tests.identifier.irp.servers import site_at
from tests.identifier.resolving.test_command import typed
from tests.support.peers import free_port, wait_for_port
from tests.support.waiting import until

NOW_MS = 1_795_000_000_000
DELEGATED, HOSTED = "88.999.001", "88.999.002"
Prepare = Callable[[Connection], None]


@asynccontextmanager
async def node(folder: Path, prefix: str, port: int, prepare: Prepare) -> AsyncIterator[None]:
    """A node by its program, on loopback."""
    config = NodeConfig(
        prefix=prefix,
        data_dir=folder / prefix,
        listen=f"127.0.0.1:{free_port()}",
        native_listen=f"127.0.0.1:{port}",
    )
    task = asyncio.create_task(program.run(config, lambda: time.time_ns() // 1_000_000, prepare))
    try:
        await asyncio.to_thread(wait_for_port, port)
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def allotted(own: str, prefix: str, at: int | None) -> Prepare:
    """A prefix is allotted at a node, and delegated to another one, if there is a port."""

    def prepare(connection: Connection) -> None:
        visit = Visit(Principal("root", Role.ADMINISTRATOR), Terms(own), NOW_MS)
        done: list[Result] = [
            allotting.apply(connection, visit, prefix, "企业"),
            allotting.decide(connection, visit, prefix, State.ALLOTTED),
        ]
        if at is not None:
            site = site_of(prefix, ("127.0.0.1", at), ("127.0.0.1", at))
            done.append(allotting.delegate(connection, visit, prefix, site))
        assert {one.outcome for one in done} == {Outcome.OK}, done

    return prepare


def holding(handle: str, name: str) -> Prepare:
    """A node holds a machine, also one that a former enterprise of its own has taken along."""
    value = Value(2000, "equipName", name.encode(), NOW_MS // 1000)
    registration = Registration(handle, "", (value,))

    def prepare(connection: Connection) -> None:
        records.add(connection, [registration], "", NOW_MS)

    return prepare


def together(*prepares: Prepare) -> Prepare:
    def prepare(connection: Connection) -> None:
        for one in prepares:
            one(connection)

    return prepare


@pytest.fixture
async def ports(tmp_path: Path) -> AsyncIterator[tuple[int, int, int]]:
    """Native ports of the three, from the top."""
    top, secondary, enterprise = free_port(), free_port(), free_port()
    async with AsyncExitStack() as stack:
        for prefix, port, prepare in (
            ("88", top, allotted("88", "88.999", secondary)),
            (
                "88.999",
                secondary,
                together(
                    allotted("88.999", DELEGATED, enterprise),
                    allotted("88.999", HOSTED, None),
                    holding(f"{HOSTED}/m2", "磨床"),
                    holding(f"{DELEGATED}/m1", "stale: before it was delegated"),
                ),
            ),
            (DELEGATED, enterprise, holding(f"{DELEGATED}/m1", "注塑机")),
        ):
            await stack.enter_async_context(node(tmp_path, prefix, port, prepare))
        yield top, secondary, enterprise


async def asked(port: int, op: Op, body: bytes, flags: int = 0) -> Message:
    peer = TcpPeer("127.0.0.1", port, 30.0)
    try:
        return decode(await peer.ask(encode(Message(op, 7, body, flags=flags | 0x0300_0000))))
    finally:
        peer.close()


async def site_told(port: int, handle: str) -> int:
    """At which port a node says that a prefix is answered for."""
    question = Question(handle, (), ("HS_SITE",))
    answer = await asked(port, Op.RESOLVE, write_question(question))
    assert answer.rc == Rc.OK, (handle, answer)
    held = read_held(answer.body)
    assert held.handle == handle
    return read_site(held.values[0].data).servers[0].interfaces[0].port


async def test_a_walk_through_three_levels(ports: tuple[int, int, int]) -> None:
    top, secondary, enterprise = ports
    places = [f"127.0.0.1:{port} tcp" for port in ports]

    delegated = await typed(f"{DELEGATED}/m1", "--at", f"127.0.0.1:{top}", "--trace")
    assert delegated.exit_code == 0, delegated.output
    assert "注塑机" in delegated.stdout
    at = [delegated.stdout.index(place) for place in places]
    assert at == sorted(at)

    hosted = await typed(f"{HOSTED}/M2", "--at", f"127.0.0.1:{top}", "--trace")
    assert hosted.exit_code == 0, hosted.output
    assert "磨床" in hosted.stdout
    assert [place in hosted.stdout for place in places] == [True, True, False]

    absent = await typed(f"{DELEGATED}/m9", "--at", f"127.0.0.1:{top}")
    assert (absent.exit_code, "not found" in absent.stderr) == (1, True)

    # Whoever asks for prefixes is told where each is answered for, by either spelling.
    for spelling in ("{}", "0.NA/{}"):
        assert await site_told(top, spelling.format("88.999")) == secondary
        assert await site_told(secondary, spelling.format(DELEGATED)) == enterprise
        assert await site_told(secondary, spelling.format(HOSTED)) == secondary
        assert await site_told(enterprise, spelling.format(DELEGATED)) == enterprise
        below = write_question(Question(spelling.format(DELEGATED), (), ("HS_SITE",)))
        referred = await asked(top, Op.RESOLVE, below)
        assert referred.rc == Rc.PREFIX_REFERRAL
        (value,) = read_referral(referred.body).values
        assert read_site(value.data).servers[0].interfaces[0].port == secondary
        nobody = write_question(Question(spelling.format("88.999.9")))
        assert (await asked(secondary, Op.RESOLVE, nobody)).rc == Rc.HANDLE_NOT_FOUND
        foreign = write_question(Question(spelling.format("10.1")))
        assert (await asked(secondary, Op.RESOLVE, foreign)).rc == Rc.NOT_RESPONSIBLE

    # Nothing of a delegated prefix is told or taken by the node above.
    question = write_question(Question(f"{DELEGATED}/m1"))
    assert (await asked(secondary, Op.RESOLVE, question)).rc == Rc.SERVICE_REFERRAL
    kept = await asked(secondary, Op.RESOLVE, question, Flag.DO_NOT_REFER)
    assert kept.rc == Rc.NOT_RESPONSIBLE
    change = await asked(secondary, Op.DELETE, write_handle(f"{DELEGATED}/m1"))
    assert change.rc == Rc.SERVICE_REFERRAL
    told = await asked(secondary, Op.GET_SITE, write_handle("/"))
    assert read_site(told.body).is_primary


async def test_a_suspended_prefix_of_another_node_is_neither_absent_nor_referred(
    ports: tuple[int, int, int], tmp_path: Path
) -> None:
    top, secondary, _ = ports
    suspend(tmp_path, DELEGATED, HOSTED)
    question = write_question(Question(f"{DELEGATED}/m1"))

    async def is_known() -> bool:
        return (await asked(secondary, Op.RESOLVE, question)).rc == Rc.NOT_RESPONSIBLE

    await until(is_known)
    for asked_for in (f"{DELEGATED}/m9", f"{DELEGATED}.1/m", DELEGATED, f"0.NA/{DELEGATED}"):
        answer = await asked(secondary, Op.RESOLVE, write_question(Question(asked_for)))
        assert answer.rc == Rc.NOT_RESPONSIBLE, asked_for
    change = await asked(secondary, Op.DELETE, write_handle(f"{DELEGATED}/m1"))
    assert change.rc == Rc.NOT_RESPONSIBLE
    walker = Walker((site_at(top),), Manner(30.0))
    with closing(walker), pytest.raises(WalkError, match="suspended") as caught:
        await walker.resolve(Question(f"{DELEGATED}/m1"))
    assert (caught.value.rc, caught.value.is_certain) == (Rc.NOT_RESPONSIBLE, False)
    assert len(caught.value.hops) <= 4, "and nobody goes in circles"
    # What this node answers for itself resolves as before, its prefix too.
    assert (await asked(secondary, Op.RESOLVE, write_question(Question(f"{HOSTED}/m2")))).rc == 1
    assert await site_told(secondary, HOSTED) == secondary


def suspend(folder: Path, *prefixes: str) -> None:
    """Suspend prefixes of the secondary node while it runs."""
    visit = Visit(Principal("root", Role.ADMINISTRATOR), Terms("88.999"), NOW_MS)
    with closing(open_database("sqlite:///node.db", folder / "88.999", {})) as database:
        for one in prefixes:
            done = database.run_now(allotting.decide, visit, one, State.SUSPENDED, "fees")
            assert done.outcome is Outcome.OK
