"""An officer explains a finding, or opens it again; what others said meanwhile is told."""

from dataclasses import dataclass

from sqlalchemy import Connection, insert, update

from gateway.city.access.audit import Action, note
from gateway.city.access.principal import Principal
from gateway.city.db.schema.checking.findings import finding, finding_said
from gateway.city.rates.findings.kept.keeping import LOCK, State
from gateway.city.rates.findings.kept.listing import KeptFinding, Wanted, listed
from gateway.relational.database import alone

REASON, DOCUMENT = 300, 200
"""So many characters are kept."""


class ExplainError(Exception):
    """A finding is not explained; ``key`` says why: ``no_reason``, ``no_document``, ``long``."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class OutdatedError(Exception):
    """Somebody else said something of it, or it was seen anew, since it was looked at."""


@dataclass(frozen=True, slots=True)
class Saying:
    """What is said of a finding.

    Attributes:
        number: of the finding.
        basis: what was known of it by who says it, see :func:`basis_of`.
        explains: false: it is to be open again.
        reason: why there is nothing to it, or why there is again.
        document: which record shows it; may be empty for who opens it again.
    """

    number: int
    basis: str
    explains: bool
    reason: str
    document: str


def basis_of(one: KeptFinding) -> str:
    """What was seen and said of a finding last: another one is another basis."""
    return f"{one.seen_id}.{one.said.id if one.said else 0}"


def explain(
    connection: Connection, by: Principal, synthetic: bool, saying: Saying, now_ms: int
) -> bool:
    """Write down what is said of a finding. False: who says it sees no such finding.

    Args:
        connection: the city's database, in a transaction that has read nothing yet.
        by: who says it.
        synthetic: of a demonstration.
        saying: what.
        now_ms: UTC milliseconds.

    Raises:
        ExplainError: something is lacking, or too long.
        OutdatedError: its basis is not the newest.
    """
    reason, document = (" ".join(one.split()) for one in (saying.reason, saying.document))
    alone(connection, LOCK)
    found = listed(connection, Wanted(by.scope, synthetic, number=saying.number), 1)
    if not found:
        return False
    (one,) = found
    _demand(reason, document, explains=saying.explains)
    if saying.basis != basis_of(one):
        raise OutdatedError
    row = {
        "finding_id": one.id,
        "seen_id": one.seen_id,
        "explains": saying.explains,
        "reason": reason,
        "document": document,
        "at_ms": now_ms,
        "made_by": by.name[:100],
    }
    connection.execute(insert(finding_said).values(row))
    if one.state is not State.GONE:
        state = State.EXPLAINED if saying.explains else State.OPEN
        own = update(finding).where(finding.c.id == one.id)
        connection.execute(own.values(state=state.value))
    action = Action.FINDING_EXPLAINED if saying.explains else Action.FINDING_REOPENED
    subject = f"{one.uscc or one.county} {one.kind} {one.id}"
    note(connection, now_ms, by.name, action, subject, f"{document}: {reason}")
    return True


def _demand(reason: str, document: str, *, explains: bool) -> None:
    if not reason:
        raise ExplainError("no_reason")
    if explains and not document:
        raise ExplainError("no_document")
    if len(reason) > REASON or len(document) > DOCUMENT:
        raise ExplainError("long")
