"""Versions of a row: a large import writes new ones beforehand, which count when it has ended.

Of a machine's versions one counts: its import has ended, and none that has ended replaced it. So
an import becomes part of the ledger, as a whole, when one row of ``ledger_import`` says so.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Select,
    Subquery,
    Table,
    TextClause,
    and_,
    literal_column,
    not_,
    or_,
    select,
    text,
)

WRITTEN = text("import_id <> 0")
REPLACED = text("replaced_by IS NOT NULL")
VERSION = ("import_id", "replaced_by")
"""Columns of a version, which the ledger's readers do not see."""


def version_of(table: str) -> tuple[Column[int], Column[int], Index, Index]:
    """The columns by which a table has versions of its rows, and their indices.

    ``import_id`` belongs to the primary key.
    """
    return (
        # the import in parts that wrote it; 0: no such one
        Column("import_id", BigInteger, primary_key=True, autoincrement=False, server_default="0"),
        # the import in parts that has a newer version; null: none
        Column("replaced_by", BigInteger),
        _partial(f"ix_{table}_import_id", "import_id", WRITTEN),
        _partial(f"ix_{table}_replaced_by", "replaced_by", REPLACED),
    )


def _partial(name: str, column: str, where: TextClause) -> Index:
    return Index(name, column, sqlite_where=where, postgresql_where=where)


def counts(rows: Table, imports: Table) -> ColumnElement[bool]:
    """Whether a version is the one that counts."""
    own = rows.c
    return and_(
        or_(own.import_id == 0, own.import_id.in_(_ended(imports))), not_(replaced(rows, imports))
    )


def abandoned(rows: Table, imports: Table) -> ColumnElement[bool]:
    """Whether a version is one of an import that is no more: it never counted and never will."""
    own = rows.c.import_id
    # SQLite looks at its partial index only if the index's own condition is asked for.
    return and_(own != literal_column("0"), own.not_in(select(imports.c.id)))


def replaced(rows: Table, imports: Table) -> ColumnElement[bool]:
    """Whether a version counted once and never will again."""
    own = rows.c.replaced_by
    return and_(own.is_not(None), own.in_(_ended(imports)))


def counting(rows: Table, imports: Table) -> Subquery:
    """The rows that count, without the columns that say so, under the table's own name."""
    columns = (column for column in rows.c if column.name not in VERSION)
    return select(*columns).where(counts(rows, imports)).subquery(rows.name)


def _ended(imports: Table) -> Select[tuple[int]]:
    return select(imports.c.id).where(imports.c.finished)
