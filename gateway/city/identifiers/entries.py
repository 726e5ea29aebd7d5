"""Entries of the outbox in a worker's hand, and what becomes of them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.city.ledger.names import MachineName
from gateway.identifier.registering.registry import Outcome, Result


@dataclass(frozen=True, slots=True)
class Work:
    """One entry of the list with what the node must hold.

    Attributes:
        id: key of the entry.
        machine: key of the machine.
        operation: ``register``; ``update`` after a change of the ledger; ``repair`` after the
            node gave back something else; ``withdraw`` for what was entered by mistake.
        attempts: how often it was tried, this time included.
        claims: how often it was ever claimed; tells this claim from a later one.
        handle: the identifier.
        texts: metadata by ``idType``.
        reason: why it is withdrawn.
    """

    id: int
    machine: int
    operation: str
    attempts: int
    claims: int
    handle: str
    texts: Mapping[str, str]
    reason: str = ""


TAKEN = "taken"
"""The node holds the identifier for another machine, and never had it for this one."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an entry: ``done``, ``refused``, ``pending``, ``unknown`` or ``taken``.

    Attributes:
        work: the entry.
        state: its next; one that is *taken* is given up, and never stands in the list.
        error: the node's words.
        owner: whose the identifier is, if it is taken.
        outcome: what the node's answer came to.
    """

    work: Work
    state: str
    error: str = ""
    owner: MachineName | None = None
    outcome: Outcome = Outcome.OK


def verdict_of(work: Work, result: Result) -> Verdict:
    """What an answer about an entry's identifier alone means for the entry."""
    if result.outcome is Outcome.OK:
        return Verdict(work, "done")
    state = "refused"
    if result.outcome.pauses:
        state = "pending"
    elif result.outcome is Outcome.UNKNOWN:
        state = "unknown"
    return Verdict(work, state, result.message, outcome=result.outcome)


@dataclass(frozen=True, slots=True)
class Difference:
    """An entry whose identifier was read back with other values, or was not found.

    Attributes:
        work: the entry.
        why: why the node is not told again; empty: it is.
    """

    work: Work
    why: str = ""
