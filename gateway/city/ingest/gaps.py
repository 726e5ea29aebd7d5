"""Intervals without values, in the database: what edges report, silences, quarantine."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

import msgspec
from sqlalchemy import Connection, case, func, select, update

from gateway.city.db.tables import gap, gateway
from gateway.city.ingest.losses import LONGEST_MS
from gateway.core.batch import Gap
from gateway.core.status import Reason
from gateway.relational.upsert import insert_for

_GAP_KEY = ("gateway", "device", "tag_group", "tags_key", "from_ms", "cause")
"""``tags_key`` is a hash: a list of thousands of tags is too long for an index of PostgreSQL."""


def keep_gaps(
    connection: Connection, gaps: Sequence[tuple[str, Gap]], *, is_late: bool = False
) -> None:
    """Write gaps, or the ends of those that are known; an end only moves forward.

    Args:
        connection: in a transaction.
        gaps: gateways and their gaps, in order.
        is_late: something newer may be known: then they only lengthen what is known, and do
            not open again what has ended.
    """
    statement = insert_for(connection, gap)
    new, old = statement.excluded, gap.c
    last = case((old.to_ms > new.to_ms, old.to_ms), else_=new.to_ms)
    changes = {"to_ms": last}
    ends = old.to_ms.is_(None) & new.to_ms.is_not(None)
    where = ends | (new.to_ms > old.to_ms) if is_late else None
    upsert = statement.on_conflict_do_update(index_elements=_GAP_KEY, set_=changes, where=where)
    if gaps:
        connection.execute(upsert, [_gap_row(*one) for one in gaps])


def end_gaps_of_revoked(connection: Connection, gateways: Iterable[str]) -> None:
    """End what was written of gateways that were revoked meanwhile: nobody else would."""
    revoked = select(gateway.c.revoked_ms).where(gateway.c.id == gap.c.gateway).scalar_subquery()
    own = gap.c.to_ms.is_(None) & gap.c.gateway.in_(set(gateways))
    end_ms = case((gap.c.from_ms > revoked, gap.c.from_ms), else_=revoked)
    ended = update(gap).where(own, revoked.is_not(None)).values(to_ms=end_ms)
    connection.execute(ended)


def end_gaps_of_lost_lives(connection: Connection, begins_ms: Mapping[str, int]) -> None:
    """End what earlier epochs left open: the new one may not know of it, and nobody else ends it.

    The city's own gaps of silence end otherwise.

    Args:
        connection: in a transaction.
        begins_ms: gateways and the first time of their new epoch, UTC milliseconds.
    """
    for name, begin_ms in begins_ms.items():
        left_open = gap.c.to_ms.is_(None) & (gap.c.cause != Reason.GATEWAY_SILENT.code)
        end_ms = case((gap.c.from_ms > begin_ms, gap.c.from_ms), else_=begin_ms)
        ended = update(gap).where(gap.c.gateway == name, left_open).values(to_ms=end_ms)
        connection.execute(ended)


def keep_losses(connection: Connection, gaps: Sequence[tuple[str, Gap]]) -> None:
    """Write intervals that only grow."""
    statement = insert_for(connection, gap)
    new, old = statement.excluded, gap.c
    upsert = statement.on_conflict_do_update(
        index_elements=_GAP_KEY,
        set_={"to_ms": new.to_ms},
        where=new.to_ms > old.to_ms,
    )
    if gaps:
        connection.execute(upsert, [_gap_row(*one) for one in gaps])


def unstored_since(
    connection: Connection, gateways: Sequence[str], since_ms: int
) -> dict[str, dict[str, tuple[int, int]]]:
    """What quarantine has taken of gateways since: ``Ack.unstored`` of each.

    Who was to be told may not have heard it before the city was stopped.
    """
    # There is an index of when they began only; none that is new began before that.
    is_new = (gap.c.from_ms > since_ms - LONGEST_MS) & (gap.c.to_ms > since_ms)
    query = (
        select(gap.c.gateway, gap.c.device, func.count(), func.max(gap.c.to_ms) - 1)
        .where(gap.c.gateway.in_(gateways), is_new, gap.c.cause == Reason.QUARANTINE.code)
        .group_by(gap.c.gateway, gap.c.device)
    )
    found: dict[str, dict[str, tuple[int, int]]] = {name: {} for name in gateways}
    for name, device, number, newest_ms in connection.execute(query):
        found[name][device] = (number, newest_ms)
    return found


def _gap_row(gateway: str, one: Gap) -> dict[str, object]:
    tags = msgspec.json.encode(one.tags).decode()
    return {
        "gateway": gateway,
        "device": one.device,
        "tag_group": one.group,
        "tags": tags,
        "tags_key": blake2b(tags.encode(), digest_size=8).hexdigest(),
        "cause": one.cause.code,
        "from_ms": one.from_ms,
        "to_ms": one.to_ms,
    }
