"""Identifiers are registered natively, over real sockets, at a server that wants proofs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from gateway.identifier.irp.bodies import write_challenge, write_handle
from gateway.identifier.irp.codes import Op, Rc
from gateway.identifier.irp.data import USUAL_RIGHTS, Admin, read_admin
from gateway.identifier.irp.message import Message, decode, encode, request_digest
from gateway.identifier.native.administering import Administrator
from gateway.identifier.native.keys import (
    Key,
    KeyFileError,
    PrivateKey,
    SecretKey,
    key_name,
    read_private_key,
)
from gateway.identifier.record import Record, Value
from gateway.identifier.registering.native.registry import Habits, NativeRegistry
from gateway.identifier.registering.registry import Outcome
from tests.identifier.irp.servers import answering
from tests.identifier.registering.handle_server import KEY, SECRET, HandleServer, Lie
from tests.support.peers import free_port

NAME = key_name(KEY)
SECRET_KEY = SecretKey(NAME, SECRET)
HABITS = Habits(NAME, Admin(int(USUAL_RIGHTS), NAME.handle, NAME.index))
RECORD = Record(
    "88.999.QZ01/451.000001",
    "qulink-equipment-1",
    (Value(2000, "equipName", "1#注塑机"), Value(2003, "serialNo", "S-1")),
)
TIMEOUT_S = 20.0


@asynccontextmanager
async def registering(
    server: HandleServer,
    key: Key = SECRET_KEY,
    habits: Habits = HABITS,
    timeout_s: float = TIMEOUT_S,
) -> AsyncIterator[NativeRegistry]:
    async with answering(server.answer) as port:
        place = ("127.0.0.1", port)
        registry = NativeRegistry("native", Administrator(place, key, timeout_s), habits)
        try:
            yield registry
        finally:
            await registry.close()


def numbered(count: int) -> list[Record]:
    return [replace(RECORD, handle=f"88.999.QZ01/451.{number:06d}") for number in range(count)]


@pytest.mark.parametrize("overwrites", [False, True])
async def test_an_identifier_is_registered_read_changed_and_withdrawn(overwrites: bool) -> None:
    server = HandleServer(overwrites=overwrites)
    changed = replace(RECORD, values=(Value(2000, "equipName", "磨床"), Value(2006, "assetNo", "")))
    async with registering(server) as registry:
        assert (await registry.login()).outcome is Outcome.OK
        assert (await registry.read(RECORD.handle)).outcome is Outcome.NOT_FOUND
        assert [one.outcome for one in await registry.create([RECORD])] == [Outcome.OK]
        held = (await registry.read(RECORD.handle)).record
        assert held is not None
        assert held.agrees_with(RECORD)
        admin = read_admin(server.held[RECORD.handle][100].data)
        assert (admin.handle, admin.index, f"{admin.rights:012b}") == (
            NAME.handle,
            300,
            "011111110011",
        )
        assert [one.outcome for one in await registry.update([changed])] == [Outcome.OK]
        assert sorted(server.held[RECORD.handle]) == [100, 1000, 2000, 2006]
        assert [one.outcome for one in await registry.withdraw([changed], "误录")] == [Outcome.OK]
        assert sorted(server.held[RECORD.handle]) == [100, 1000, 1002]
        withdrawn = await registry.read(RECORD.handle)
        assert (withdrawn.message, withdrawn.record and withdrawn.record.values) == ("误录", ())
        again = [await registry.create([RECORD]), await registry.update([RECORD])]
        assert [one[0].outcome for one in again] == [Outcome.EXISTS, Outcome.INVALID]
        assert "误录" in again[1][0].message
        assert [one.outcome for one in await registry.withdraw([changed], "误录")] == [Outcome.OK]


async def test_a_change_that_is_none_asks_for_none() -> None:
    server = HandleServer()
    async with registering(server) as registry:
        await registry.create([RECORD])
        server.asked.clear()
        assert [one.outcome for one in await registry.update([RECORD])] == [Outcome.OK]
    assert server.asked == [Op.RESOLVE, Op.CHALLENGE_ANSWER]


async def test_withdrawing_may_delete() -> None:
    server = HandleServer()
    async with registering(server, habits=replace(HABITS, deletes=True)) as registry:
        await registry.create([RECORD])
        assert [one.outcome for one in await registry.withdraw([RECORD], "误录")] == [Outcome.OK]
        gone = await registry.withdraw([RECORD], "误录")
    assert (server.held, gone[0].outcome) == ({}, Outcome.NOT_FOUND)


async def test_a_record_that_is_there_stays_as_it_is() -> None:
    server = HandleServer()
    other = replace(
        RECORD, handle=RECORD.handle.lower(), values=(Value(2000, "equipName", "他人"),)
    )
    deleting = replace(HABITS, deletes=True)
    async with registering(server, habits=deleting) as registry:
        await registry.create([other])
        before = dict(server.held[other.handle])
        ours = replace(RECORD, handle="88.999.qz01/451.000001")
        spelt = replace(RECORD, handle="88.999.QZ01/451.000001")
        assert [one.outcome for one in await registry.create([ours, spelt])] == [Outcome.EXISTS] * 2
    assert server.held == {other.handle: before}


async def test_what_differs_in_case_is_no_ours() -> None:
    server = HandleServer()
    theirs = replace(RECORD, handle="88.999.QZ01/abc")
    ours = replace(RECORD, handle="88.999.QZ01/ABC", values=())
    async with registering(server, habits=replace(HABITS, deletes=True)) as registry:
        await registry.create([theirs])
        before = dict(server.held[theirs.handle])
        results = await registry.update([ours]) + await registry.withdraw([ours], "误录")
    assert [one.outcome for one in results] == [Outcome.INVALID] * 2
    assert server.held == {theirs.handle: before}


async def test_items_may_be_hidden() -> None:
    server = HandleServer()
    async with registering(server, habits=replace(HABITS, is_public=False)) as registry:
        await registry.create([RECORD])
    public = [index for index, one in server.held[RECORD.handle].items() if one.is_public]
    assert public == [100, 1000]


@pytest.mark.parametrize(("version", "form"), [((2, 11), 0x22), ((2, 6), 0x02)])
async def test_a_secret_is_proved_as_the_server_knows_it(
    version: tuple[int, int], form: int
) -> None:
    server = HandleServer(version=version)
    async with registering(server) as registry:
        assert [one.outcome for one in await registry.create([RECORD])] == [Outcome.OK]
    assert [answer[0] for answer in server.proofs] == [form]


@pytest.mark.parametrize(("version", "name"), [((2, 11), b"SHA-256"), ((2, 6), b"SHA1")])
async def test_a_private_key_is_proved(version: tuple[int, int], name: bytes) -> None:
    made = generate_private_key(65_537, 2048)
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open"))
    key = PrivateKey(NAME, read_private_key(pem, b"open"))
    server = HandleServer(made.public_key(), version)
    async with registering(server, key) as registry:
        assert [one.outcome for one in await registry.create([RECORD])] == [Outcome.OK]
    assert name in server.proofs[0]
    for password in (None, b"shut"):
        with pytest.raises(KeyFileError):
            read_private_key(pem, password)
    assert "open" not in repr(key)
    assert SECRET.decode() not in repr(SECRET_KEY)


async def test_many_go_at_a_time_each_with_its_result() -> None:
    server = HandleServer()
    records = numbered(40)
    async with registering(server) as registry:
        await registry.create(records[3:5])
        results = await registry.create(records)
    assert [one.handle for one in results] == [one.handle for one in records]
    assert [at for at, one in enumerate(results) if one.outcome is Outcome.EXISTS] == [3, 4]
    assert {one.outcome for one in results} == {Outcome.OK, Outcome.EXISTS}
    assert len(server.held) == 40


@pytest.mark.parametrize(
    ("rc", "outcome"),
    [
        (Rc.ERROR, Outcome.UNKNOWN),
        (Rc.BUSY, Outcome.BUSY),
        (Rc.READ_ONLY, Outcome.DENIED),
        (Rc.HANDLE_EXISTS, Outcome.EXISTS),
        (Rc.HANDLE_NOT_FOUND, Outcome.NOT_FOUND),
        (Rc.INVALID_HANDLE, Outcome.INVALID),
        (Rc.INVALID_VALUE, Outcome.INVALID),
        (Rc.VALUE_EXISTS, Outcome.UNKNOWN),
        (Rc.NOT_RESPONSIBLE, Outcome.DENIED),
        (Rc.INVALID_ADMIN, Outcome.DENIED),
        (Rc.NOT_PERMITTED, Outcome.DENIED),
        (Rc.AUTHENTICATION_FAILED, Outcome.LOGIN),
        (Rc.INVALID_CREDENTIAL, Outcome.LOGIN),
        (Rc.AUTHENTICATION_TIMEOUT, Outcome.BUSY),
        (Rc.SESSION_TIMEOUT, Outcome.BUSY),
        (Rc.DAILY_LIMIT, Outcome.QUOTA),
        (Rc.REGISTRATION_LIMIT, Outcome.DENIED),
        (Rc.PREFIX_LIMIT, Outcome.DENIED),
    ],
)
async def test_each_code_has_its_outcome(rc: Rc, outcome: Outcome) -> None:
    async with registering(HandleServer(rc=rc)) as registry:
        (result,) = await registry.create([RECORD])
    assert result.outcome is outcome
    assert "by order" in result.message
    assert f"({int(rc)})" in result.message


async def test_what_stops_one_stops_the_others() -> None:
    server = HandleServer(rc=Rc.DAILY_LIMIT)
    async with registering(server) as registry:
        results = await registry.create(numbered(100))
    assert {one.outcome for one in results} == {Outcome.QUOTA}
    assert len(server.asked) <= HABITS.window


async def test_a_wrong_secret_is_a_refused_login() -> None:
    key = SecretKey(NAME, b"another")
    async with registering(HandleServer(), key) as registry:
        assert (await registry.login()).outcome is Outcome.LOGIN
        assert [one.outcome for one in await registry.create([RECORD])] == [Outcome.LOGIN]


async def test_a_server_that_is_not_there_is_not_reached() -> None:
    place = ("127.0.0.1", free_port())
    registry = NativeRegistry("native", Administrator(place, SECRET_KEY, TIMEOUT_S), HABITS)
    results = await registry.create(numbered(3))
    assert {one.outcome for one in results} == {Outcome.UNREACHABLE}
    assert (await registry.read(RECORD.handle)).outcome is Outcome.UNREACHABLE


async def test_an_answer_that_is_lost_after_the_work_leaves_the_outcome_unknown() -> None:
    server = HandleServer(lie=silent_once_proved)
    async with registering(server, timeout_s=5.0) as registry:
        results = await registry.create(numbered(100))
        server.lie = honest
        done = [one for one in results if one.outcome is Outcome.UNKNOWN]
        assert {one.handle for one in done} == set(server.held)
        rest = {one.outcome for one in results if one not in done}
        assert rest == {Outcome.UNREACHABLE}
        for one in done:
            assert (await registry.read(one.handle)).outcome is Outcome.OK


def honest(_request: bytes, answer: Message) -> Message:
    return answer


def silent_once_proved(request: bytes, answer: Message) -> Message | None:
    return None if decode(request).op == Op.CHALLENGE_ANSWER else answer


def challenging(request: bytes, answer: Message, **changes: object) -> Message:
    """Another challenge than the right one."""
    return msgspec.structs.replace(answer, **changes) if answer.rc == Rc.CHALLENGE else answer


def to_another_request(request: bytes, answer: Message) -> Message:
    """As who stands between has it from the server, for a request of his own."""
    other = encode(Message(Op.DELETE, decode(request).request_id, write_handle(RECORD.handle)))
    return challenging(request, answer, digest=request_digest(other))


LIES: dict[str, Lie] = {
    "to another request": to_another_request,
    "to no request": lambda request, answer: challenging(request, answer, digest=b"", flags=0),
    "used before": lambda request, answer: challenging(
        request, answer, body=write_challenge(bytes(16))
    ),
    "too short": lambda request, answer: challenging(request, answer, body=write_challenge(b"1")),
    "is none": lambda request, answer: challenging(request, answer, body=b""),
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_challenge_that_lies_is_not_answered(lie: str) -> None:
    server = HandleServer()
    async with registering(server) as registry:
        await registry.create([RECORD])
        server.lie = LIES[lie]
        results = [*await registry.create(numbered(1)), *await registry.create(numbered(1))]
    assert {one.outcome for one in results} == {Outcome.LOGIN}
    assert len(server.proofs) == 1 + (lie == "used before")  # which is new once


async def test_an_answer_to_another_request_is_not_believed() -> None:
    def lie(request: bytes, answer: Message) -> Message:
        other = request_digest(encode(Message(Op.DELETE, 1, b"")))
        return msgspec.structs.replace(answer, digest=other) if answer.rc == Rc.OK else answer

    server = HandleServer(lie=lie)
    async with registering(server) as registry:
        assert [one.outcome for one in await registry.create([RECORD])] == [Outcome.UNKNOWN]
        assert (await registry.read(RECORD.handle)).outcome is Outcome.UNKNOWN


async def test_a_second_challenge_leaves_the_outcome_unknown() -> None:
    def lie(request: bytes, answer: Message) -> Message:
        body = write_challenge(bytes(range(16)))
        return msgspec.structs.replace(answer, rc=Rc.CHALLENGE, body=body)

    async with registering(HandleServer(lie=lie)) as registry:
        assert [one.outcome for one in await registry.create([RECORD])] == [Outcome.UNKNOWN]


async def test_half_of_a_change_is_not_told_as_none() -> None:
    def lie(request: bytes, answer: Message) -> Message:
        is_removal = server.asked[-2:] == [Op.REMOVE_VALUE, Op.CHALLENGE_ANSWER]
        return msgspec.structs.replace(answer, rc=Rc.BUSY) if is_removal else answer

    server = HandleServer(lie=lie)
    changed = replace(RECORD, values=(Value(2000, "equipName", "磨床"),))
    async with registering(server) as registry:
        await registry.create([RECORD])
        (result,) = await registry.update([changed])
    assert result.outcome is Outcome.UNKNOWN
    assert "half" in result.message
