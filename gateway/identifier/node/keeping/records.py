"""Identifiers: found, added, replaced and withdrawn, many with one statement.

A key is the handle in upper case: no two identifiers differ in case only. Writers come one after
another, by ``alone`` of the caller.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, select, update

from gateway.identifier.node.keeping import contents
from gateway.identifier.node.keeping.tables import record
from gateway.identifier.node.registration import Registration, Withdrawal
from gateway.relational.database import chunks
from gateway.relational.upsert import insert_for


@dataclass(frozen=True, slots=True)
class Dates:
    """When what happened to an identifier, UTC milliseconds.

    Attributes:
        registered_ms: it was registered.
        changed_ms: its values were last changed.
        withdrawn_ms: it was withdrawn; None: it lives.
    """

    registered_ms: int
    changed_ms: int
    withdrawn_ms: int | None


def dates(connection: Connection, key: str) -> Dates | None:
    """Of an identifier that lives or did once; None: there never was one."""
    of = record.c
    query = select(of.created_ms, of.updated_ms, of.withdrawn_ms).where(of.key == key)
    row = connection.execute(query).one_or_none()
    return None if row is None else Dates(*row)


def taken(connection: Connection, keys: Iterable[str]) -> set[str]:
    """Which of these exist, or did once."""
    query = select(record.c.key)
    return {
        key
        for some in chunks(keys)
        for key in connection.scalars(query.where(record.c.key.in_(some)))
    }


def living(connection: Connection, keys: Iterable[str]) -> dict[str, Registration]:
    """Which of these live, by key."""
    of = record.c
    query = select(of.key, of.handle, of.template_version, of.contents)
    return {
        key: Registration(handle, version, contents.read(blob))
        for some in chunks(keys)
        for key, handle, version, blob in connection.execute(
            query.where(of.key.in_(some), of.withdrawn_ms.is_(None))
        )
    }


def add(connection: Connection, new: Sequence[Registration], by: str, now_ms: int) -> set[str]:
    """Add identifiers; returns the keys of those that were not taken.

    Args:
        connection: of the node's database.
        new: no two of the same key.
        by: the user who registers them.
        now_ms: UTC milliseconds.
    """
    if not new:
        return set()
    rows = [_row(one) | {"created_ms": now_ms, "updated_ms": now_ms} for one in new]
    for row in rows:
        row["registered_by"] = by
    statement = insert_for(connection, record).on_conflict_do_nothing().returning(record.c.key)
    return set(connection.scalars(statement, rows))


def replace(connection: Connection, changed: Sequence[Registration], now_ms: int) -> None:
    """Replace template and values of living identifiers; the name stays as it was given."""
    of = record.c
    statement = (
        update(record)
        .where(of.key == bindparam("at"), of.withdrawn_ms.is_(None))
        .values(
            template_version=bindparam("version"),
            contents=bindparam("blob"),
            updated_ms=now_ms,
        )
    )
    rows = [
        {
            "at": one.handle.upper(),
            "version": one.template_version,
            "blob": contents.written(one.values),
        }
        for one in changed
    ]
    if rows:
        connection.execute(statement, rows)


def withdraw(connection: Connection, reasons: Mapping[str, str], by: str, now_ms: int) -> None:
    """Take identifiers back for ever; their names stay taken.

    What they were is kept for :func:`all_of`, and told nowhere else.

    Args:
        connection: of the node's database.
        reasons: why, by key of a living one; at most 300 characters each.
        by: the user who withdraws them.
        now_ms: UTC milliseconds.
    """
    of = record.c
    statement = (
        update(record)
        .where(of.key == bindparam("at"), of.withdrawn_ms.is_(None))
        .values(
            withdrawn_ms=now_ms,
            withdrawn_why=bindparam("why"),
            withdrawn_by=by,
        )
    )
    if reasons:
        rows = [{"at": key, "why": why} for key, why in reasons.items()]
        connection.execute(statement, rows)


def withdrawal(connection: Connection, key: str) -> Withdrawal | None:
    """What is kept of a withdrawn identifier; None: it lives, or never was."""
    of = record.c
    query = select(of.handle, of.withdrawn_ms, of.withdrawn_why, of.withdrawn_by)
    row = connection.execute(query.where(of.key == key)).one_or_none()
    return None if row is None or row.withdrawn_ms is None else Withdrawal(*row)


def handles(
    connection: Connection, prefix: str, most: int, skipped: int = 0, after: str = ""
) -> list[str]:
    """Living identifiers of a prefix, in order; at most so many, without the first ones.

    Args:
        connection: of the node's database.
        prefix: in any case.
        most: how many.
        skipped: so many of the first ones are left out.
        after: an identifier; it and those before it are left out.
    """
    of = record.c
    query = select(of.handle).where(of.prefix == prefix.upper(), of.withdrawn_ms.is_(None))
    if after:
        query = query.where(of.key > after.upper())
    return list(connection.scalars(query.order_by(of.key).limit(most).offset(skipped)))


def all_of(
    connection: Connection, prefix: str, most: int, after: str = ""
) -> list[str | Registration]:
    """Identifiers of a prefix, in order: living ones by name, withdrawn ones as they were.

    Args:
        connection: of the node's database.
        prefix: in any case.
        most: how many.
        after: an identifier; it and those before it are left out.
    """
    of = record.c
    blob = case((of.withdrawn_ms.is_not(None), of.contents), else_=None)
    query = select(of.handle, of.template_version, blob).where(of.prefix == prefix.upper())
    if after:
        query = query.where(of.key > after.upper())
    return [
        handle if was is None else Registration(handle, version, contents.read(was))
        for handle, version, was in connection.execute(query.order_by(of.key).limit(most))
    ]


def count(connection: Connection, prefix: str | None = None) -> int:
    """How many identifiers live, of a prefix or of all."""
    query = select(func.count()).select_from(record).where(record.c.withdrawn_ms.is_(None))
    if prefix is not None:
        query = query.where(record.c.prefix == prefix.upper())
    return connection.scalar(query) or 0


def _row(one: Registration) -> dict[str, Any]:
    return {
        "key": one.handle.upper(),
        "handle": one.handle,
        "prefix": one.prefix,
        "template_version": one.template_version,
        "contents": contents.written(one.values),
    }
