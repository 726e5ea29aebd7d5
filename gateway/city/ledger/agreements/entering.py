"""Enter data agreements, and end them: acts upon the ledger, which only ever add."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

from sqlalchemy import Connection, insert, select

from gateway.city.db.schema.ledger_history import data_agreement
from gateway.city.db.tables import enterprise
from gateway.city.ledger.agreements.agreement import Agreement
from gateway.city.ledger.agreements.held import standing
from gateway.city.ledger.agreements.table import read_agreements
from gateway.city.ledger.bitemporal.acts import Doing, Kind, begin, conclude
from gateway.city.ledger.sheet.problems import LedgerError
from gateway.core.days import day_of
from gateway.relational.database import alone


class AgreementError(Exception):
    """An agreement cannot be ended; the message says why."""


@dataclass(frozen=True, slots=True)
class Entered:
    """What an import of agreements did.

    Attributes:
        added: agreements that are new.
        changed: that are said anew; the entry before stays in their history.
        unchanged: that were entered before.
    """

    added: int
    changed: int
    unchanged: int


def enter_agreements(
    connection: Connection, files: Sequence[Path], now_ms: int, made_by: str = ""
) -> Entered:
    """Import files of data agreements: all rows or none of them.

    A row of a number that is known already says that agreement anew, from now on.

    Args:
        connection: the city's database, in a transaction that has done nothing yet.
        files: CSV or XLSX.
        now_ms: UTC milliseconds.
        made_by: who imports.

    Raises:
        LedgerError: every mistake; nothing was changed.
    """
    rows = read_agreements(files, day_of(now_ms))
    alone(connection, "ledger")
    members = set(connection.scalars(select(enterprise.c.uscc)))
    unknown = [row for row, one in rows if one.uscc not in members]
    if unknown:
        why = "the ledger has no such enterprise; import it first, or mend the row"
        raise LedgerError([row.problem("uscc", why) for row in unknown])
    known = {
        (one.agreement.uscc, one.agreement.number): one.agreement for one in standing(connection)
    }
    new = [one for _, one in rows if known.get((one.uscc, one.number)) != one]
    if new:
        doing = Doing(Kind.AGREEMENTS, made_by, ", ".join(one.name for one in files), now_ms)
        _write(connection, doing, new)
    added = sum((one.uscc, one.number) not in known for one in new)
    return Entered(added, len(new) - added, len(rows) - len(new))


def end_agreement(
    connection: Connection,
    key: tuple[str, str],
    last_day: date,
    reason: str,
    now_ms: int,
    made_by: str = "",
) -> None:
    """Say the last day of an agreement; from the day after, nothing new is stored by it.

    Args:
        connection: the city's database, in a transaction that has done nothing yet.
        key: enterprise and number.
        last_day: Asia/Shanghai day, the last on which it holds.
        reason: in words.
        now_ms: UTC milliseconds.
        made_by: who says so.

    Raises:
        AgreementError: there is no such agreement, no reason, or the day cannot be.
    """
    reason = " ".join(reason.split())
    uscc, number = key
    if not reason:
        raise AgreementError(f"say why agreement {number} ends")
    alone(connection, "ledger")
    known = {one.agreement.number: one.agreement for one in standing(connection, uscc)}
    agreement = known.get(number)
    if agreement is None:
        has = f"it has {', '.join(known)}" if known else "it has none"
        raise AgreementError(f"enterprise {uscc} has no agreement {number}; {has}")
    if last_day < agreement.first_day:
        raise AgreementError(
            f"agreement {number} begins on {agreement.first_day}, and cannot end on {last_day}"
        )
    doing = Doing(Kind.AGREEMENT_END, made_by, f"{uscc} {number}: {reason}", now_ms)
    _write(connection, doing, [replace(agreement, last_day=last_day)])


def _write(connection: Connection, doing: Doing, agreements: Sequence[Agreement]) -> None:
    act = begin(connection, doing)
    rows = [{**asdict(one), "points": " ".join(one.points), "act_id": act} for one in agreements]
    connection.execute(insert(data_agreement), rows)
    conclude(connection, act, doing)
