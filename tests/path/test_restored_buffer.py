"""An edge whose buffer is restored from a copy, and its real city: nothing new is taken for old."""

import asyncio
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.city.app import City
from gateway.city.db.tables import watermark
from gateway.core.books import Counts
from tests.support.broker import Mosquitto
from tests.support.city import assembled, city_config, fill_ledger, rows_of, running
from tests.support.edge import VALUES, Edge

GATEWAY = "gw-1"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "edge").mkdir()
    yield tmp_path / "edge"


def edge_in(folder: Path, broker: Mosquitto, begin_ms: int) -> Edge:
    return Edge(folder, GATEWAY, begin_ms, url=broker.url)


def copied(folder: Path, to: Path) -> None:
    """A copy of the buffer while it is used, log and all."""
    to.mkdir()
    for file in folder.glob(f"{GATEWAY}.db*"):
        if not file.name.endswith("-lock"):
            shutil.copy(file, to / file.name)


def restored(copy: Path, folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    for file in copy.iterdir():
        shutil.copy(file, folder / file.name)


async def stored(city: City, edge: Edge, first: int, last: int) -> int:
    """How many values the store has of frames ``first`` to ``last``, counted from 0."""
    begin = edge.begin_ms
    return await city.store.count([GATEWAY], begin + first, begin + last + 1)


@pytest.mark.parametrize("made", [3, 10, 40])
async def test_every_new_frame_is_stored_under_a_new_epoch(
    tmp_path: Path, folder: Path, mosquitto: Mosquitto, made: int
) -> None:
    """Few new frames have numbers that the city knows; many go beyond them."""
    begin = time.time_ns() // 1_000_000 - 3_600_000
    async with assembled(city_config(mosquitto.url, tmp_path / "city")) as city:
        fill_ledger(city, GATEWAY)
        async with running(city):
            edge = edge_in(folder, mosquitto, begin)
            async with edge.running():
                edge.feed(20)
                await edge.drained()
                edge.feed(1)  # waits in the copy
                await asyncio.to_thread(copied, folder, tmp_path / "copy")
                edge.feed(19)
                await edge.drained()
            first_epoch = edge.buffer.epoch
            restored(tmp_path / "copy", folder)
            edge = edge_in(folder, mosquitto, begin + 10_000)  # its new life is later
            edge.frames = 0
            edge.feed(made)
            async with edge.running():
                await edge.drained()
                assert await stored(city, edge, 0, made - 1) == made * VALUES
                totals = edge.buffer.totals()
            assert edge.buffer.epoch != first_epoch
        marks = {row["epoch"]: row for row in rows_of(city, watermark)}
        assert set(marks) == {f"{first_epoch:016x}", f"{edge.buffer.epoch:016x}"}
        # Each value is in the books of one epoch: those of the new one are of the new life.
        assert totals == Counts(made * VALUES, made * VALUES, 0, 0, 0, made * VALUES)
        assert marks[f"{edge.buffer.epoch:016x}"]["values_committed"] == made * VALUES
        assert marks[f"{first_epoch:016x}"]["values_committed"] == 40 * VALUES
        edge_begin = begin
        assert await city.store.count([GATEWAY], edge_begin, edge_begin + 40) == 40 * VALUES


async def test_a_buffer_that_is_only_restarted_keeps_its_epoch(
    tmp_path: Path, folder: Path, mosquitto: Mosquitto
) -> None:
    begin = time.time_ns() // 1_000_000 - 3_600_000
    async with assembled(city_config(mosquitto.url, tmp_path / "city")) as city:
        fill_ledger(city, GATEWAY)
        async with running(city):
            epochs = set()
            for turn in range(3):
                edge = edge_in(folder, mosquitto, begin + turn * 1_000)
                async with edge.running():
                    edge.feed(10)
                    await edge.drained()
                    if turn == 1:  # what was acknowledged last is not freed: a kill
                        edge.feed(5)
                epochs.add(edge.buffer.epoch)
            assert len(epochs) == 1
        (mark,) = rows_of(city, watermark)
        assert mark["upto"] == 35
        assert mark["seen"] == 35
