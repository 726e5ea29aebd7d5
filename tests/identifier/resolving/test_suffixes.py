"""Identifiers that are asked for without a prefix, and nodes that want a login for an answer."""

from pathlib import Path

import msgspec
import pytest

from gateway.identifier.codes.code import Code
from gateway.identifier.codes.handle import Handle
from gateway.identifier.registering.registry import Registry
from gateway.identifier.registering.source import TTL_S, RegisteredSource
from gateway.identifier.resolving.answer import Answer, Item, Outcome
from gateway.identifier.resolving.keeping import Memory
from gateway.identifier.resolving.resolver import Resolver
from tests.identifier.registering.places import PLACES, PREFIX, TIMEOUT_S
from tests.identifier.registering.test_conformance import FIRST, assert_ok, prepared

KNOWN = f"{PREFIX}/6901234567890"


class Knowing:
    """A source that knows one handle."""

    def __init__(self) -> None:
        self.name = "knowing"
        self.asked: list[str] = []

    def takes(self, code: Code) -> bool:
        return isinstance(code, Handle)

    async def ask(self, code: Code) -> Answer:
        self.asked.append(str(code))
        outcome = Outcome.FOUND if str(code) == KNOWN else Outcome.NOT_FOUND
        return Answer(str(code), outcome, ttl_s=60)

    async def close(self) -> None:
        """Nothing is kept."""


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (" ６901234567890\r", [KNOWN]),  # as a GTIN its check digit is wrong
        ("451.20261101.000001", [f"{PREFIX}/451.20261101.000001"]),
        ("88.999.QZ02/x", ["88.999.QZ02/x"]),
        ("a b/c", []),
        ("", []),
    ],
)
async def test_a_suffix_is_looked_up_below_the_default_prefix(text: str, asked: list[str]) -> None:
    source = Knowing()
    resolver = Resolver([source], Memory(10), None, lambda: 0.0, default_prefix=PREFIX)
    answer = await resolver.resolve_text(text)
    assert source.asked == asked
    assert (answer.outcome is Outcome.FOUND) == (KNOWN in asked)


async def test_no_prefix_is_added_unasked() -> None:
    source = Knowing()
    answer = await Resolver([source], Memory(10), None, lambda: 0.0).resolve_text("EQ001")
    assert (answer.outcome, source.asked) == (Outcome.INVALID, [])


@pytest.mark.parametrize("dialect", PLACES)
async def test_a_record_is_read_with_a_login(tmp_path: Path, dialect: str) -> None:
    async with PLACES[dialect](tmp_path) as place:
        registry: Registry = place.registry(TIMEOUT_S)
        source = RegisteredSource(registry.name, "place", lambda: registry)
        try:
            await prepared(registry)
            code = Handle.parse(FIRST.handle)
            assert source.takes(code)
            assert (await source.ask(code)).outcome is Outcome.NOT_FOUND
            assert_ok(*await registry.create([FIRST]))
            place.expire()
            answer = await source.ask(code)
            assert (answer.outcome, answer.ttl_s) == (Outcome.FOUND, TTL_S)
            assert answer.items == tuple(
                Item(value.type, value.text, value.index) for value in FIRST.values
            )
            (hop,) = answer.hops
            assert msgspec.structs.replace(hop, took_s=0) == hop.__class__(
                registry.name, "place", FIRST.handle, "found", 0
            )
            assert_ok(*await registry.withdraw([FIRST], "误录"))
            after = await source.ask(code)
            if place.tells_withdrawn:
                assert after.outcome is Outcome.FOUND
                assert "误录" in {one.text for one in after.items}, after
            else:
                assert (after.outcome, after.items) == (Outcome.NOT_FOUND, ())
        finally:
            await source.close()
