"""What a sort of papers is: its table, its words, and how it is kept."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from gateway.city.access.principal import EVERYTHING, Scope
from gateway.city.ledger.bitemporal.acts import Kind
from gateway.city.ledger.codes import Name
from gateway.city.ledger.papers.standing import Kept, Paper, Standing
from gateway.city.ledger.sheet.columns.column import Column
from gateway.city.ledger.sheet.parsing import Record
from gateway.city.ledger.sheet.problems import Problem
from gateway.city.ledger.sheet.values import Value

P = TypeVar("P", bound=Paper)


class PaperError(Exception):
    """A paper cannot be ended; the message says why."""


@dataclass(frozen=True, slots=True)
class Keeping(Generic[P]):
    """How papers of a sort lie in the database.

    Attributes:
        kept: in which table, and which of them stand.
        write: say some, by an act that has begun.
        end: say the last day of one by an act that has begun, or (None) take it back.
        misplaced: column key and what is wrong where the ledger has nothing that it is of.
    """

    kept: Kept[P]
    write: Callable[[Connection, int, Sequence[P]], None]
    end: Callable[[Connection, int, Standing[P], date | None], None]
    misplaced: Callable[[Connection, P], tuple[str, str] | None]


@dataclass(frozen=True, slots=True)
class Sort(Generic[P]):
    """A sort of papers.

    Attributes:
        name: as commands and addresses have it, ``stops``.
        one: one of them in a sentence, ``stop``.
        sheet: name of its table.
        columns: of the table.
        fields: names in ``make`` of columns whose keys are others.
        make: a paper by its fields.
        keeping: how they lie in the database.
        entering: act by which they are said.
        ending: act by which one is ended.
        has_last_day: one is ended with a day; otherwise it is taken back as if it never was.
        names: of papers of which the newer one stands for the older one; the whole if it is new
            whatever else is said.
        longest: days that one may have; 0: any.
        shown: words for values of columns that have no choices.
    """

    name: str
    one: str
    sheet: Name
    columns: tuple[Column, ...]
    fields: Mapping[str, str]
    make: Callable[..., P]
    keeping: Keeping[P]
    entering: Kind
    ending: Kind
    has_last_day: bool = False
    names: Callable[[P], Hashable] = lambda paper: paper
    longest: int = 0
    shown: Mapping[str, Callable[[Any], str]] = field(default_factory=dict)

    def standing(
        self, connection: Connection, uscc: str | None = None, scope: Scope = EVERYTHING
    ) -> list[Standing[P]]:
        """Those that stand."""
        return self.keeping.kept.standing(connection, uscc, scope=scope)

    def label(self, of: Standing[P]) -> str:
        """One of them in a sentence: by the number that it bears, or that of its entry."""
        return f"{self.one} {getattr(of.what, 'number', of.number)}"

    def field_of(self, column: Column) -> str:
        """The field that a column fills."""
        return self.fields.get(column.key, column.key)

    def paper(self, record: Record) -> P:
        """What a row says, in which nothing is wrong."""
        return self.make(
            **{name: _filled(name, record.values.get(key)) for key, name in self._keys()}
        )

    def contradictions(self, records: Sequence[Record]) -> Iterator[Problem]:
        """What contradicts itself in rows."""
        by_field = {name: key for key, name in self._keys()}
        seen = set[Hashable]()
        for record in records:
            yield from self._days(record, by_field["first_day"], by_field["last_day"])
            if "number" in by_field:
                key = by_field["number"]
                named = record.values.get("uscc"), record.values.get(key)
                if None not in named and named in seen:
                    text = f"{self.one} {named[1]} of {named[0]} stands here twice"
                    yield record.problem(key, text)
                seen.add(named)

    def texts(self, paper: P) -> dict[str, str]:
        """What one says, as cells of the table hold it: by column key, choices by their code."""
        values = asdict(paper)  # type: ignore[call-overload]  # each is a dataclass
        return {key: self._text(key, values[name]) for key, name in self._keys()}

    def _keys(self) -> Iterator[tuple[str, str]]:
        return ((one.key, self.field_of(one)) for one in self.columns)

    def _days(self, record: Record, begins: str, ends: str) -> Iterator[Problem]:
        first, last = record.values.get(begins), record.values.get(ends)
        if not (isinstance(first, date) and isinstance(last, date)):
            return
        if last < first:
            text = f"{last} is before {first}, on which the {self.one} begins"
            yield record.problem(ends, text)
        elif self.longest and (last - first).days >= self.longest:
            text = f"the {self.one} is longer than {self.longest} days; mistyped?"
            yield record.problem(ends, text)

    def _text(self, key: str, value: object) -> str:
        if key in self.shown:
            return self.shown[key](value)
        return value.isoformat() if isinstance(value, date) else str(value or "")


def _filled(name: str, value: Value) -> Value:
    """An empty cell is an empty text, and no last day."""
    return "" if value is None and name != "last_day" else value
