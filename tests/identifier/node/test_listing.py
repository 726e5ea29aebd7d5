"""A node lists the identifiers of a prefix natively: in many messages, and no faster than read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from gateway.identifier.codes.handle import MAX_HANDLE
from gateway.identifier.irp.bodies import read_fault, read_list, write_handle, write_list
from gateway.identifier.irp.codes import Op, Rc
from gateway.identifier.irp.message import MAX_LENGTH, Message, decode, encode
from gateway.identifier.native.administering import Administrator
from gateway.identifier.native.peers import UdpPeer
from gateway.identifier.node.keeping import records
from gateway.identifier.node.keeping.counts import What
from gateway.identifier.node.keeping.opening import open_database
from gateway.identifier.node.native import administering
from gateway.identifier.node.native.changing import LISTED
from gateway.identifier.node.registration import Registration
from gateway.identifier.node.rights.principal import Visit
from tests.identifier.node.acting import NOW_MS, Node
from tests.identifier.node.natively import KEY, TIMEOUT_S, Served, served, with_key

MANY = [f"88.999.QZ01/451.{number:06d}" for number in range(2 * LISTED + 1)]
ALL = write_handle("0.NA/88.999.QZ01")


@asynccontextmanager
async def asked(tmp_path: Path) -> AsyncIterator[tuple[Served, Administrator]]:
    """A node with many identifiers of an enterprise, and who asks with its key."""
    with closing(open_database("sqlite:///node.db", tmp_path, {})) as database:
        node = Node(database)
        made = [Registration(one, "", ()) for one in MANY]
        database.run_now(records.add, made, "qz01", NOW_MS)
        async with served(node, with_key(node, tmp_path)) as here:
            yield here, Administrator(("127.0.0.1", here.port), KEY, TIMEOUT_S)


async def test_each_message_but_the_last_says_that_more_follow(tmp_path: Path) -> None:
    async with asked(tmp_path) as (here, admin):
        answers = [one async for one in admin.ask_on(Op.LIST_HANDLES, ALL)]
    assert [one.is_continued for one in answers] == [True, True, False]
    assert [one for answer in answers for one in read_list(answer.body)] == MANY
    assert all(answer.digest for answer in answers)
    assert here.tally.totals[What("native", "list_handles", "ok")] == 1


def test_a_page_is_found_without_sorting_all_of_its_prefix(tmp_path: Path) -> None:
    asked: list[tuple[str, Any]] = []

    def note(*given: Any) -> None:
        asked.append((given[2], given[3]))

    def explained(connection: Connection) -> str:
        for find in (records.handles, records.all_of):
            find(connection, "88.999.QZ01", 9, after=MANY[0])
        found = [connection.exec_driver_sql(f"explain query plan {q}", p) for q, p in asked[:]]
        return str([one.all() for one in found])

    with closing(open_database("sqlite:///node.db", tmp_path, {})) as database:
        event.listen(database.engine, "before_cursor_execute", note)
        plan = database.read_now(explained)
    assert plan.count("ix_record_prefix_key (prefix=? AND key>?)") == 2, plan
    assert "TEMP B-TREE" not in plan


def test_of_the_longest_identifiers_a_message_takes_as_many() -> None:
    body = write_list(("\U00010000" * MAX_HANDLE,) * LISTED)
    message = Message(Op.LIST_HANDLES, 1, body, int(Rc.OK), digest=bytes(33))
    assert len(encode(message)) <= MAX_LENGTH


async def test_what_cannot_be_read_to_its_end_ends_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def listed(connection: Connection, visit: Visit, one: Message, after: str) -> tuple[bytes, str]:
        if after:
            raise OperationalError("", {}, Exception("disk I/O error"))
        return right(connection, visit, one, after)

    right = administering.listed
    monkeypatch.setattr(administering, "listed", listed)
    async with asked(tmp_path) as (_, admin):
        answers = [one async for one in admin.ask_on(Op.LIST_HANDLES, ALL)]
    assert [(one.rc, one.is_continued) for one in answers] == [(Rc.OK, True), (Rc.ERROR, False)]


async def test_listing_is_refused_by_datagrams(tmp_path: Path) -> None:
    async with asked(tmp_path) as (here, _):
        peer = UdpPeer("127.0.0.1", here.port, TIMEOUT_S)
        answer = decode(await peer.ask(encode(Message(Op.LIST_HANDLES, 5, ALL))))
    assert answer.rc == Rc.UNSUPPORTED
    assert "TCP" in read_fault(answer.body).message


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A prefix that is not read to its end soon; how many messages of it were made."""
    made: list[int] = []
    body = write_list(("88.999.QZ01/" + "x" * 243,) * LISTED)

    def listed(_connection: Connection, _visit: Visit, _one: Message, _: str) -> tuple[bytes, str]:
        made.append(len(made))
        return body, "further" if len(made) < 2_000 else ""

    monkeypatch.setattr(administering, "listed", listed)
    return made


async def test_no_more_is_made_than_is_read(tmp_path: Path, endless: list[int]) -> None:
    """Of 130 MB, what the connection takes is made while nobody reads."""
    async with asked(tmp_path) as (_, admin):
        async with aclosing(admin.ask_on(Op.LIST_HANDLES, ALL)) as answers:
            assert (await anext(answers)).is_continued
            before = -1
            while before < len(endless):  # until no more is made while others are answered
                before = len(endless)
                for _ in range(20):
                    assert (await admin.ask(Op.DELETE, write_handle("88.999.QZ01/none"))).rc
            assert len(endless) < 1_000
        admin.close()


async def test_a_user_has_few_listings_at_a_time_and_who_leaves_ends_his(
    tmp_path: Path, endless: list[int]
) -> None:
    async with asked(tmp_path) as (_, admin), AsyncExitStack() as stack:
        for _ in range(administering._LISTINGS):
            listing = await stack.enter_async_context(aclosing(admin.ask_on(Op.LIST_HANDLES, ALL)))
            assert (await anext(listing)).is_continued
        assert await _first(admin) == Rc.BUSY
        await stack.aclose()
        async with asyncio.timeout(TIMEOUT_S):
            while await _first(admin) == Rc.BUSY:
                pass
        assert endless


async def _first(admin: Administrator) -> int:
    async with aclosing(admin.ask_on(Op.LIST_HANDLES, ALL)) as answers:
        return (await anext(answers)).rc


async def test_a_proof_of_a_listing_is_good_once(tmp_path: Path) -> None:
    """What was listed is not kept to be told again to who repeats the message."""
    async with asked(tmp_path) as (_, admin):
        sent: list[bytes] = []
        right = admin._answers

        def noted(message: bytes):  # type: ignore[no-untyped-def]
            sent.append(message)
            return right(message)

        admin._answers = noted  # type: ignore[method-assign]
        assert [one.rc async for one in admin.ask_on(Op.LIST_HANDLES, ALL)] == [Rc.OK] * 3
        again = [one.rc async for one in right(sent[-1])]
    assert again == [Rc.AUTHENTICATION_TIMEOUT]
