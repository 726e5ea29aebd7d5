"""Runs of faults, and what became of them."""

import asyncio
import logging
import shutil
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

import pytest

from tests.chaos.judge import Verdict
from tests.chaos.kinds import KINDS, Kind
from tests.chaos.plant import Plant

_log = logging.getLogger(__name__)

PAUSE_S = (0.3, 4.0)
"""Between two faults; often too short for all to be well again, sometimes long enough."""

MOST_FINDINGS = 20
"""Of each sort that a result quotes."""


@dataclass(slots=True)
class Result:
    """One run.

    Attributes:
        kind: which faults.
        run: its number; with the campaign's seed it decides every random choice.
        faults: how often one was committed.
        seconds: of the faults, without starting and judging.
        answers: what the devices answered.
        lost, stale, off, books, unexplained: how many findings; see ``tests.chaos.judge``.
        findings: the first of each sort.
        lacking: what this machine lacks for it; then nothing was tried.
    """

    kind: str
    run: int
    faults: int = 0
    seconds: float = 0.0
    answers: int = 0
    lost: int = 0
    stale: int = 0
    off: int = 0
    books: int = 0
    unexplained: int = 0
    findings: list[str] = field(default_factory=list)
    lacking: str = ""

    @property
    def faultless(self) -> bool:
        """Whether nothing was found."""
        return not (self.lost or self.stale or self.off or self.books or self.unexplained)

    def note(self, verdict: Verdict) -> None:
        """Take over what the judge says."""
        self.answers = verdict.answers
        for sort in ("lost", "stale", "off", "books", "unexplained"):
            lines = getattr(verdict, sort)
            setattr(self, sort, len(lines))
            self.findings += [f"{sort}: {line}" for line in lines[:MOST_FINDINGS]]

    def as_json(self) -> dict[str, object]:
        """For the report."""
        return asdict(self)


async def run(name: str, number: int, seed: int, seconds: float, folder: Path) -> Result:
    """One run of a kind.

    Args:
        name: of the kind.
        number: of the run.
        seed: of the campaign.
        seconds: how long faults are committed.
        folder: for all its files; it stays if something was found.
    """
    result = Result(name, number)
    folder = folder / f"{name}-{number}"
    folder.mkdir(parents=True)
    try:
        result.note(await _tried(result, Random(f"{seed} {name} {number}"), seconds, folder))
    except pytest.skip.Exception as lacking:  # a program by others, as in the tests
        result.lacking = str(lacking)
    except (RuntimeError, TimeoutError) as failed:
        result.unexplained += 1
        result.findings.append(f"unexplained: {str(failed) or 'values did not flow again in time'}")
    if result.faultless:
        shutil.rmtree(folder)
    else:
        _log.warning("%s run %d: see %s", name, number, folder)
    return result


async def _tried(result: Result, chance: Random, seconds: float, folder: Path) -> Verdict:
    kind = KINDS[result.kind]
    plant = Plant(folder, kind.layout)
    async with plant.running():
        await _commit(kind, plant, chance, seconds, result)
        await plant.flows()
        stopped_ms = await plant.finish()
        return await asyncio.to_thread(plant.judged, stopped_ms, one_epoch=not kind.is_rolled_back)


async def _commit(kind: Kind, plant: Plant, chance: Random, seconds: float, result: Result) -> None:
    begin = time.monotonic()
    while (left := begin + seconds - time.monotonic()) > 0:
        await asyncio.sleep(min(chance.uniform(*PAUSE_S), left))
        await kind.fault(plant, chance)
        result.faults += 1
    result.seconds = round(time.monotonic() - begin, 1)
