"""An edge whose buffer is gone, and its real city: what the buffer held becomes a dated gap."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.city.db.tables import gap
from gateway.core.batch import Gap
from gateway.core.status import Reason
from gateway.edge.buffer.incoming import Commit
from tests.support.broker import Mosquitto
from tests.support.city import assembled, city_config, fill_ledger, rows_of, running
from tests.support.edge import Edge

GATEWAY = "gw-1"
LATER_MS = 60_000
"""After so long the new life begins."""


def deleted(file: Path) -> None:
    file.unlink()


def damaged(file: Path) -> None:
    file.write_bytes(b"\xff" * 4096 + file.read_bytes()[4096:])


def edge_in(folder: Path, broker: Mosquitto, begin_ms: int) -> Edge:
    edge = Edge(folder, GATEWAY, begin_ms, url=broker.url)
    edge.buffer.forerunner.begin(begin_ms)
    return edge


def lose(folder: Path, how: Callable[[Path], None]) -> None:
    for log in folder.glob(f"{GATEWAY}.db-[ws]*"):
        log.unlink()
    how(folder / f"{GATEWAY}.db")


async def told(edge: Edge) -> list[Gap]:
    """The gap that the edge tells, in its next commit, once the city has answered."""
    lost = edge.buffer.forerunner.end(is_time_known=True)
    edge.gaps = [] if lost is None else [lost]
    edge.feed(1)
    await edge.drained()
    return [] if lost is None else [lost]


@pytest.mark.parametrize("how", [deleted, damaged])
async def test_what_a_lost_buffer_held_is_a_gap(
    tmp_path: Path, mosquitto: Mosquitto, how: Callable[[Path], None]
) -> None:
    begin = time.time_ns() // 1_000_000 - 3_600_000
    folder = tmp_path / "edge"
    folder.mkdir()
    async with assembled(city_config(mosquitto.url, tmp_path / "city")) as city:
        fill_ledger(city, GATEWAY)
        async with running(city):
            edge = edge_in(folder, mosquitto, begin)
            async with edge.running():
                edge.feed(20)
                await edge.drained()
                assert await told(edge) == []  # the city never heard of it
        edge = Edge(folder, GATEWAY, begin + 1_000, url=mosquitto.url)
        edge.feed(10)  # waits, and is lost
        edge.buffer.close()
        lose(folder, how)
        edge = edge_in(folder, mosquitto, begin + LATER_MS)  # the city is away
        edge.feed(5)
        edge.buffer.append(Commit(), begin)
        edge.buffer.close()
        edge = edge_in(folder, mosquitto, begin + 2 * LATER_MS)
        async with running(city), edge.running():
            await edge.drained()
            lost = Gap("", "", (), Reason.GATEWAY_DOWN, begin + 21, begin + LATER_MS)
            assert await told(edge) == [lost]
        rows = [row for row in rows_of(city, gap) if row["cause"] == "gateway_down"]
        assert [(row["from_ms"], row["to_ms"]) for row in rows] == [(begin + 21, begin + LATER_MS)]
