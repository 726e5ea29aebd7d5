"""Enter papers, and end them: acts upon the ledger, which only ever add."""

import hashlib
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, select

from gateway.city.access.principal import EVERYTHING, Scope
from gateway.city.access.scoping import owned
from gateway.city.db.tables import enterprise
from gateway.city.ledger.bitemporal.acts import Doing, begin, conclude
from gateway.city.ledger.importing.terms import FREELY, OutdatedError, Terms, not_yours
from gateway.city.ledger.papers.sort import PaperError, Sort
from gateway.city.ledger.papers.standing import Paper, machines_of
from gateway.city.ledger.sheet.parsing import Record, parse_rows
from gateway.city.ledger.sheet.problems import LedgerError, Problem
from gateway.city.ledger.sheet.reading import LedgerSheet, read_sheets
from gateway.core.days import day_of
from gateway.relational.database import alone

P = TypeVar("P", bound=Paper)
Rows = Sequence[tuple[Record, P]]


@dataclass(frozen=True, slots=True)
class Entered:
    """What entering papers did, or would do.

    Attributes:
        added: papers that are new.
        changed: that are said anew; the entry before stays in their history.
        unchanged: that were entered before.
        late: new or changed ones that begin before the day of entry.
        machines: of the ledger that new and changed ones are of.
        since: how many of them by their first days.
        basis: digest of what the ledger held of them.
    """

    added: int
    changed: int
    unchanged: int
    late: int
    machines: int = 0
    since: Mapping[date, int] = field(default_factory=dict)
    basis: str = ""


def read_papers(sort: Sort[P], files: Sequence[Path], today: date) -> Rows[P]:
    """The rows of files of one sort of papers.

    Args:
        sort: of them.
        files: CSV or XLSX.
        today: of the entry.

    Raises:
        LedgerError: every mistake, by file, row and column; that there is no row is one.
    """
    problems, sheets = list[Problem](), list[LedgerSheet]()
    for file in files:
        try:
            sheets.extend(read_sheets(file))
        except LedgerError as error:
            problems.extend(error.problems)
    rows, wrong = parse_rows(sheets, sort.columns, today)
    problems += [*wrong, *sort.contradictions(rows)]
    if not rows and not problems:
        problems.extend(Problem(one.name, 0, "", "holds no row that is filled") for one in files)
    return _papers(sort, rows, problems)


def paper_of(sort: Sort[P], texts: Mapping[str, str], today: date) -> Rows[P]:
    """The one row that a person filled in a form.

    Args:
        sort: of the paper.
        texts: by column key; a key that is missing is an empty cell.
        today: of the entry.

    Raises:
        LedgerError: every mistake, by column key.
    """
    record = Record("", 0, {}, {one.key: one.key for one in sort.columns})
    problems = list[Problem]()
    for column in sort.columns:
        text = texts.get(column.key, "").strip()
        try:
            record.values[column.key] = column.convert(text, today) if text else None
            if not text and column.required:
                problems.append(record.problem(column.key, "is empty"))
        except ValueError as error:
            problems.append(record.problem(column.key, str(error)))
    return _papers(sort, [record], [*problems, *sort.contradictions([record])])


def _papers(sort: Sort[P], records: Sequence[Record], problems: Sequence[Problem]) -> Rows[P]:
    if problems:
        raise LedgerError(problems)
    return [(one, sort.paper(one)) for one in records]


def enter_files(
    connection: Connection,
    sort: Sort[P],
    files: Sequence[Path],
    now_ms: int,
    made_by: str = "",
    *,
    terms: Terms = FREELY,
    dry_run: bool = False,
) -> Entered:
    """Enter the rows of files, as :func:`enter` does.

    Args:
        connection: the city's database, in a transaction that has done nothing yet.
        sort: of the papers.
        files: CSV or XLSX.
        now_ms: UTC milliseconds.
        made_by: who enters them.
        terms: whose rows may be said, and what was seen.
        dry_run: change nothing, only say what would change.

    Raises:
        LedgerError: every mistake; nothing was changed.
        OutdatedError: the ledger is not what the terms say was seen; nothing was changed.
    """
    rows = read_papers(sort, files, day_of(now_ms))
    doing = Doing(sort.entering, made_by, ", ".join(one.name for one in files), now_ms)
    return enter(connection, sort, rows, doing, terms=terms, dry_run=dry_run)


def enter(
    connection: Connection,
    sort: Sort[P],
    rows: Rows[P],
    doing: Doing,
    *,
    terms: Terms = FREELY,
    dry_run: bool = False,
) -> Entered:
    """Say what rows say: all of them or none; what was entered before stays one.

    Args:
        connection: the city's database, in a transaction that has done nothing yet.
        sort: of the papers.
        rows: of :func:`read_papers` or :func:`paper_of`.
        doing: the act, of the sort's kind.
        terms: whose rows may be said, and what was seen.
        dry_run: change nothing, only say what would change.

    Raises:
        LedgerError: every mistake; nothing was changed.
        OutdatedError: the ledger is not what the terms say was seen; nothing was changed.
    """
    alone(connection, "ledger")
    held = {sort.names(one.what): one.what for one in sort.standing(connection)}
    said = {sort.names(paper): (record, paper) for record, paper in rows}
    new = {name: row for name, row in said.items() if held.get(name) != row[1]}
    _demand_places(connection, sort, list(new.values()), terms.scope)
    reach = {name: machines_of(connection, paper) for name, (_, paper) in new.items()}
    today, papers = day_of(doing.now_ms), [paper for _, paper in new.values()]
    basis = _digest(today, {name: held.get(name) for name in said}, reach)
    if terms.seen and terms.seen != basis:
        raise OutdatedError
    if papers and not dry_run:
        act = begin(connection, doing)
        sort.keeping.write(connection, act, papers)
        conclude(connection, act, doing)
    added = sum(name not in held for name in new)
    return Entered(
        added,
        len(new) - added,
        len(rows) - len(new),
        sum(one.first_day < today for one in papers),
        len({machine for of in reach.values() for machine in of}),
        Counter(one.first_day for one in papers),
        basis,
    )


def _demand_places(connection: Connection, sort: Sort[P], rows: Rows[P], scope: Scope) -> None:
    """See that the ledger has what rows are of, and that it is the person's who says them.

    Raises:
        LedgerError: every row of which it is not so.
    """
    columns = enterprise.c
    members = set(connection.scalars(select(columns.uscc)))
    own = set(connection.scalars(select(columns.uscc).where(owned(columns.uscc, scope))))
    problems = list[Problem]()
    for record, paper in rows:
        if paper.uscc not in members:
            text = "the ledger has no such enterprise; enter it first, or mend the row"
            problems.append(record.problem("uscc", text))
        elif paper.uscc not in own:
            problems.append(not_yours(record))
        elif misplaced := sort.keeping.misplaced(connection, paper):
            problems.append(record.problem(*misplaced))
    if problems:
        raise LedgerError(problems)


def _digest(
    today: date, held: Mapping[Hashable, Paper | None], reach: Mapping[Hashable, Sequence[int]]
) -> str:
    """What was found, so that it can be told whether it would be found again."""
    of = [sorted(map(repr, held.items())), sorted((repr(key), sorted(reach[key])) for key in reach)]
    return hashlib.sha256(f"{today}{of}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Ending:
    """That a paper ends.

    Attributes:
        number: of its entry.
        reason: in words.
        last_day: the last on which it holds, for a sort that ends with a day.
    """

    number: int
    reason: str
    last_day: date | None = None


def end(
    connection: Connection,
    sort: Sort[P],
    ending: Ending,
    now_ms: int,
    made_by: str = "",
    scope: Scope = EVERYTHING,
) -> None:
    """End a paper: what was without it holds again, in every month that is not frozen.

    Args:
        connection: the city's database, in a transaction that has done nothing yet.
        sort: of the paper.
        ending: of which one, why.
        now_ms: UTC milliseconds.
        made_by: who says so.
        scope: whose papers they may end.

    Raises:
        PaperError: there is no such paper, or no reason, or the day cannot be.
    """
    reason, number, last_day = " ".join(ending.reason.split()), ending.number, ending.last_day
    if not reason:
        raise PaperError(f"say why {sort.one} {number} ends")
    alone(connection, "ledger")
    found = {one.number: one for one in sort.standing(connection, None, scope)}.get(number)
    if found is None:
        raise PaperError(
            f"{sort.one} {number} does not stand: there is none, or somebody has ended it or said "
            "it anew"
        )
    if sort.has_last_day and (last_day is None or last_day < found.what.first_day):
        raise PaperError(
            f"{sort.label(found)} begins on {found.what.first_day}; say a last day that is not "
            "before it"
        )
    source = f"{found.what.uscc} {sort.label(found)}: {reason}"
    doing = Doing(sort.ending, made_by, source, now_ms)
    act = begin(connection, doing)
    sort.keeping.end(connection, act, found, last_day)
    conclude(connection, act, doing)
