"""Disks that refuse, are full, lose what was written last, or come from a backup."""

import asyncio
import errno
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

from tests.chaos.parts import Part
from tests.chaos.plant import Plant
from tests.support import disk

ERRORS = (errno.EIO, errno.ENOSPC, errno.EROFS)
SECTOR = 512


async def refuse(plant: Plant, chance: Random) -> None:
    """All writes and syncs of the preloaded process fail for a while."""
    assert plant.plan is not None
    plant.plan.fail_with(chance.choice(ERRORS))
    await asyncio.sleep(chance.uniform(0.2, 5))
    plant.plan.spare()


async def fill(plant: Plant, chance: Random) -> None:
    """The gateway's small disk is full for a while, to the last byte."""
    ballast = plant.buffer / "ballast"
    await asyncio.to_thread(disk.fill, ballast)
    await asyncio.sleep(chance.uniform(0.5, 6))
    ballast.unlink()


async def tear_log(plant: Plant, chance: Random) -> None:
    """A power cut: the end of the buffer's write-ahead log is missing or rubbish."""
    await _kill_edge(plant, chance)
    log = plant.buffer / "buffer.db-wal"
    if log.exists() and log.stat().st_size:
        log.write_bytes(_torn(log.read_bytes(), chance))
    plant.edge.start()
    plant.city.start()


async def _kill_edge(plant: Plant, chance: Random) -> None:
    """Half the time after a while without a city, so that the buffer holds what is nowhere else."""
    if chance.random() < 1 / 2:
        await plant.city.kill()
        await asyncio.sleep(chance.uniform(1, 5))
    await plant.edge.kill()


def _torn(log: bytes, chance: Random) -> bytes:
    """Mostly close to its end, where what a power cut can lose lies."""
    length = len(log) if chance.random() < 1 / 4 else min(len(log), 64 * 1024)
    cut = len(log) - chance.randrange(1, length + 1)
    kept, lost = log[:cut], log[cut:]
    return kept + chance.choice(
        [b"", bytes(len(lost)), chance.randbytes(min(SECTOR, len(lost))) + lost[SECTOR:]]
    )


async def flip_bytes(plant: Plant, chance: Random) -> None:
    """A bad disk: some bits of the buffer's main file, which holds everything, are others."""
    await _kill_edge(plant, chance)
    file = plant.buffer / "buffer.db"
    with closing(sqlite3.connect(file)) as buffer:
        buffer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damaged = bytearray(file.read_bytes())
    for _ in range(chance.randint(1, 8)):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    file.write_bytes(damaged)
    plant.edge.start()
    plant.city.start()


async def restore_buffer(plant: Plant, chance: Random) -> None:
    """The gateway's box is set back to a copy of the buffer that is some seconds old."""
    await _restored(plant.edge, plant.buffer, "buffer.db", plant, chance)


async def restore_database(plant: Plant, chance: Random) -> None:
    """The city's database, and it alone, is set back to a copy that is some seconds old."""
    await _restored(plant.city, plant.data, "city.db", plant, chance)


async def _restored(part: Part, folder: Path, name: str, plant: Plant, chance: Random) -> None:
    copy = plant.folder / "copy"
    copy.mkdir(exist_ok=True)
    await part.kill()
    for file in _files(folder, name):
        shutil.copy2(file, copy / file.name)
    part.start()
    await plant.flows()
    await asyncio.sleep(chance.uniform(0, 5))
    await part.kill()
    for file in _files(folder, name):
        file.unlink()
    for file in _files(copy, name):
        shutil.move(file, folder / file.name)
    part.start()


def _files(folder: Path, name: str) -> Iterator[Path]:
    """A database and its log, which are copied and restored together."""
    return (folder / each for each in (name, f"{name}-wal") if (folder / each).exists())
