"""Who changes the ledger: what an act says counts as a whole, and is known, once it has ended."""

import time
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import Connection, Select, func, insert, select, update

from gateway.city.access.audit import Action, note
from gateway.city.db.schema.ledger_history import ledger_act
from gateway.city.ledger.changes import note_change

_MAX_NAME, _MAX_SOURCE = 100, 300
_MS = 1000


class Kind(StrEnum):
    """What people do to the ledger."""

    MIGRATION = "migration"
    IMPORT = "import"
    CORRECTION = "correction"  # of one row, on the page
    RENAMING = "renaming"
    WITHDRAWAL = "withdrawal"
    STOPS = "stops"
    STOP_END = "stop-end"
    UNDO = "undo"  # of another act, by a new one
    AGREEMENTS = "agreements"
    AGREEMENT_END = "agreement-end"
    SCHEDULES = "schedules"
    SCHEDULE_END = "schedule-end"
    ERASURE = "erasure"


@dataclass(frozen=True, slots=True)
class Doing:
    """What is done to the ledger, before it has ended.

    Attributes:
        kind: what.
        made_by: user of the system, or of a page; empty: it is not known.
        source: names of files, or what was said.
        now_ms: when it was begun, UTC milliseconds.
    """

    kind: Kind
    made_by: str
    source: str
    now_ms: int
    _begun: float = field(default_factory=time.monotonic, repr=False)

    def ends_ms(self) -> int:
        """The time now: large files are read for half a minute."""
        return self.now_ms + int((time.monotonic() - self._begun) * _MS)


def begin(connection: Connection, doing: Doing) -> int:
    """The number under which an act writes; nothing of it counts before :func:`conclude`."""
    row = insert(ledger_act).values(
        kind=doing.kind.value,
        made_by=doing.made_by[:_MAX_NAME],
        source=doing.source[:_MAX_SOURCE],
    )
    return int(connection.execute(row.returning(ledger_act.c.id)).scalar_one())


def conclude(connection: Connection, act: int, doing: Doing, detail: str = "") -> None:
    """Let an act count, as the newest change of a ledger that the transaction has alone.

    Knowledge has the order of the changes, whatever a clock says. The audit log names who did it;
    an act of nobody, as the filling of a demonstration, is in the ledger's history only.

    Args:
        connection: in the transaction.
        act: its number.
        doing: what was done.
        detail: more of it, for the audit log.
    """
    newest = connection.scalar(select(func.max(ledger_act.c.known_ms))) or 0
    values = {"change_id": note_change(connection), "known_ms": max(doing.ends_ms(), newest)}
    connection.execute(update(ledger_act).where(ledger_act.c.id == act).values(values))
    if doing.made_by:
        action, told = Action(f"ledger-{doing.kind}"), f"act {act}"
        note(
            connection,
            doing.ends_ms(),
            doing.made_by,
            action,
            doing.source,
            f"{told} {detail}".strip(),
        )


def unfinished() -> Select[tuple[int]]:
    """Acts of which nothing counts: those of processes that died, and those that are going on."""
    return select(ledger_act.c.id).where(ledger_act.c.change_id.is_(None))
