"""What every registry does, whatever it speaks: asked of a real server of each dialect."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse

from gateway.identifier.record import Record, Value
from gateway.identifier.registering.marking import is_marked
from gateway.identifier.registering.registry import Outcome, Reading, Registry, Result
from gateway.identifier.template import TEMPLATE_ITEMS, TYPES
from tests.identifier.registering import places
from tests.identifier.registering.places import (
    PLACES,
    PREFIX,
    VERSION,
    Act,
    Dialect,
    Place,
    answered,
    done_then,
    native,
)

TEXTS = {
    2000: "1#注塑机",
    2001: "HTF-120/II",
    2002: "海天",
    2003: "S 001 & 100%",
    2004: "91350100M000100Y43",
    2006: "A/01",
}


def record(number: int = 1, **texts: str) -> Record:
    """A machine's; ``texts`` by ``idType`` in the place of the usual ones, an empty one of none."""
    values = {TYPES[index]: text for index, text in TEXTS.items()} | texts
    held = [Value(index, kind, values[kind]) for index, kind in TYPES.items() if values.get(kind)]
    return Record(f"{PREFIX}/451.20261101.{number:06d}", VERSION, tuple(held))


FIRST = record()


@pytest.fixture(params=PLACES)
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    """A node that is asked by HTTP, with faults on the way there."""
    async with PLACES[request.param](tmp_path) as opened:
        yield opened


@pytest.fixture(params=[*PLACES, "native"])
async def any_place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Dialect]:
    """A node of any dialect."""
    where = native if request.param == "native" else PLACES[request.param]
    async with where(tmp_path) as opened:
        yield opened


@asynccontextmanager
async def opened(place: Dialect, timeout_s: float = places.TIMEOUT_S) -> AsyncIterator[Registry]:
    registry = place.registry(timeout_s)
    try:
        yield registry
    finally:
        await registry.close()


async def prepared(registry: Registry) -> None:
    assert_ok(await registry.ensure_template(PREFIX, VERSION, TEMPLATE_ITEMS))


def assert_ok(*results: Result) -> None:
    assert all(one.outcome is Outcome.OK for one in results), results


async def assert_absent(place: Dialect) -> None:
    async with opened(place) as registry:
        assert (await registry.read(FIRST.handle)).outcome is Outcome.NOT_FOUND


def outcomes(results: list[Result]) -> list[Outcome]:
    return [one.outcome for one in results]


async def test_an_identifier_lives(any_place: Dialect) -> None:
    async with opened(any_place) as registry:
        assert_ok(await registry.login())
        await prepared(registry)
        assert (await registry.read(FIRST.handle)).outcome is Outcome.NOT_FOUND
        assert_ok(*await registry.create([FIRST]))
        assert (await registry.read(FIRST.handle)).record == FIRST
        changed = record(equipName="2#注塑机", serialNo="S-2", assetNo="", dataUrl="http://a/?b=1")
        assert_ok(*await registry.update([changed]))
        assert (await registry.read(FIRST.handle)).record == changed


async def test_what_is_there_stays_as_it_is(any_place: Dialect) -> None:
    async with opened(any_place) as registry:
        await prepared(registry)
        other = record(assetNo="B/02", equipName="磨床")
        assert_ok(*await registry.create([other]))
        (result,) = await registry.create([FIRST])
        assert (result.handle, result.outcome) == (FIRST.handle, Outcome.EXISTS)
        assert (await registry.read(FIRST.handle)).record == other


async def test_what_is_not_there_is_not_made_by_a_change(any_place: Dialect) -> None:
    async with opened(any_place) as registry:
        await prepared(registry)
        assert outcomes(await registry.update([FIRST])) == [Outcome.NOT_FOUND]
        assert outcomes(await registry.withdraw([FIRST], "误录")) == [Outcome.NOT_FOUND]
        assert (await registry.read(FIRST.handle)).outcome is Outcome.NOT_FOUND


NO_LISTING = {
    "404": PlainTextResponse("", 404),
    "405": PlainTextResponse("", 405),
    "501": PlainTextResponse("", 501),
    "page for people": PlainTextResponse("<html>", 200),
    "no page": JSONResponse({"status": 1, "responseCode": 1, "data": {}}),
}


@pytest.mark.parametrize("dialect", ["snms", "handle-json of the node"])
async def test_that_there_is_no_listing_is_told_from_a_node_that_is_away(
    dialect: str, tmp_path: Path
) -> None:
    async with PLACES[dialect](tmp_path) as place, opened(place) as registry:
        for response in NO_LISTING.values():
            place.faults.act = answered(response)
            assert (await registry.listed(PREFIX)).outcome is Outcome.INVALID
        for status in (502, 503, 504):
            place.faults.act = answered(PlainTextResponse("", status))
            assert (await registry.listed(PREFIX)).outcome in (Outcome.UNKNOWN, Outcome.BUSY)


def assert_withdrawn(reading: Reading, reason: str, *, is_told: bool) -> None:
    """Nobody's record any more, with the reason."""
    held = reading.record
    if not is_told:  # it is not there: of our own node, whose enterprise asks, with the reason
        assert (reading.outcome, held) == (Outcome.NOT_FOUND, None)
        assert reason in reading.message
        return
    assert held is not None
    assert not held.values or is_marked(held)
    assert reason in {reading.message, *(value.text for value in held.values)}


async def test_a_withdrawn_identifier_is_nobodys(any_place: Dialect) -> None:
    is_told = any_place.tells_withdrawn
    first, second = "录错了：是另一台", "the answer was lost"
    async with opened(any_place) as registry:
        await prepared(registry)
        assert_ok(*await registry.create([FIRST]))
        assert_ok(*await registry.withdraw([FIRST], first))
        assert_withdrawn(await registry.read(FIRST.handle), first, is_told=is_told)
        assert outcomes(await registry.create([record(assetNo="B")])) == [Outcome.EXISTS]
        (again,) = await registry.withdraw([FIRST], second)
        assert again.outcome is (Outcome.OK if is_told else Outcome.NOT_FOUND)
        last = second if is_told else first
        assert_withdrawn(await registry.read(FIRST.handle), last, is_told=is_told)


async def test_each_of_many_has_its_result(any_place: Dialect) -> None:
    async with opened(any_place) as registry:
        await prepared(registry)
        assert_ok(*await registry.create([record(2)]))
        results = await registry.create([record(1), record(2), record(3)])
        assert [one.handle for one in results] == [record(n).handle for n in (1, 2, 3)]
        assert outcomes(results) == [Outcome.OK, Outcome.EXISTS, Outcome.OK]


async def test_a_template_grows(any_place: Dialect) -> None:
    async with opened(any_place) as registry:
        if not registry.abilities.has_templates:
            assert_ok(await registry.ensure_template(PREFIX, VERSION, TEMPLATE_ITEMS))
            return
        assert_ok(await registry.ensure_template(PREFIX, VERSION, TEMPLATE_ITEMS[:10]))
        short = replace(FIRST, values=FIRST.values[:6])
        assert_ok(*await registry.create([short]))
        for _ in ("it grows", "it has all"):
            assert_ok(await registry.ensure_template(PREFIX, VERSION, TEMPLATE_ITEMS))
        assert (await registry.read(FIRST.handle)).record == short
        grown = record(softwareVersion="V1.2")
        assert_ok(*await registry.update([grown]))
        assert (await registry.read(FIRST.handle)).record == grown


async def test_a_template_that_is_lacking_says_nothing_of_the_identifier(
    any_place: Dialect,
) -> None:
    async with opened(any_place) as registry:
        if not registry.abilities.has_templates:
            return
        (result,) = await registry.create([FIRST])
    assert result.outcome in (Outcome.DENIED, Outcome.INVALID), result
    await assert_absent(any_place)


@pytest.mark.parametrize("lost", [PlainTextResponse("late", 504), PlainTextResponse("", 500)])
async def test_done_and_not_told_is_unknown_and_read_back(
    place: Place, lost: PlainTextResponse
) -> None:
    async with opened(place) as registry:
        await prepared(registry)
        place.faults.act = done_then(lost)
        assert outcomes(await registry.create([FIRST])) == [Outcome.UNKNOWN]
        place.faults.act = None
        assert (await registry.read(FIRST.handle)).record == FIRST
        assert outcomes(await registry.create([FIRST])) == [Outcome.EXISTS]


async def test_a_connection_that_breaks_is_unknown(place: Place) -> None:
    async with opened(place) as registry:
        await prepared(registry)
        place.faults.act = done_then(None)  # the server closes a connection without an answer
        assert outcomes(await registry.create([FIRST])) == [Outcome.UNKNOWN]
        place.faults.act = None
        assert (await registry.read(FIRST.handle)).record == FIRST


async def test_a_login_ends_in_the_middle(any_place: Dialect) -> None:
    async with opened(any_place) as registry:
        await prepared(registry)
        assert_ok(*await registry.create([record(1)]))
        any_place.expire()
        assert_ok(*await registry.create([record(2), record(3)]))
        any_place.expire()
        assert (await registry.read(record(3).handle)).record == record(3)


NO_WORD = '<html>"busy"</html>'


NO_WORDS_OF_THE_NODE: dict[str, tuple[Act, Outcome]] = {
    "503": (answered(PlainTextResponse(NO_WORD, 503)), Outcome.BUSY),
    "429": (answered(PlainTextResponse(NO_WORD, 429)), Outcome.BUSY),
    "401": (answered(PlainTextResponse(NO_WORD, 401)), Outcome.LOGIN),
    "403": (answered(PlainTextResponse(NO_WORD, 403)), Outcome.DENIED),
    "404": (answered(PlainTextResponse(NO_WORD, 404)), Outcome.UNREACHABLE),
    "redirect": (answered(RedirectResponse("http://other.example/")), Outcome.UNREACHABLE),
    "html": (answered(PlainTextResponse(NO_WORD)), Outcome.UNKNOWN),
    "odd codes": (
        answered(JSONResponse({"responseCode": True, "code": "1", "status": 1.0})),
        Outcome.UNKNOWN,
    ),
    "list": (answered(JSONResponse([1])), Outcome.UNKNOWN),
    "huge": (places.HUGE, Outcome.UNKNOWN),
}


async def test_answers_without_a_word_of_the_node(place: Place) -> None:
    async with opened(place) as registry:
        await prepared(registry)
        for name, (act, expected) in NO_WORDS_OF_THE_NODE.items():
            outcome = place.refused_token if expected is Outcome.LOGIN else expected
            place.faults.act = act
            assert outcomes(await registry.create([FIRST])) == [outcome], name
            assert (await registry.read(FIRST.handle)).outcome is outcome, name
    place.faults.act = None
    await assert_absent(place)


async def test_quota_and_refusals_are_told_apart(place: Place) -> None:
    async with opened(place) as registry:
        await prepared(registry)
        place.faults.act = answered(place.denied)
        assert outcomes(await registry.create([FIRST])) == [Outcome.DENIED]
        place.faults.act, place.faults.requests = answered(place.quota), 0
        results = await registry.create([record(1), record(2), record(3)])
        assert outcomes(results) == [Outcome.QUOTA] * 3
        assert [one.handle for one in results] == [record(n).handle for n in (1, 2, 3)]
        assert place.faults.requests == 1  # the others fare no better, and are not tried


async def test_a_drip_is_no_answer(place: Place) -> None:
    async with opened(place) as patient:
        await prepared(patient)
    async with opened(place, timeout_s=5) as registry:
        assert_ok(await registry.login())
        place.faults.act = places.dripping
        assert outcomes(await registry.create([FIRST])) == [Outcome.UNKNOWN]


async def test_an_answer_of_another_identifier_is_not_believed(place: Place) -> None:
    async with opened(place) as registry:
        await prepared(registry)
        assert_ok(*await registry.create([FIRST]))
        place.faults.act = places.reworded(b"451.20261101.000001", b"451.20261101.000002")
        reading = await registry.read(FIRST.handle)
        assert (reading.outcome, reading.record) == (Outcome.UNKNOWN, None)


async def test_nobody_is_there(place: Place) -> None:
    place.faults.logins = True
    place.faults.act = answered(PlainTextResponse("", 502))
    async with opened(place) as registry:
        assert (await registry.login()).outcome is Outcome.UNREACHABLE
        assert outcomes(await registry.create([FIRST])) == [Outcome.UNREACHABLE]
    place.faults.act = None
    await assert_absent(place)
