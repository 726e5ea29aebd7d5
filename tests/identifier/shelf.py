"""A node that is no process: it keeps records, and fails in every way that a node can."""

import random
from collections.abc import Sequence
from dataclasses import replace

from gateway.city.identifiers.contents import owner_of
from gateway.identifier.record import Record
from gateway.identifier.registering.marking import marked
from gateway.identifier.registering.registry import (
    NO_LISTING,
    Abilities,
    Listing,
    Outcome,
    Reading,
    Result,
)
from gateway.identifier.template import Item


class Killed(BaseException):
    """The worker is gone, in the middle of a call."""


class Shelf:
    """Records by handle; ``fate`` says what may go wrong."""

    name = "shelf"
    abilities = Abilities(batch=5, has_templates=True)

    def __init__(self, seed: int) -> None:
        self.records: dict[str, Record] = {}
        self.overwritten: list[tuple[Record, Record]] = []
        self.trouble = 0.5
        self._random = random.Random(seed)

    def _is_struck(self) -> bool:
        return self._random.random() < self.trouble

    async def login(self) -> Result:
        return Result("", Outcome.OK)

    async def close(self) -> None:
        return

    async def read(self, handle: str) -> Reading:
        if self._is_struck() and self._is_struck():
            return Reading(
                self._random.choice([Outcome.UNKNOWN, Outcome.UNREACHABLE, Outcome.BUSY])
            )
        held = self.records.get(handle.upper())
        return Reading(Outcome.OK, held) if held else Reading(Outcome.NOT_FOUND)

    async def ensure_template(self, prefix: str, version: str, items: Sequence[Item]) -> Result:
        return Result("", Outcome.BUSY if self._is_struck() and self._is_struck() else Outcome.OK)

    async def listed(self, prefix: str, further: str = "") -> Listing:
        return NO_LISTING

    async def create(self, records: Sequence[Record]) -> list[Result]:
        return self._many(records, self._add)

    async def update(self, records: Sequence[Record]) -> list[Result]:
        return self._many(records, self._replace)

    async def withdraw(self, records: Sequence[Record], reason: str) -> list[Result]:
        return self._many([marked(one, reason) for one in records], self._replace)

    def _many(self, records: Sequence[Record], step) -> list[Result]:  # type: ignore[no-untyped-def]
        fate = self._random.choice(_FATES) if self._is_struck() else "all is well"
        if fate in ("busy", "quota", "away", "login"):
            return [Result(one.handle, _FATES_OUTCOMES[fate]) for one in records]
        if fate == "killed before":
            raise Killed
        done = self._random.randrange(len(records) + 1) if fate != "all is well" else len(records)
        results = [step(one) for one in records[:done]]
        if fate == "killed after":
            raise Killed
        if fate == "504":
            return [Result(one.handle, Outcome.UNKNOWN) for one in records]
        lost = [Result(one.handle, Outcome.UNKNOWN) for one in records[done:]]
        return results + lost

    def _add(self, record: Record) -> Result:
        if record.handle.upper() in self.records:
            return Result(record.handle, Outcome.EXISTS)
        self.records[record.handle.upper()] = record
        return Result(record.handle, Outcome.OK)

    def _replace(self, record: Record) -> Result:
        held = self.records.get(record.handle.upper())
        if held is None:
            return Result(record.handle, Outcome.NOT_FOUND)
        if owner_of(held).key != owner_of(record).key:
            self.overwritten.append((held, record))
        self.records[record.handle.upper()] = replace(record)
        return Result(record.handle, Outcome.OK)


_FATES = ("busy", "quota", "away", "login", "killed before", "killed after", "504", "some")
_FATES_OUTCOMES = {
    "busy": Outcome.BUSY,
    "quota": Outcome.QUOTA,
    "away": Outcome.UNREACHABLE,
    "login": Outcome.LOGIN,
}
