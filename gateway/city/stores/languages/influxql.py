"""InfluxQL: names, literals, and the statements that count an hour. Pure."""

# ruff: noqa: S608 - InfluxQL binds no names; `name` and `literal` quote

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import cycle
from typing import Any, NamedTuple

from gateway.city.stores.api import TAGS, Series
from gateway.city.stores.hours import Tally
from gateway.city.stores.marks import DOUBTED, REPLAYED, is_mark

Result = Mapping[str, Any]
"""One table of an answer: ``name``, ``tags``, ``columns``, ``values``."""
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_BY_SERIES = "GROUP BY " + ", ".join(f'"{tag}"' for tag in TAGS)
_COUNT = "count_"


class Policy(NamedTuple):
    """A retention policy: its name, how long it keeps values (None: for ever), the database's."""

    name: str
    kept: timedelta | None
    is_default: bool


def policies(found: Sequence[Result]) -> list[Policy]:
    """What ``SHOW RETENTION POLICIES`` found.

    Raises:
        ValueError: that is not what was asked for, or a duration cannot be read.
    """
    rows = [dict(zip(one["columns"], row, strict=True)) for one in found for row in one["values"]]
    try:
        return [Policy(row["name"], _kept(row["duration"]), row["default"]) for row in rows]
    except KeyError as error:
        raise ValueError(f"its answer has no column {error}") from error


def _kept(text: str) -> timedelta | None:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no duration")
    hours, minutes, seconds = (int(one or 0) for one in match.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds) or None


def name(text: str) -> str:
    """An identifier: measurement, field, tag or retention policy."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def literal(text: str) -> str:
    """A string."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def within(from_ms: int, to_ms: int) -> str:
    """The condition ``from_ms <= time < to_ms``."""
    return f"time >= {from_ms}ms AND time < {to_ms}ms"


def is_series(series: Series) -> str:
    """The condition on the tags of one series."""
    return " AND ".join(f"{name(tag)} = {literal(getattr(series, tag))}" for tag in TAGS)


def counts(found: Sequence[Result]) -> Iterator[tuple[Series, str, int]]:
    """What ``SELECT count(*)`` found: series (if grouped by it), field and number.

    Fields that the tables name without holding a value of them are left out.
    """
    for table in found:
        series = _series(table)
        for row in table["values"]:
            for column, number in zip(table["columns"][1:], row[1:], strict=True):
                if number:
                    yield series, column.removeprefix(_COUNT), int(number)


def held_statement(source: str, where: str) -> str:
    """The statement whose answer :func:`hours_in` understands."""
    return f"SELECT count(*) FROM {source} WHERE {where} GROUP BY time(1h) fill(none)"


def hours_in(held: Sequence[Result]) -> list[int]:
    """Beginnings of the hours that hold values, UTC milliseconds."""
    return [int(row[0]) for table in held for row in table["values"]]


def hour_statements(source: str, where: str) -> list[str]:
    """Statements whose answers :func:`note_hour` understands: numbers, first line, last line."""
    found = f"FROM {source} WHERE {where} {_BY_SERIES}"
    return [
        f"SELECT count(*) {found}",
        f"SELECT * {found} ORDER BY time ASC LIMIT 1",
        f"SELECT * {found} ORDER BY time DESC LIMIT 1",
    ]


def note_hour(tally: Tally, answers: Sequence[Sequence[Result]]) -> list[str]:
    """Note what an hour holds; returns the marks that occur in it.

    Args:
        tally: where it is noted.
        answers: to the statements of :func:`hour_statements`.
    """
    marks: set[str] = set()
    numbers, first, last = answers
    for series, field, number in counts(numbers):
        if is_mark(field):
            marks.add(field)
        else:
            tally.values[series] += number
    tally.first_ms |= {_series(table): int(table["values"][0][0]) for table in first}
    tally.last_ms |= {_series(table): int(table["values"][0][0]) for table in last}
    return sorted(marks)


def mark_statements(mark: str, source: str, where: str) -> list[str]:
    """Statements whose answers :func:`note_marks` understands: all, replays, clock doubt."""
    count = f"SELECT count({name(mark)}) FROM {source} WHERE {where}"
    conditions = (f"{name(mark)} <> 0", _any(mark, REPLAYED), _any(mark, DOUBTED))
    return [f"{count} AND ({condition}) {_BY_SERIES}" for condition in conditions]


def note_marks(tally: Tally, answers: Sequence[Sequence[Result]]) -> None:
    """Note of what quality values are by the answers to the statements of some marks."""
    kinds = cycle((tally.marked, tally.replayed, tally.doubted))
    for kind, answer in zip(kinds, answers, strict=False):
        for series, _, number in counts(answer):
            kind[series] += number


def _any(mark: str, codes: Sequence[int]) -> str:
    return " OR ".join(f"{name(mark)} = {code}" for code in codes)


def _series(table: Result) -> Series:
    tags = table.get("tags", {})
    return Series(measurement=table["name"], **{tag: tags.get(tag, "") for tag in TAGS})
