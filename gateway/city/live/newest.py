"""Newest values of the tags of one schema, as columns; an object is made only to look at one."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gateway.city.stores.api import Value
from gateway.core.batch import NEVER, Batch, Changes
from gateway.core.schema import Column, Schema, empty_columns
from gateway.core.status import GOOD
from gateway.core.values.plain import plain_values


@dataclass(frozen=True, slots=True)
class LiveValue:
    """The newest value of one tag, the group it is read with, and its status byte."""

    value: Value
    time_ms: int
    unit: str
    label_zh: str
    label_en: str
    role: str
    group: str
    status: int = GOOD


class Newest:
    """Newest values, their times and status bytes for every tag of one schema."""

    __slots__ = ("columns", "schema", "status", "times")

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.columns = empty_columns(schema.runs)
        self.times = np.full(len(schema.tags), NEVER, np.int64)
        self.status = np.full(len(schema.tags), GOOD, np.uint8)

    def update(self, batch: Batch) -> None:
        """Keep the values that are not older than what is held (backlog comes late)."""
        newer = batch.present & (self.times <= batch.time_ms)
        self.times[newer] = batch.time_ms
        self.status[newer] = GOOD if batch.status is None else batch.status[newer]
        for run, mine, column in zip(self.schema.runs, self.columns, batch.columns, strict=True):
            np.copyto(mine, column, where=newer[run.span])

    def update_changes(self, changes: Changes, latest_ms: int) -> None:
        """Keep the newest change of every tag (changes of a tag are in order of time)."""
        index = changes.index.astype(np.intp)
        good = changes.time_ms <= latest_ms
        last = good.copy()
        last[:-1] &= (index[1:] != index[:-1]) | ~good[1:]
        last &= self.times[index] <= changes.time_ms
        self.times[index[last]] = changes.time_ms[last]
        self.status[index[last]] = GOOD if changes.status is None else changes.status[last]
        for run, column in zip(self.schema.runs_at(index), changes.columns, strict=True):
            chosen = last[run.span]
            self._scatter(index[run.span][chosen], column[chosen])

    def _scatter(self, index: npt.NDArray[np.intp], values: Column) -> None:
        for run, mine in zip(self.schema.runs, self.columns, strict=True):
            inside = (index >= run.start) & (index < run.stop)
            mine[index[inside] - run.start] = values[inside]

    def heard(self, equipment: int) -> bool:
        """Whether values of a machine came."""
        return any(
            tag.equipment == equipment and time != NEVER
            for tag, time in zip(self.schema.tags, self.times.tolist(), strict=True)
        )

    def values(self, equipment: int) -> Iterator[tuple[str, LiveValue]]:
        """The tags of one machine that have a value."""
        for run, column in zip(self.schema.runs, self.columns, strict=True):
            for at in range(run.start, run.stop):
                tag = self.schema.tags[at]
                if tag.equipment == equipment and self.times[at] != NEVER:
                    (value,) = plain_values(column[at - run.start : at - run.start + 1])
                    yield (
                        tag.name,
                        LiveValue(
                            value,
                            int(self.times[at]),
                            tag.unit,
                            tag.label_zh or tag.name,
                            tag.label_en or tag.name,
                            tag.role,
                            self.schema.group,
                            int(self.status[at]),
                        ),
                    )
