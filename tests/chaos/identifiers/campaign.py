"""``make chaos ARGS="identifiers --rounds 50"``: kill city and node while machines are registered.

Prints JSON. Exit code 1: something was found; the files of it stay.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

from tests.chaos.identifiers.judge import Witness, judge
from tests.chaos.identifiers.plant import Plant

KINDS = {"embedded": True, "separate": False}
MOST_S = 1.5
"""After a change of the ledger, a kill comes within so long; the registrar wakes within 1 s."""


@dataclass(slots=True)
class Life:
    """One city's, and what was found.

    Attributes:
        kind: of its node.
        rounds: of changes, kills and a look.
        kills: of the processes of city and node.
        amid: those of them that left a machine unconfirmed.
        restores: of the city's database.
        withdrawals: of machines.
        early: those of them after a restore, before the machine had its identifier again.
        identifiers: that are confirmed at the end.
        findings: what is wrong, in words.
    """

    kind: str
    rounds: int = 0
    kills: int = 0
    amid: int = 0
    restores: int = 0
    withdrawals: int = 0
    early: int = 0
    identifiers: int = 0
    findings: list[str] = field(default_factory=list)


class Campaign:
    """Rounds of one city, one after the other."""

    def __init__(self, plant: Plant, life: Life, chance: Random) -> None:
        self.plant, self.life, self.chance = plant, life, chance
        self.witness = Witness()
        self.ledger: dict[str, str] = {}
        self.withdrawn: set[str] = set()
        self.is_back = False

    async def round(self) -> None:
        """Change the ledger, kill meanwhile, wait, judge."""
        self.life.rounds += 1
        self._change()
        for _ in range(self.chance.randint(1, 2)):
            await self._kill()
        await self._settle()
        if self.chance.random() < 0.5:
            self._withdraw_one()
            await self._kill()
            await self._settle()
        self._judge()

    def _change(self) -> None:
        new = range(len(self.ledger), len(self.ledger) + self.chance.randint(8, 25))
        changed = self.chance.sample(sorted(self.ledger.keys() - self.withdrawn), self._few())
        rows = dict.fromkeys([*changed, *(f"A{one:04d}" for one in new)], f"M{self.life.rounds}")
        self.ledger |= rows
        self.plant.load(rows)

    def _few(self) -> int:
        return min(5, len(self.ledger) - len(self.withdrawn))

    async def _kill(self) -> None:
        """At a random moment; now and then the database is restored, or a copy is taken."""
        plant, chance = self.plant, self.chance
        await asyncio.sleep(chance.uniform(0, MOST_S))
        self._see()
        parts = {plant.city, plant.node}
        if len(parts) > 1 and chance.random() < 0.7:
            parts = {chance.choice([plant.city, plant.node])}
        for part in parts:
            await part.kill()
            self.life.kills += 1
        if not self.plant.is_worked_off():
            self.life.amid += len(parts)
        is_city_dead = plant.city in parts
        if is_city_dead:
            await asyncio.to_thread(self._while_it_is_dead)
        await plant.start()

    def _while_it_is_dead(self) -> None:
        self._see()
        lot = self.chance.random()
        if lot < 0.2 or not self.plant.copy.exists():
            self.plant.take_copy()
        elif lot < 0.7:
            self._restore()
        self.plant.pass_time()

    def _restore(self) -> None:
        """What is withdrawn is so again at once, or when the machines have theirs again."""
        self.plant.restore()
        self.life.restores += 1
        names = sorted(self.ledger)
        self.chance.shuffle(names)  # so that numbers would fall otherwise
        self.plant.load({one: self.ledger[one] for one in names})  # brings all back
        self.is_back = self.chance.random() < 0.5
        if not self.is_back:
            self._withdraw_again()
        if self.chance.random() < 0.5:
            self._withdraw_one()
            self.life.early += 1

    def _withdraw_one(self) -> None:
        machine = self.chance.choice(sorted(self.ledger.keys() - self.withdrawn))
        self.withdrawn.add(machine)
        self.life.withdrawals += 1
        self.plant.withdraw(machine)

    def _withdraw_again(self) -> None:
        for one in sorted(self.withdrawn):
            self.plant.withdraw(one)

    async def _settle(self) -> None:
        await self.plant.worked_off()
        if self.is_back:
            self.is_back = False
            self._withdraw_again()
            await self.plant.worked_off()

    def _see(self) -> None:
        self.witness.see(self.plant.confirmed().items())

    def _judge(self) -> None:
        self._see()
        confirmed = self.plant.confirmed()
        self.life.identifiers = len(confirmed)
        ledger = {one: one in self.withdrawn for one in self.ledger}
        found = [*self.witness.findings, *judge(ledger, confirmed, self.plant.told())]
        self.life.findings += [one for one in found if one not in self.life.findings]


async def live(kind: str, rounds: int, chance: Random, folder: Path, until_s: float) -> Life:
    """Let a city live for so many rounds, or until the time is over or something is found."""
    life, plant = Life(kind), Plant(folder, is_embedded=KINDS[kind])
    try:
        await plant.start()
        campaign = Campaign(plant, life, chance)
        while life.rounds < rounds and not life.findings and time.monotonic() < until_s:
            try:
                await campaign.round()
            except (TimeoutError, RuntimeError) as failed:
                life.findings.append(f"not worked off: {failed}")
            sys.stderr.write(f"chaos: identifiers: {life}\n")
    finally:
        plant.clean_up()
    return life


def main(words: Sequence[str]) -> int:
    """Run and print."""
    arguments = _parser().parse_args(words)
    lives, until_s = [], time.monotonic() + arguments.minutes * 60
    kinds = arguments.kinds
    for number, kind in enumerate(kinds):
        folder = Path(tempfile.mkdtemp(prefix="qulink-chaos-identifiers-"))
        rounds = (arguments.rounds + number) // len(kinds)
        chance = Random(f"{arguments.seed} {kind}")
        share = time.monotonic() + (until_s - time.monotonic()) / (len(kinds) - number)
        lives.append(asyncio.run(live(kind, rounds, chance, folder, share)))
        if lives[-1].findings:
            sys.stderr.write(f"chaos: see {folder}\n")
        else:
            shutil.rmtree(folder)
    report = {"seed": arguments.seed, "results": [asdict(one) for one in lives]}
    sys.stdout.write(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    return int(any(one.findings for one in lives))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make chaos ARGS=identifiers", description=__doc__)
    add = parser.add_argument
    add("--seed", type=int, default=1, help="of every random choice")
    add("--rounds", type=int, default=50, help="shared among the kinds")
    add("--minutes", type=float, default=60, help="no round begins later")
    add("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    return parser
