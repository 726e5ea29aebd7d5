"""The audit log as a chain: whoever changes, removes or inserts an entry breaks it from there on.

Entries cut off at the end are not seen by the chain alone; whoever keeps its last digest elsewhere
sees them too.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from gateway.city.db.schema.access import audit
from gateway.relational.database import alone

BEGIN = "0" * 64
"""Stands before the first entry."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification has found.

    Attributes:
        entries: how many are in the chain, from the begin.
        digest: of the last of them.
        broken: id of the first entry that does not follow from those before; None: there is none.
        holds: whether the digest that was asked for stands in the chain.
    """

    entries: int
    digest: str
    broken: int | None
    holds: bool


def next_digest(connection: Connection, content: Sequence[str | int]) -> str:
    """The digest of an entry that is written next, in this transaction; others wait for its end.

    Args:
        connection: of the city's database.
        content: time, who, action, subject and detail of the entry.
    """
    alone(connection, "audit")
    query = select(audit.c.digest).order_by(audit.c.id.desc()).limit(1)
    return digest_of(connection.scalar(query) or BEGIN, content)


def digest_of(before: str, content: Sequence[str | int]) -> str:
    """SHA-256, hex, of a JSON array: the digest before, time, who, action, subject, detail.

    UTF-8, no blanks, nothing escaped that need not be: any language can compute it again.
    """
    text = json.dumps([before, *content], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def verify(connection: Connection, holds: str = BEGIN) -> Verdict:
    """Compute every digest again, in the order in which the entries were written.

    Args:
        connection: of the city's database.
        holds: a digest that was kept elsewhere: its entry must still stand in the chain.
    """
    of, digest, count, is_held = audit.c, BEGIN, 0, holds == BEGIN
    query = select(of.id, of.digest, of.at_ms, of.who, of.action, of.subject, of.detail)
    for number, kept, *content in connection.execute(query.order_by(of.id)):
        expected = digest_of(digest, content)
        if kept != expected:
            return Verdict(count, digest, number, is_held)
        digest, count, is_held = expected, count + 1, is_held or expected == holds
    return Verdict(count, digest, None, is_held)
