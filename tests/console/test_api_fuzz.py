"""Programs ask nonsense of every operation that the document names: no failure, no foreign row."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from hypothesis import HealthCheck, example, given, seed, settings
from hypothesis import strategies as st

from gateway.city.access import tokens
from gateway.city.access.tokens import GRANTABLE, Wish
from gateway.city.console.api import pace
from gateway.city.console.app import build
from tests.console.people import ROOT
from tests.console.test_api import _store
from tests.console.town import NOW_MS, PLACES, town, uscc_of

OWN = {at for at, place in enumerate(PLACES) if place[0] == "330822"}
FOREIGN = re.compile(
    "|".join(PLACES[at][2] for at in range(len(PLACES)) if at not in OWN) + r"|\bgw-(?!0\b|1\b)\d"
)
USCCS = tuple(map(uscc_of, range(len(PLACES))))
RIGHT = {
    "uscc": USCCS, "site": ("1",), "asset": ("A-001", "A-024"), "key": (*USCCS, "330881", "2221"),
    "month": ("2025-09", "2025-10", "2025-11"), "definition": ("ENR-A", "ONL", "COV"),
    "by": ("county", "industry", "enterprise", "area"), "county": ("330822", "330881"),
    "industry": ("3451", "2221"), "limit": ("1", "1000"), "vintage": ("1", "2"),
    "purpose": ("x",), "cursor": ("",),
}  # fmt: skip
HUGE = "9" * 30
WRONG = st.sampled_from((HUGE, "-1", "0", "1e9", "NaN", "2099-01", "0000-00", "")) | st.text(
    max_size=40
)
EXAMPLES = 200
USUALLY = 5
"""One value of so many is nonsense."""


def _value(draw: st.DrawFn, name: str) -> str:
    is_right = name in RIGHT and draw(st.integers(1, USUALLY)) < USUALLY
    return draw(st.sampled_from(RIGHT[name]) if is_right else WRONG)


@st.composite
def addresses(draw: st.DrawFn, paths: dict[str, Any]) -> str:
    """An operation with places and some parameters, now and then one that it does not have."""
    path = draw(st.sampled_from(sorted(paths)))
    named = paths[path]["get"].get("parameters", [])
    place = re.sub(r"\{(\w+)\}", lambda part: quote(_value(draw, part[1]), safe="") or "0", path)
    names = [one["name"] for one in named if one["in"] == "query"]
    unknown = ["x"] if draw(st.integers(1, USUALLY)) == USUALLY else []
    chosen = draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    return f"{place}?{urlencode([(name, _value(draw, name)) for name in chosen + unknown])}"


async def test_nonsense_is_refused_and_nothing_foreign_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "BURST", 10**9)
    async with town(tmp_path / "city", accounts=True) as made:
        made.database.run_now(_store)
        wish = Wish("x", frozenset(GRANTABLE))
        token = made.database.run_now(tokens.make, ROOT, "county", wish, NOW_MS)[1]
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(build(made.context), raise_app_exceptions=False),
            base_url="http://127.0.0.1:8080",
            headers={"authorization": f"Bearer {token}"},
        ) as client:
            paths = (await client.get("/api/v1/openapi.json")).json()["paths"]
            loop = asyncio.get_running_loop()

            def get(address: str) -> httpx.Response:
                return asyncio.run_coroutine_threadsafe(client.get(address), loop).result()

            assert {200, 400, 404} <= await asyncio.to_thread(_statuses, get, paths)


def _statuses(get: Callable[[str], httpx.Response], paths: dict[str, Any]) -> set[int]:
    """Ask, judge each answer, and tell which statuses came."""
    found = set()

    @seed(14)
    @settings(max_examples=EXAMPLES, database=None, suppress_health_check=list(HealthCheck))
    @given(addresses(paths))
    @example(f"/api/v1/figures?month=2025-09&vintage={HUGE}")  # more than a database counts to
    def ask(address: str) -> None:
        answer = get(address)
        found.add(answer.status_code)
        assert answer.status_code < 500, (address, answer.text)
        kind = "application/json" if answer.is_success else "application/problem+json"
        assert answer.headers["content-type"].startswith(kind), (address, answer.text)
        assert FOREIGN.search(answer.text) is None, address

    ask()
    return found
