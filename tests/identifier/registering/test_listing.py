"""Every registry that lists identifiers does so alike; what is cut off is never taken for all."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, closing
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse

from gateway.identifier.irp.bodies import Fault, write_challenge, write_fault, write_list
from gateway.identifier.irp.codes import Flag, Op, Rc
from gateway.identifier.irp.message import Message, decode, encode, request_digest
from gateway.identifier.native.administering import Administrator
from gateway.identifier.node.http import snms_face
from gateway.identifier.node.keeping import records
from gateway.identifier.node.keeping.opening import open_database
from gateway.identifier.node.registration import Registration
from gateway.identifier.registering import handle_json
from gateway.identifier.registering.native import listing
from gateway.identifier.registering.native.listing import Listings
from gateway.identifier.registering.registry import Listing, Outcome, Registry
from tests.identifier.irp.servers import sending
from tests.identifier.node.natively import KEY
from tests.identifier.registering.places import (
    PLACES,
    PREFIX,
    TIMEOUT_S,
    VERSION,
    Dialect,
    answered,
    native,
)
from tests.support.node import NOW_MS

DIALECTS = {**PLACES, "native": native}
LISTS = ("snms", "handle-json of the node", "native")
MANY = [f"{PREFIX}/451.{number:06d}" for number in range(2_500)]


@pytest.fixture(params=LISTS)
async def lister(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Dialect]:
    """A node with many identifiers, of each dialect that lists."""
    async with DIALECTS[request.param](tmp_path) as place:
        with closing(open_database("sqlite:///node.db", tmp_path, {})) as database:
            made = [Registration(one, VERSION, ()) for one in MANY]
            database.run_now(records.add, made, "qz01", NOW_MS)
        yield place


@asynccontextmanager
async def opened(place: Dialect) -> AsyncIterator[Registry]:
    registry = place.registry(TIMEOUT_S)
    try:
        yield registry
    finally:
        await registry.close()


async def pages_of(registry: Registry) -> list[tuple[str, ...]]:
    pages, further = list[tuple[str, ...]](), ""
    while True:
        page = await registry.listed(PREFIX, further)
        assert page.outcome is Outcome.OK, page
        pages, further = [*pages, page.handles], page.further
        if not further:
            return pages


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_who_lists_is_tested_here_and_who_does_not_says_so(
    dialect: str, tmp_path: Path
) -> None:
    async with DIALECTS[dialect](tmp_path) as place, opened(place) as registry:
        assert registry.abilities.can_list == (dialect in LISTS)
        if dialect not in LISTS:
            assert (await registry.listed(PREFIX)).outcome is Outcome.INVALID


async def test_of_many_all_are_listed_by_pages(lister: Dialect) -> None:
    async with opened(lister) as registry:
        pages = await pages_of(registry)
    listed = [one for page in pages for one in page if "/451." in one]
    assert listed == MANY
    assert len(pages) > 2


@pytest.mark.parametrize("dialect", LISTS)
async def test_who_may_not_is_refused(dialect: str, tmp_path: Path) -> None:
    foreign = "88.998.1" if dialect == "snms" else "88.999.QZ02"  # the first has all of 88.999
    async with DIALECTS[dialect](tmp_path) as place, opened(place) as registry:
        refused = await registry.listed(foreign)
    assert (refused.outcome, refused.handles) == (Outcome.DENIED, ())
    assert refused.message


async def test_a_page_that_is_asked_for_again_is_the_same(lister: Dialect) -> None:
    async with opened(lister) as registry, opened(lister) as other:
        first = await registry.listed(PREFIX)
        second = await registry.listed(PREFIX, first.further)
        assert await other.listed(PREFIX, first.further) == second


@pytest.mark.parametrize("dialect", [one for one in LISTS if one in PLACES])
async def test_a_page_that_does_not_come_is_not_the_last_one(
    dialect: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snms_face, "_PAGE", 2)
    monkeypatch.setattr(handle_json, "_PAGE", 2)
    async with PLACES[dialect](tmp_path) as place, opened(place) as registry:
        with closing(open_database("sqlite:///node.db", tmp_path, {})) as database:
            made = [Registration(one, VERSION, ()) for one in MANY[:5]]
            database.run_now(records.add, made, "qz01", NOW_MS)
        first = await registry.listed(PREFIX)
        assert first.further
        place.faults.act = answered(PlainTextResponse("", 504))
        broken = await registry.listed(PREFIX, first.further)
        assert broken.outcome in (Outcome.UNKNOWN, Outcome.BUSY)


Parts = Callable[[Message], list[Message]]


def part(*suffixes: str, is_last: bool = False, **changes: object) -> Message:
    """One answer of a listing."""
    body = write_list(tuple(f"{PREFIX}/{one}" for one in suffixes))
    flags = int(Flag.RETURN_DIGEST) | (0 if is_last else int(Flag.CONTINUOUS))
    return replace_message(Message(Op.LIST_HANDLES, 0, body, int(Rc.OK), flags), **changes)


def replace_message(message: Message, **changes: object) -> Message:
    fields = {name: getattr(message, name) for name in message.__struct_fields__}
    return Message(**(fields | changes))


def refusal(rc: Rc) -> Message:
    return Message(Op.LIST_HANDLES, 0, write_fault(Fault("no")), int(rc), int(Flag.RETURN_DIGEST))


@asynccontextmanager
async def telling(*parts: Message, is_proved: bool = True) -> AsyncIterator[Listings]:
    """A server that answers a listing so, and closes; what lists is asked there."""

    async def send(writer: asyncio.StreamWriter, data: bytes) -> None:
        asked = decode(data)
        digest = request_digest(data)
        if asked.op == Op.LIST_HANDLES and is_proved:
            nonce = write_challenge(bytes(range(16)))
            challenge = Message(asked.op, asked.request_id, nonce, Rc.CHALLENGE, 0x0080_0000)
            writer.write(encode(replace_message(challenge, session_id=7, digest=digest)))
        else:
            for one in parts:
                number = one.request_id or asked.request_id
                own = digest if one.digest == b"" else one.digest
                writer.write(encode(replace_message(one, request_id=number, digest=own)))
        await writer.drain()
        writer.close()

    async with sending(send) as port:
        yield Listings(Administrator(("127.0.0.1", port), KEY, TIMEOUT_S))


async def asked_of(*parts: Message, is_proved: bool = True) -> Listing:
    async with telling(*parts, is_proved=is_proved) as listings:
        return await listings.page(PREFIX, "")


@pytest.mark.parametrize("is_proved", [True, False])
async def test_answers_that_follow_each_other_are_one_listing(is_proved: bool) -> None:
    told = await asked_of(part("b"), part("A", "c"), part(is_last=True), is_proved=is_proved)
    assert told == Listing(Outcome.OK, tuple(f"{PREFIX}/{one}" for one in "Abc"))


OTHER = write_list(("88.999.QZ02/1",))
CUT = {
    "ended": [part("a")],
    "ended before any": [],
    "refused on the way": [part("a"), refusal(Rc.UNSUPPORTED)],
    "busy on the way": [part("a"), refusal(Rc.ERROR)],
    "a part without any": [part("a"), part(), part("b", is_last=True)],
    "of another prefix": [part("a"), part(body=OTHER), part("b", is_last=True)],
    "no list": [part("a"), part(body=b"\0\0\0\1"), part("b", is_last=True)],
    "another number": [part("a"), part("b", is_last=True, request_id=3)],
    "another digest": [part("a"), part("b", is_last=True, digest=b"\3" + bytes(32))],
    "more behind the last": [part("a", is_last=True), part("b", is_last=True)],
    "a second challenge": [part("a"), part(rc=int(Rc.CHALLENGE), body=write_challenge(bytes(16)))],
}


@pytest.mark.parametrize("way", CUT)
async def test_what_is_cut_off_is_not_taken_for_all(way: str) -> None:
    told = await asked_of(*CUT[way])
    assert (told.outcome, told.handles) == (Outcome.UNKNOWN, ()), told
    assert PREFIX in told.message


@pytest.mark.parametrize(("bound", "most"), [("MOST", 3), ("MOST_OCTETS", 75)])
async def test_a_server_that_tells_too_many_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    monkeypatch.setattr(listing, bound, most)
    told = await asked_of(part("a", "b"), part("c", "d", is_last=True))
    assert (told.outcome, told.handles) == (Outcome.UNKNOWN, ())


async def test_a_server_that_never_ends_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PATIENCE_S", 0.2)
    number = iter(range(10**9))

    async def send(writer: asyncio.StreamWriter, data: bytes) -> None:
        asked = decode(data)
        while not writer.is_closing():
            one = part(str(next(number)), request_id=asked.request_id, digest=request_digest(data))
            writer.write(encode(one))
            await writer.drain()

    async with sending(send) as port:
        told = await Listings(Administrator(("127.0.0.1", port), KEY, TIMEOUT_S)).page(PREFIX, "")
    assert told.outcome is Outcome.UNKNOWN
    assert "longer" in told.message


@pytest.mark.parametrize(
    ("rc", "outcome"),
    [
        (Rc.UNSUPPORTED, Outcome.INVALID),  # it does not list at all
        (Rc.NOT_PERMITTED, Outcome.DENIED),
        (Rc.INVALID_ADMIN, Outcome.DENIED),
        (Rc.NOT_RESPONSIBLE, Outcome.DENIED),
        (Rc.AUTHENTICATION_FAILED, Outcome.LOGIN),
        (Rc.BUSY, Outcome.BUSY),
        (Rc.ERROR, Outcome.UNKNOWN),
    ],
)
async def test_a_refused_listing_has_its_outcome(rc: Rc, outcome: Outcome) -> None:
    told = await asked_of(refusal(rc))
    assert (told.outcome, told.handles) == (outcome, ())
    assert "no" in told.message


async def test_a_server_that_is_not_there_is_not_reached() -> None:
    async with sending(lambda *_: asyncio.sleep(0)) as port:
        pass
    told = await Listings(Administrator(("127.0.0.1", port), KEY, TIMEOUT_S)).page(PREFIX, "")
    assert told.outcome is Outcome.UNREACHABLE


async def test_who_stops_asking_lets_go_of_the_connection() -> None:
    async with sending(_endless) as port:
        server = Administrator(("127.0.0.1", port), KEY, TIMEOUT_S, window=1)
        for _ in range(3):  # with one place, each has to give it back
            async with aclosing(server.ask_on(Op.LIST_HANDLES, b"")) as answers:
                assert (await anext(answers)).is_continued


async def _endless(writer: asyncio.StreamWriter, data: bytes) -> None:
    request = decode(data)
    for number in range(100):
        one = part(str(number), request_id=request.request_id, digest=request_digest(data))
        writer.write(encode(one))
    await writer.drain()
