"""What acts replace that has no days: names, workshops, lines, models decide no figure.

The ledger has one of them at a time. An act keeps what was there before it and what came, so that
it can be undone, and told.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import Connection, Date, FromClause, Table, bindparam, insert, select, update

from gateway.city.db.schema.ledger_history import ledger_act, undated_history
from gateway.city.db.schema.versions import VERSION
from gateway.city.db.tables import enterprise, equipment, equipment_rows
from gateway.city.ledger.bitemporal.entries import ENTERPRISE, MACHINE
from gateway.relational.database import chunks

Values = Mapping[str, Any]
_KEYS = frozenset({"id", "uscc", "site_no", "asset_no", *VERSION})
_VERIFICATION = frozenset({"ledger_verified_by", "ledger_verified_on"})
"""The newest of those that are kept by their days."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """What an act replaced in one row.

    Attributes:
        old: what was there, by column.
        new: what came.
    """

    old: Values
    new: Values


@cache
def undated(table: Table) -> tuple[str, ...]:
    """Columns of ``equipment`` or ``enterprise`` that have no days."""
    subject = ENTERPRISE if table is enterprise else MACHINE
    dated = {*subject.attributes, *_KEYS, *_VERIFICATION}
    return tuple(one.name for one in table.c if one.name not in dated)


def replaced(table: Table, old: Values, row: Values) -> Replaced | None:
    """What a row replaces that has no days; None: nothing."""
    names = [name for name in undated(table) if name in row and row[name] != old[name]]
    if not names:
        return None
    return Replaced({name: old[name] for name in names}, {name: row[name] for name in names})


def keep_undated(connection: Connection, act: int, rows: Mapping[int | str, Replaced]) -> None:
    """Keep what an act replaced, by id of the machine or USCC of the enterprise."""
    kept = [
        {
            "act_id": act,
            "machine_id": key if isinstance(key, int) else 0,
            "uscc": key if isinstance(key, str) else "",
            "replaced": json.dumps(
                {name: [_written(one.old[name]), _written(one.new[name])] for name in one.old},
                ensure_ascii=False,
            ),
        }
        for key, one in rows.items()
    ]
    if kept:
        connection.execute(insert(undated_history), kept)


def undated_of(connection: Connection, act: int) -> dict[int | str, Replaced]:
    """What an act replaced, by id of the machine or USCC of the enterprise."""
    query = select(undated_history).where(undated_history.c.act_id == act)
    return {_key(row): _read(row) for row in connection.execute(query)}


def changed_since(
    connection: Connection, change: int, rows: Mapping[int | str, Replaced]
) -> Iterator[int]:
    """Later acts that replaced what an act had brought.

    Args:
        connection: the city's database.
        change: of the ledger, by which the act counts.
        rows: what it replaced.
    """
    columns = undated_history.c
    query = select(undated_history).join(ledger_act, ledger_act.c.id == columns.act_id)
    query = query.where(ledger_act.c.change_id > change)
    now = current(connection, rows)
    moved = {key for key, one in rows.items() if any(now[key][n] != v for n, v in one.new.items())}
    machines = [key for key in moved if isinstance(key, int)]
    firms = [key for key in moved if isinstance(key, str)]
    for column, keys in ((columns.machine_id, machines), (columns.uscc, firms)):
        for part in chunks(keys):
            for row in connection.execute(query.where(column.in_(part))):
                if rows[_key(row)].new.keys() & _read(row).new.keys():
                    yield row.act_id


def current(connection: Connection, rows: Mapping[int | str, Replaced]) -> dict[int | str, Values]:
    """What the ledger has in the columns that were replaced; what is gone has what came."""
    found: dict[int | str, Values] = {key: one.new for key, one in rows.items()}
    tables: tuple[tuple[FromClause, str, type], ...] = (
        (equipment, "id", int),
        (enterprise, "uscc", str),
    )
    for table, name, kind in tables:
        for part in chunks([key for key in rows if isinstance(key, kind)]):
            query = select(table).where(table.c[name].in_(part))
            for row in connection.execute(query).mappings():
                key = row[name]
                found[key] = {column: row[column] for column in rows[key].new}
    return found


def put_back(connection: Connection, act: int, rows: Mapping[int | str, Replaced]) -> None:
    """Let the ledger have again what was there, by a new act that keeps that, too."""
    alike: dict[tuple[type, tuple[str, ...]], list[dict[str, Any]]] = {}
    for key, one in rows.items():
        values = {f"new_{name}": value for name, value in one.old.items()}
        alike.setdefault((type(key), tuple(one.old)), []).append({"the_key": key} | values)
    for (kind, names), some in alike.items():
        table = equipment_rows if kind is int else enterprise
        own = table.c.id if kind is int else table.c.uscc
        query = update(table).where(own == bindparam("the_key"))
        connection.execute(query.values({name: bindparam(f"new_{name}") for name in names}), some)
    keep_undated(connection, act, {key: Replaced(one.new, one.old) for key, one in rows.items()})


def _key(row: Any) -> int | str:
    return int(row.machine_id) or str(row.uscc)


def _read(row: Any) -> Replaced:
    table = equipment_rows if row.machine_id else enterprise
    pairs = json.loads(row.replaced).items()
    old = {name: _value(table, name, pair[0]) for name, pair in pairs if name in table.c}
    return Replaced(old, {n: _value(table, n, pair[1]) for n, pair in pairs if n in table.c})


def _written(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _value(table: Table, name: str, written: Any) -> Any:
    is_day = isinstance(table.c[name].type, Date) and written is not None
    return date.fromisoformat(written) if is_day else written
