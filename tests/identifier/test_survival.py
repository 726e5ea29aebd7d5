"""Whatever happens on the way: no identifier twice, none lost, none of another machine's record."""

import random
import shutil
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, update

from gateway.city.db.schema.identifiers import identifier
from gateway.city.db.tables import equipment, equipment_rows
from gateway.city.identifiers.contents import owner_of
from gateway.city.identifiers.issued import IssuedFile
from gateway.city.identifiers.outbox import queue_updates
from gateway.city.identifiers.registering.registrar import Registrar
from gateway.city.ledger.names import MachineName
from gateway.core.days import DAY_MS
from gateway.relational.database import Database
from tests.identifier.shelf import Killed, Shelf
from tests.support.city_db import USCCS, add_machine, sqlite_city
from tests.support.registering import Clock, fill, made, rules

MACHINES = 12
ROUNDS = 30


class Life:
    """A city whose workers die, whose node fails and whose database is restored from a copy."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.random = folder, random.Random(seed)
        self.node, self.clock = Shelf(seed), Clock()
        self.issued = IssuedFile(folder / "issued.db")
        self.shown: dict[str, MachineName] = {}
        self.database = sqlite_city(folder / "city")
        fill(self.database, 0)
        self.workers = [self._worker() for _ in range(2)]

    def _worker(self) -> Registrar:
        return made(self.database, self.node, self.clock, rules(issued=self.issued))

    async def live(self) -> None:
        for number in range(ROUNDS):
            await self.step(self.random.randrange(2))
            self.note_shown()
            happening = self.random.random()
            if happening < 0.5:
                self.load(self.random.randrange(MACHINES))
            elif happening < 0.6:
                self.change(number)
            elif happening < 0.7:
                self.copy()
            elif happening < 0.8:
                self.restore()
            self.clock.ms += self.random.choice([500, 5_000, 130_000])
        self.load(MACHINES)
        self.node.trouble = 0.0
        for _ in range(12):
            self.clock.ms += DAY_MS // 4
            while await self.step(0):
                pass
            self.note_shown()

    async def step(self, worker: int) -> bool:
        try:
            return await self.workers[worker].step()
        except Killed:
            self.workers[worker] = self._worker()
            return False

    def load(self, number: int) -> None:
        """Some of the machines stand in the ledger from now on, in whatever order."""
        names = [f"A{one:03d}" for one in self.random.sample(range(MACHINES), number)]

        def work(connection: Connection) -> None:
            there = set(connection.scalars(select(equipment.c.asset_no)))
            for one in names:
                if one not in there:
                    add_machine(connection, USCCS[int(one[1:]) % 2], one, category="451")

        self.database.run_now(work)

    def change(self, number: int) -> None:
        """The ledger says something else of all its machines."""

        def work(connection: Connection) -> None:
            connection.execute(update(equipment_rows).values(model=f"M{number}"))
            machines = list(connection.scalars(select(equipment.c.id)))
            queue_updates(connection, machines, self.clock.ms)

        self.database.run_now(work)

    def copy(self) -> None:
        self._close()
        shutil.rmtree(self.folder / "copy", ignore_errors=True)
        shutil.copytree(self.folder / "city", self.folder / "copy")
        self._open()

    def restore(self) -> None:
        if (self.folder / "copy").exists():
            self._close()
            shutil.rmtree(self.folder / "city")
            shutil.copytree(self.folder / "copy", self.folder / "city")
            self._open()

    def _close(self) -> None:
        self.database.close()

    def _open(self) -> None:
        self.database = sqlite_city(self.folder / "city")
        self.workers = [self._worker() for _ in range(2)]

    def note_shown(self) -> None:
        """What people have seen, and may have printed, by now."""
        for handle, name in confirmed(self.database).items():
            assert self.shown.setdefault(handle, name) == name, "shown for two machines"


def confirmed(database: Database) -> dict[str, MachineName]:
    query = (
        select(identifier.c.handle, equipment.c.uscc, equipment.c.site_no, equipment.c.asset_no)
        .join(equipment, equipment.c.id == identifier.c.equipment_id)
        .where(identifier.c.registered_ms.is_not(None))
    )
    rows = database.run_now(lambda c: c.execute(query).all())
    return {row.handle: MachineName(*row[1:]) for row in rows}


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_kills_faults_and_restored_copies_in_any_order(tmp_path: Path, seed: int) -> None:
    """Seeds that fail where the file of issued identifiers is not asked: no sample of all.

    Of the seeds 0 to 4 these three did; 0 and 4 passed without the rule.
    """
    life = Life(tmp_path, seed)
    await life.live()
    assert life.node.overwritten == []
    final = confirmed(life.database)
    assert len(final) == MACHINES, "each machine has its identifier"
    assert life.shown.items() <= final.items(), "what was shown once holds for ever"
    held = {record.handle: owner_of(record) for record in life.node.records.values()}
    assert held == final, "and each resolves to its machine, with nothing beside"
    life.database.close()
    life.issued.close()


async def test_a_number_that_another_city_has_taken_is_passed_over(tmp_path: Path) -> None:
    """Two cities by mistake register below one prefix."""
    node = Shelf(1)
    node.trouble = 0.0
    databases = [sqlite_city(tmp_path / name) for name in ("a", "b")]
    fill(databases[0], 4)
    fill(databases[1], 0)
    databases[1].run_now(
        lambda c: [add_machine(c, USCCS[0], f"B{n}", category="451") for n in "123"]
    )
    for database in databases:
        one = made(database, node, Clock())
        while await one.step():
            pass
    final = confirmed(databases[0]) | confirmed(databases[1])
    assert len(final) == 7
    assert {record.handle: owner_of(record) for record in node.records.values()} == final
    for database in databases:
        database.close()
