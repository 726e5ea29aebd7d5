"""Many rows given to one statement, on both databases.

A statement a row costs PostgreSQL and its client a message each; one that selects from what it is
given costs little more for a thousand rows than for one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, FromClause, bindparam, column, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

Types = Mapping[str, type[TypeEngine[Any]]]
"""Columns of the rows and what they hold: whole numbers or texts."""


def given(connection: Connection, types: Types) -> FromClause:
    """A table of rows that come with the statement; see :func:`given_as`.

    Args:
        connection: to the database that the statement is for.
        types: its columns.
    """
    if connection.dialect.name == "sqlite":
        row = func.json_each(bindparam("given")).table_valued("value", name="each_given")
        cells: list[ColumnElement[Any]] = [
            func.json_extract(row.c.value, f"$[{at}]", type_=kind()).label(name)
            for at, (name, kind) in enumerate(types.items())
        ]
        return select(*cells).subquery("given")
    arrays = (bindparam(f"given_{name}", type_=ARRAY(kind())) for name, kind in types.items())
    columns = [column(name, kind()) for name, kind in types.items()]
    return func.unnest(*arrays).table_valued(*columns, name="given").render_derived()


def given_as(
    connection: Connection, types: Types, rows: Sequence[Mapping[str, object]]
) -> dict[str, object]:
    """The parameters of a statement with :func:`given`.

    Args:
        connection: the same.
        types: the same.
        rows: values by column; others in them are left out.
    """
    if connection.dialect.name == "sqlite":
        cells = [[row[name] for name in types] for row in rows]
        return {"given": msgspec.json.encode(cells).decode()}
    return {f"given_{name}": [row[name] for row in rows] for name in types}
