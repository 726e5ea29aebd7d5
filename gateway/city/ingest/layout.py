"""Decoded values → rows by machine. Pure.

A schema is split by its machines once (:class:`Layout`); after that a batch is cut into columns
without looking at its tags again. Batches of one schema that come together share a table.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from gateway.city.stores.api import Rows, Series, Value
from gateway.core.batch import Batch, Changes, Status
from gateway.core.schema import Column, Kind, Schema
from gateway.core.status import GOOD

_DENSE = 4
"""Changes fill a table of all their times if at most one cell in this many holds a value less."""
_CHUNK = 128
"""Otherwise tables of so many times are made, with only the fields that occur in them."""


@dataclass(frozen=True, slots=True)
class Part:
    """The tags of one machine within a schema.

    Attributes:
        series: tags of its lines.
        fields: field names.
        index: positions of the fields in the schema, ascending.
        cuts: for every run of kinds of the fields (run of the schema, positions within it).
    """

    series: Series
    fields: tuple[str, ...]
    index: npt.NDArray[np.intp]
    cuts: tuple[tuple[int, npt.NDArray[np.intp] | slice], ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """A schema of a gateway, cut by machine.

    Attributes:
        schema: what is cut.
        parts: its machines that have tags.
        part: which part a tag belongs to.
        field: which field of that part a tag is.
    """

    schema: Schema
    parts: tuple[Part, ...]
    part: npt.NDArray[np.intp]
    field: npt.NDArray[np.intp]


def layout_of(gateway: str, schema: Schema) -> Layout:
    """Cut a schema by its machines.

    Args:
        gateway: the gateway that sent it.
        schema: one that :func:`gateway.city.ingest.admission.objection` has nothing against.
    """
    machines, part = np.unique([tag.equipment for tag in schema.tags], return_inverse=True)
    by_part = np.argsort(part, kind="stable")
    cuts = np.split(by_part, np.flatnonzero(np.diff(part[by_part])) + 1)
    field = np.empty(len(part), np.intp)
    for index in cuts:
        field[index] = np.arange(len(index))
    parts = map(partial(_part, gateway, schema), machines.tolist(), cuts)
    return Layout(schema, tuple(parts), part, field)


def series_of(gateway: str, schema: Schema, position: int) -> Series:
    """The series of one machine of a schema that a gateway sent."""
    machine = schema.equipment[position]
    return Series(
        schema.profile, machine.uscc, machine.site_no, gateway, schema.device, machine.asset_no
    )


def _part(gateway: str, schema: Schema, position: int, index: npt.NDArray[np.intp]) -> Part:
    fields = tuple(schema.tags[i].name for i in index.tolist())
    series = series_of(gateway, schema, position)
    return Part(series, fields, index, tuple(_cuts(schema, index)))


def _cuts(
    schema: Schema, index: npt.NDArray[np.intp]
) -> Iterable[tuple[int, npt.NDArray[np.intp] | slice]]:
    for number, run in enumerate(schema.runs):
        within = index[(index >= run.start) & (index < run.stop)] - run.start
        if len(within) == len(run):
            yield number, slice(None)
        elif len(within):
            yield number, within


def batch_rows(layout: Layout, batches: Sequence[Batch]) -> list[Rows]:
    """Rows of batches that follow one schema: a line a machine and batch."""
    time_ms = np.array([batch.time_ms for batch in batches], np.int64)
    present = np.array([batch.present for batch in batches])
    columns = [np.array(run) for run in zip(*(batch.columns for batch in batches), strict=True)]
    status = _statuses(batches)
    return [
        Rows(
            part.series,
            part.fields,
            time_ms,
            tuple(columns[run][:, cut] for run, cut in part.cuts),
            present if len(part.fields) == present.shape[1] else present[:, part.index],
            None if status is None else _unless_good(status[:, part.index]),
        )
        for part in layout.parts
    ]


def _statuses(batches: Sequence[Batch]) -> Status | None:
    """uint8[batches, tags] of batches of one schema; None if everything is GOOD."""
    if all(batch.status is None for batch in batches):
        return None
    table = np.full((len(batches), batches[0].cells), GOOD, np.uint8)
    for line, batch in zip(table, batches, strict=True):
        if batch.status is not None:
            line[batch.present] = batch.status[batch.present]
    return table


def _unless_good(table: Status) -> Status | None:
    """The statuses of a machine's values; None if all of them are GOOD."""
    return table if (table != GOOD).any() else None


def change_rows(layout: Layout, changes: Changes) -> list[Rows]:
    """Rows of values that came one by one: those of one machine and time share a line.

    Args:
        layout: of the schema of the changes.
        changes: with ascending index, as :func:`is_ordered` says.
    """
    values = {
        run.kind: (run.start, column)
        for run, column in zip(layout.schema.runs_at(changes.index), changes.columns, strict=True)
    }
    part = layout.part[changes.index]
    order = np.lexsort((changes.time_ms, part))
    tables: list[Rows] = []
    for mine in _split(order, part[order]):
        one = layout.parts[part[mine[0]]]
        tables += [
            _table(layout, one, changes, values, chosen) for chosen in _chunks(one, changes, mine)
        ]
    return tables


def is_ordered(changes: Changes) -> bool:
    """Whether changes keep the order of the format: by tag, then strictly by time."""
    step = np.diff(changes.index.astype(np.int64))
    later = np.diff(changes.time_ms) > 0
    return bool(np.all((step > 0) | ((step == 0) & later)))


def _split(
    index: npt.NDArray[np.intp], groups: npt.NDArray[np.intp]
) -> Sequence[npt.NDArray[np.intp]]:
    """Cut an index where the group changes; nothing of nothing."""
    return np.split(index, np.flatnonzero(_begins(groups))[1:]) if len(index) else ()


def _chunks(
    part: Part, changes: Changes, mine: npt.NDArray[np.intp]
) -> Sequence[npt.NDArray[np.intp]]:
    """Cut what has come of a part, in order of time, into tables."""
    starts = np.flatnonzero(_begins(changes.time_ms[mine]))
    if len(starts) * len(part.fields) <= _DENSE * len(mine) or len(starts) <= _CHUNK:
        return (mine,)
    return np.split(mine, starts[_CHUNK::_CHUNK])


def _begins(ascending: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Where a number differs from the one before it."""
    return np.concatenate(([True], ascending[1:] != ascending[:-1]))


def _table(
    layout: Layout,
    part: Part,
    changes: Changes,
    values: Mapping[Kind, tuple[int, Column]],
    chosen: npt.NDArray[np.intp],
) -> Rows:
    place, time_ms = layout.field[changes.index[chosen]], changes.time_ms[chosen]
    begins = _begins(time_ms)
    times, row = time_ms[begins], np.cumsum(begins) - 1
    occurs = np.zeros(len(part.fields), np.bool_)
    occurs[place] = True
    fields, field = np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[place]
    present = np.zeros((len(times), len(fields)), np.bool_)
    present[row, field] = True
    columns = []
    for run in layout.schema.runs_at(part.index[fields]):
        inside = (field >= run.start) & (field < run.stop)
        start, column = values[run.kind]
        table = np.full((len(times), len(run)), _blank(run.kind), dtype=run.kind.dtype)
        table[row[inside], field[inside] - run.start] = column[chosen[inside] - start]
        columns.append(table)
    status = None
    if changes.status is not None:
        table = np.full(present.shape, GOOD, np.uint8)
        table[row, field] = changes.status[chosen]
        status = _unless_good(table)
    names = tuple(part.fields[i] for i in fields.tolist())
    return Rows(part.series, names, times, tuple(columns), present, status)


def _blank(kind: Kind) -> Value:
    return "" if kind is Kind.STRING else 0
