"""Decoded values → rows by machine. Pure.

A schema is split by its machines once (:class:`Layout`); after that a batch is cut into columns
without looking at its tags again. Batches of one schema that come together share a table.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gateway.city.stores.api import Rows, Series, Value
from gateway.core.batch import Batch, Changes
from gateway.core.schema import Column, Kind, Schema

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
    """A schema of a gateway, cut by machine."""

    schema: Schema
    parts: tuple[Part, ...]


def layout_of(gateway: str, schema: Schema) -> Layout:
    """Cut a schema by its machines.

    Args:
        gateway: the gateway that sent it.
        schema: one that :func:`gateway.city.admission.objection` has nothing against.
    """
    parts = (_part(gateway, schema, position) for position in range(len(schema.equipment)))
    return Layout(schema, tuple(part for part in parts if part.fields))


def series_of(gateway: str, schema: Schema, position: int) -> Series:
    """The series of one machine of a schema that a gateway sent."""
    machine = schema.equipment[position]
    return Series(
        schema.profile, machine.uscc, machine.site_no, gateway, schema.device, machine.asset_no
    )


def _part(gateway: str, schema: Schema, position: int) -> Part:
    index = np.array([i for i, tag in enumerate(schema.tags) if tag.equipment == position], np.intp)
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
    return [
        Rows(
            part.series,
            part.fields,
            time_ms,
            tuple(columns[run][:, cut] for run, cut in part.cuts),
            present if len(part.fields) == present.shape[1] else present[:, part.index],
        )
        for part in layout.parts
    ]


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
    return [
        rows
        for part in layout.parts
        for chosen in _chunks(part, changes)
        for rows in [_table(layout.schema, part, changes, values, chosen)]
    ]


def is_ordered(changes: Changes) -> bool:
    """Whether changes keep the order of the format: by tag, then strictly by time."""
    step = np.diff(changes.index.astype(np.int64))
    later = np.diff(changes.time_ms) > 0
    return bool(np.all((step > 0) | ((step == 0) & later)))


def _chunks(part: Part, changes: Changes) -> Sequence[npt.NDArray[np.intp]]:
    mine = np.arange(changes.count)
    if len(part.fields) < len(changes.schema.tags):
        mine = np.flatnonzero(np.isin(changes.index, part.index))
    if not len(mine):
        return ()
    mine = mine[np.argsort(changes.time_ms[mine], kind="stable")]
    starts = np.flatnonzero(_begins(changes.time_ms[mine]))
    if len(starts) * len(part.fields) <= _DENSE * len(mine) or len(starts) <= _CHUNK:
        return (mine,)
    return np.split(mine, starts[_CHUNK::_CHUNK])


def _begins(ascending: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Where a number differs from the one before it."""
    return np.concatenate(([True], ascending[1:] != ascending[:-1]))


def _table(
    schema: Schema,
    part: Part,
    changes: Changes,
    values: Mapping[Kind, tuple[int, Column]],
    chosen: npt.NDArray[np.intp],
) -> Rows:
    index, time_ms = changes.index[chosen], changes.time_ms[chosen]
    begins = _begins(time_ms)
    times, row = time_ms[begins], np.cumsum(begins) - 1
    occurs = np.zeros(len(schema.tags), np.bool_)
    occurs[index] = True
    tags, field = np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[index]
    present = np.zeros((len(times), len(tags)), np.bool_)
    present[row, field] = True
    columns = []
    for run in schema.runs_at(tags):
        inside = (field >= run.start) & (field < run.stop)
        start, column = values[run.kind]
        table = np.full((len(times), len(run)), _blank(run.kind), dtype=run.kind.dtype)
        table[row[inside], field[inside] - run.start] = column[chosen[inside] - start]
        columns.append(table)
    names = tuple(schema.tags[i].name for i in tags.tolist())
    return Rows(part.series, names, times, tuple(columns), present)


def _blank(kind: Kind) -> Value:
    return "" if kind is Kind.STRING else 0
