"""``/healthz`` of an edge: 503 for what a restart may cure, 200 for what it cannot."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from edge_config.models.base import ConsoleConfig
from edge_config.models.gateway import CITY
from gateway.core.books import Counts
from gateway.core.outcome import Outcome
from gateway.core.schema import Equipment, Kind, Schema, Tag
from gateway.edge.live.console import build
from gateway.edge.live.health import STALLED_MS, STUCK_MS
from gateway.edge.live.view import Backlog, DeviceRecord, Live
from tests.edge.plant import loaded

NOW = 1_800_000_000_000
SCHEMA = Schema(
    "d", "g", "p", "sensor", True, (Equipment("u", "1", "m"),), (Tag("t", Kind.FLOAT64),), 1_000
)


def live_at(read_ms: int, committed_ms: int = NOW) -> Live:
    """A gateway that read its device, and committed, at these times."""
    live = Live()
    record = DeviceRecord("d", "here", "modbus", "p", "m")
    record.add_group(SCHEMA)
    live.add_device(record)
    live.set_link("d", "up", 1)
    good = np.zeros(1, np.uint8)
    record.groups["g"].newest = Outcome(None, {}, good, (np.ones(1),), read_ms)
    live.set_books(Counts(), committed_ms)
    live.note_northbound(CITY, connected=True)
    return live


async def asked(live: Live, folder: Path) -> tuple[int, dict[str, Any]]:
    config = replace(loaded(folder).config, console=ConsoleConfig())
    transport = httpx.ASGITransport(build(live, config, lambda: NOW))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
        answer = await client.get("/healthz")
    return answer.status_code, answer.json()


async def test_a_gateway_at_work_is_ok(tmp_path: Path) -> None:
    code, body = await asked(live_at(NOW - 1_000 - STUCK_MS, NOW - STALLED_MS), tmp_path)
    assert (code, body["status"]) == (200, "ok")
    assert body["parts"] == {"reading": "ok", "buffer": "ok", "broker": "ok", "clock": "ok"}


async def test_a_lost_broker_is_told_and_does_not_ask_for_a_restart(tmp_path: Path) -> None:
    live = live_at(NOW)
    live.note_northbound(CITY, connected=False, error="hung up")
    code, body = await asked(live, tmp_path)
    assert (code, body["status"], body["parts"]["broker"]) == (200, "degraded", "hung up")


async def test_a_lost_device_is_none_of_the_gateways_faults(tmp_path: Path) -> None:
    live = live_at(NOW - 10 * STUCK_MS)
    live.set_link("d", "down", 2)
    assert (await asked(live, tmp_path))[0] == 200


@pytest.mark.parametrize(
    ("live", "part", "words"),
    [
        (live_at(NOW - 1_001 - STUCK_MS), "reading", "nothing is read any more from d"),
        (live_at(NOW, NOW - STALLED_MS - 1_000), "buffer", "no commit has ended for 31 s"),
    ],
)
async def test_what_has_stopped_is_503(tmp_path: Path, live: Live, part: str, words: str) -> None:
    code, body = await asked(live, tmp_path)
    assert (code, body["parts"][part]) == (503, words)


async def test_a_disk_that_refuses_is_503_with_its_words(tmp_path: Path) -> None:
    live = live_at(NOW)
    live.set_backlog(Backlog(refused="buffer b.db: database or disk is full"))
    code, body = await asked(live, tmp_path)
    assert (code, body["parts"]["buffer"]) == (503, "buffer b.db: database or disk is full")
