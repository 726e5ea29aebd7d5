"""Whatever a gateway says of itself, every page of the city is served."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from gateway.city.console.app import build
from gateway.city.db.tables import gateway
from gateway.city.ingest.admission import LATEST_MS, read_state
from gateway.wire.messages import State, decode_state
from tests.console.conftest import served
from tests.console.http import get
from tests.console.town import NOW_MS, Town, town, uscc_of

DEVICES = tuple(f"a-{number:03d}" for number in range(1, 18))
ENTERPRISE = f"/enterprises/{uscc_of(0)}"
PAGES = (
    "/", "/enterprises", ENTERPRISE, f"{ENTERPRISE}?format=csv", f"{ENTERPRISE}?format=json",
    f"{ENTERPRISE}/1/A-001", f"{ENTERPRISE}/1/A-001?format=csv", "/industries", "/gaps",
    "/quality", "/books", "/books?format=json", "/healthz", "/metrics",
)  # fmt: skip

words = st.one_of(
    st.sampled_from(["up", "down", "starting", "unknown", "none", "", "UP", "0", "__class__"]),
    st.text(max_size=60),
)
times = st.one_of(st.sampled_from([0, 1, NOW_MS, LATEST_MS]), st.integers(0, LATEST_MS))
counts = st.integers(0, 2**63 - 1)
links = st.fixed_dictionaries({"link": words}, optional={"cause": words, "since_ms": times})
states = st.fixed_dictionaries(
    {
        "online": st.booleans(),
        "devices": st.tuples(*[links] * len(DEVICES)).map(
            lambda made: dict(zip(DEVICES, made, strict=True))
        ),
    },
    optional={
        "time_ms": times, "steady_since_ms": times, "epoch": words, "software": words,
        "last_seq": counts, "backlog_frames": counts, "backlog_values": counts,
        "clock_doubt": st.booleans(),
    },
)  # fmt: skip


async def said(made: Town, state: State) -> None:
    """The gateway of the town's first enterprise says it, and the console has heard."""
    made.live.state("gw-0", state, made.clock())
    await made.context.live.refresh()


async def all_pages(base: str) -> dict[str, int]:
    """Status by page, in both languages."""
    asked = [
        f"{path}{'&' if '?' in path else '?'}lang={lang}" for path in PAGES for lang in ("zh", "en")
    ]
    answers = await asyncio.gather(*(get(base + path) for path in asked))
    return {path: answer.status_code for path, answer in zip(asked, answers, strict=True)}


@settings(max_examples=10, deadline=None)
@given(states)
def test_no_state_message_breaks_a_page(state: dict[str, Any]) -> None:
    async def shown() -> None:
        heard = read_state(msgspec.json.encode(state))
        with TemporaryDirectory() as folder:
            async with town(Path(folder)) as made, served(build(made.context)) as base:
                await said(made, heard)
                assert set((await all_pages(base)).values()) == {200}

    asyncio.run(shown())


@pytest.mark.parametrize("live", [True, False])
async def test_a_link_that_nobody_knows_is_shown_as_unknown(tmp_path: Path, live: bool) -> None:
    """Also where the console reads it from the database, because no worker is heard."""
    state = b'{"online":true,"devices":{"a-001":{"link":"dormant","cause":"new_word"}}}'
    async with town(tmp_path) as made, served(build(made.context)) as base:
        if live:
            await said(made, decode_state(state))
        else:
            await made.server.aclose()
            saved = update(gateway).where(gateway.c.id == "gw-0")
            values = saved.values(state=state.decode(), last_seen_ms=NOW_MS)
            made.database.run_now(lambda connection: connection.execute(values))
            await made.context.live.refresh()
        page = await get(f"{base}{ENTERPRISE}/1/A-001?lang=en")
        assert page.status_code == 200
        assert ">Unknown<" in page.text
        rows = (await get(f"{base}{ENTERPRISE}?format=json")).json()["rows"]
        assert next(row["link"] for row in rows if row["asset_no"] == "A-001") == "unknown"


@pytest.mark.parametrize("key", ["link", "cause"])
def test_a_link_is_a_word_and_no_book(key: str) -> None:
    body = {"online": True, "devices": {"a-001": {"link": "up"} | {key: "x" * 500}}}
    with pytest.raises(ValueError, match="takes more than 128 characters"):
        read_state(msgspec.json.encode(body))
