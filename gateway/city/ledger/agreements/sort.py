"""Data agreements as a sort of papers: the newest entry of a number holds."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date

from sqlalchemy import Connection, insert

from gateway.city.db.schema.ledger_history import data_agreement
from gateway.city.ledger.agreements.agreement import Agreement
from gateway.city.ledger.agreements.held import AGREED, standing
from gateway.city.ledger.agreements.table import COLUMNS, SHEET
from gateway.city.ledger.bitemporal.acts import Kind
from gateway.city.ledger.papers.sort import Keeping, PaperError, Sort
from gateway.city.ledger.papers.standing import Standing


def _misplaced(_connection: Connection, _agreement: Agreement) -> None:
    """An agreement is of the enterprise as such."""


def _write(connection: Connection, act: int, agreements: Sequence[Agreement]) -> None:
    rows = [{**asdict(one), "points": " ".join(one.points), "act_id": act} for one in agreements]
    connection.execute(insert(data_agreement), rows)


def _end(connection: Connection, act: int, of: Standing[Agreement], last_day: date | None) -> None:
    _write(connection, act, [replace(of.what, last_day=last_day)])


AGREEMENTS = Sort(
    name="agreements",
    one="agreement",
    sheet=SHEET,
    columns=COLUMNS,
    fields={"agreement": "number", "agreed_from": "first_day", "agreed_to": "last_day"},
    make=Agreement,
    keeping=Keeping(AGREED, _write, _end, _misplaced),
    entering=Kind.AGREEMENTS,
    ending=Kind.AGREEMENT_END,
    has_last_day=True,
    names=lambda one: (one.uscc, one.number),
    shown={"points": " ".join},
)


def entry_of(connection: Connection, uscc: str, number: str) -> int:
    """The entry of an agreement that holds, by the number that is written on it.

    Raises:
        PaperError: there is none.
    """
    known = {one.what.number: one.number for one in standing(connection, uscc)}
    if number not in known:
        has = f"it has {', '.join(known)}" if known else "it has none"
        raise PaperError(f"enterprise {uscc} has no agreement {number}; {has}")
    return known[number]
