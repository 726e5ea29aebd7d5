"""Drivers that push, and break one rule of subscriptions each."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
from broken_base import Sound

from gateway.core.batch import Reading, Status
from gateway.core.schema import runs_of
from gateway.core.status import FIRST_BAD
from gateway.drivers.api import Arrivals, NotConnectedError, Point, Value


class Pushing(Sound):
    """Not broken: a subscription that is a poll in truth."""

    points: Sequence[Point] = ()
    last: dict[int, Value]

    async def subscribe(self, _group: str, points: Sequence[Point], _interval_ms: int) -> Status:
        self.points, self.last = points, {}
        return np.where((await self.read(self.plan(points))).status >= FIRST_BAD, 0x82, 0)

    async def arrivals(self) -> Sequence[Arrivals]:
        while True:
            reading = await self.read(self.plan(self.points))
            if index := self.news(reading):
                return [self.delivery(index)]
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), 0.01)

    def news(self, reading: Reading) -> list[int]:
        values = [value for column in reading.columns for value in column.tolist()]
        good = {i: v for i, v in enumerate(values) if reading.status[i] < FIRST_BAD}
        changed = [i for i, value in good.items() if self.last.get(i) != value]
        self.last |= good
        return changed

    def delivery(self, index: list[int]) -> Arrivals:
        runs = runs_of(self.points[i].kind for i in index)
        values = [self.last[i] for i in index]
        columns = tuple(np.array(values[run.span], run.kind.dtype) for run in runs)
        times, status = np.zeros(len(index), np.int64), np.zeros(len(index), np.uint8)
        return Arrivals("group", np.array(index, np.uint32), times, columns, status)


class PushesInAnyOrder(Pushing):
    """D-18."""

    def delivery(self, index: list[int]) -> Arrivals:
        return super().delivery(index[::-1])


class AcceptsTheUnknown(Pushing):
    """D-18."""

    async def subscribe(self, group: str, points: Sequence[Point], interval_ms: int) -> Status:
        return np.zeros_like(await super().subscribe(group, points, interval_ms))


class PushesNoFirstValues(Pushing):
    """D-18."""

    async def subscribe(self, group: str, points: Sequence[Point], interval_ms: int) -> Status:
        status = await super().subscribe(group, points, interval_ms)
        self.news(await self.read(self.plan(points)))
        return status


class PushesOnlyFirstValues(Pushing):
    """D-18."""

    def news(self, reading: Reading) -> list[int]:
        return [] if self.last else super().news(reading)


class NeverNoticesSilence(Pushing):
    """D-19."""

    async def arrivals(self) -> Sequence[Arrivals]:
        try:
            return await super().arrivals()
        except NotConnectedError:
            return []
