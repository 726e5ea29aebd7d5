"""Prefixes: applied for, allotted or refused with a reason, suspended, delegated."""

from sqlalchemy import Connection

from gateway.identifier.irp.data import read_site
from gateway.identifier.irp.octets import WireError
from gateway.identifier.node.keeping import audit, prefixes
from gateway.identifier.node.keeping.audit import Action
from gateway.identifier.node.keeping.prefixes import Prefix, State
from gateway.identifier.node.rights import refusals
from gateway.identifier.node.rights.principal import Visit
from gateway.identifier.node.rules import is_key, is_text
from gateway.identifier.registering.registry import Outcome, Result
from gateway.relational.database import alone

_NEXT = {
    State.ALLOTTED: {State.APPLIED, State.SUSPENDED},
    State.REFUSED: {State.APPLIED},
    State.SUSPENDED: {State.ALLOTTED},
}
"""From which states one comes to a state."""
_ACTIONS = {
    State.ALLOTTED: Action.ALLOTTED,
    State.REFUSED: Action.REFUSED,
    State.SUSPENDED: Action.SUSPENDED,
}


def listed(connection: Connection, visit: Visit) -> list[Prefix]:
    """All prefixes for a reviewer, its own for an enterprise, none for nobody."""
    principal = visit.principal
    if principal.is_reviewer:
        return prefixes.listed(connection)
    return prefixes.listed(connection, principal.enterprise) if principal.enterprise else []


def apply(
    connection: Connection, visit: Visit, prefix: str, enterprise: str | None = None
) -> Result:
    """Apply for a prefix.

    Args:
        connection: of the node's database.
        visit: who asks.
        prefix: below that of the node.
        enterprise: for which, if a reviewer writes down what came on paper.

    Returns:
        OK: it waits for a decision; EXISTS: it, or one above or below it, is another's, or it
        has been applied for; INVALID; DENIED: the principal may not apply for this enterprise.
    """
    who = enterprise or visit.principal.enterprise
    problem = refusals.prefix_problem(prefix, visit.terms.prefix)
    if problem is not None:
        return Result(prefix, Outcome.INVALID, problem)
    if not who or (who != visit.principal.enterprise and not visit.principal.is_reviewer):
        return Result(prefix, Outcome.DENIED, refusals.NO_ENTERPRISE)
    if not is_text(who):
        return Result(prefix, Outcome.INVALID, refusals.NO_TEXT)
    alone(connection, "records")
    if any(_stands_against(other, prefix, who) for other in prefixes.kin(connection, prefix)):
        return Result(prefix, Outcome.EXISTS, refusals.prefix_taken(prefix))
    prefixes.apply(connection, prefix, who, visit.now_ms)
    _note(connection, visit, Action.APPLIED, prefix, who)
    return Result(prefix, Outcome.OK, refusals.DONE)


def _stands_against(other: Prefix, prefix: str, enterprise: str) -> bool:
    """Whether a prefix that there is makes an application impossible."""
    if other.state is State.REFUSED:
        return False
    return other.enterprise != enterprise or other.prefix == prefix.upper()


def decide(
    connection: Connection, visit: Visit, prefix: str, state: State, reason: str = ""
) -> Result:
    """Allot, refuse or suspend a prefix; who had it before has it again after a suspension.

    Args:
        connection: of the node's database.
        visit: who asks: a reviewer or an administrator.
        prefix: that was applied for.
        state: what it becomes; not APPLIED.
        reason: why; required to refuse and to suspend.

    Returns:
        OK, NOT_FOUND, DENIED, or INVALID: not from its state, or without a reason
        that can be kept.
    """
    if not visit.principal.is_reviewer:
        return Result(prefix, Outcome.DENIED, refusals.NOT_REVIEWER)
    if state is not State.ALLOTTED and not reason.strip():
        return Result(prefix, Outcome.INVALID, refusals.NO_REASON)
    if not is_text(reason):
        return Result(prefix, Outcome.INVALID, refusals.NO_TEXT)
    alone(connection, "records")
    held = _found(connection, prefix)
    if held is None:
        return Result(prefix, Outcome.NOT_FOUND, refusals.NO_PREFIX)
    if held.state not in _NEXT.get(state, ()):
        return Result(prefix, Outcome.INVALID, refusals.wrong_state(prefix, held.state))
    prefixes.decide(connection, prefix, state, reason, visit.principal.user, visit.now_ms)
    _note(connection, visit, _ACTIONS[state], prefix, reason)
    return Result(prefix, Outcome.OK, refusals.DONE)


def delegate(connection: Connection, visit: Visit, prefix: str, site: bytes | None) -> Result:
    """Name the node that answers for an allotted prefix.

    Args:
        connection: of the node's database.
        visit: who asks: a reviewer, an administrator, or the enterprise that has the prefix.
        prefix: an allotted one.
        site: HS_SITE of that node; None: this one answers again.

    Returns:
        OK, NOT_FOUND, DENIED, or INVALID: it is not allotted, or that is no HS_SITE.
    """
    alone(connection, "records")
    held = _found(connection, prefix)
    if held is None:
        return Result(prefix, Outcome.NOT_FOUND, refusals.NO_PREFIX)
    if not visit.principal.is_reviewer and held.enterprise != visit.principal.enterprise:
        return Result(prefix, Outcome.DENIED, refusals.NOT_REVIEWER)
    if held.state is not State.ALLOTTED:
        return Result(prefix, Outcome.INVALID, refusals.wrong_state(prefix, held.state))
    if site is not None and not _is_site(site):
        return Result(prefix, Outcome.INVALID, refusals.NO_SITE)
    prefixes.delegate(connection, prefix, site)
    _note(connection, visit, Action.DELEGATED, prefix, "" if site else "back to this node")
    return Result(prefix, Outcome.OK, refusals.DONE)


def _found(connection: Connection, prefix: str) -> Prefix | None:
    """A prefix that was applied for, of whatever text."""
    return prefixes.find(connection, prefix) if is_key(prefix) else None


def _is_site(octets: bytes) -> bool:
    try:
        return bool(read_site(octets).servers)
    except WireError:
        return False


def _note(connection: Connection, visit: Visit, action: Action, prefix: str, detail: str) -> None:
    by = visit.principal.user
    audit.note(connection, visit.now_ms, by, action, prefix.upper(), detail)


def allot_own(connection: Connection, prefix: str, enterprise: str, now_ms: int) -> list[Prefix]:
    """See that a node's own enterprise has a prefix, without anybody's decision.

    Args:
        connection: of the node's database, which nobody else changes meanwhile.
        prefix: of its own.
        enterprise: whose it is.
        now_ms: UTC milliseconds.

    Returns:
        What others hold or have applied for at, above or below it; if any, nothing was allotted.
    """
    others = [
        one
        for one in prefixes.kin(connection, prefix)
        if one.enterprise != enterprise and one.state is not State.REFUSED
    ]
    held = prefixes.find(connection, prefix)
    if not others and (held is None or held.enterprise != enterprise):
        prefixes.apply(connection, prefix, enterprise, now_ms)
        prefixes.decide(connection, prefix, State.ALLOTTED, "", "", now_ms)
    return others
