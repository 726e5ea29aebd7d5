"""Every table of the node; a file of the embedded node of before is taken over.

Written out, so that no later change of ``tables.py`` or ``contents.py`` alters what a database of
this version is.
"""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "node1"
down_revision = None
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_LAYOUT_BEFORE, _LAYOUT = 1, 2
"""``PRAGMA user_version``: the older qulink refuses what is above the one it knows."""
_DAY_S, _USUAL = 86_400, 14
_AT_ONCE = 1_000
_OLD = "SELECT key, handle, template_version, value, created_ms, updated_ms, deleted_ms FROM handle"


def upgrade() -> None:
    """Create the tables, then fill them from the old ones, if there are any."""
    is_before = _is_before()
    if is_before:
        op.rename_table("template", "old_template")
    _create()
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"PRAGMA user_version={_LAYOUT}")
    if is_before:
        _take_over()


def _is_before() -> bool:
    bind = op.get_bind()
    if bind.dialect.name != "sqlite" or not sa.inspect(bind).has_table("handle"):
        return False
    return bool(bind.exec_driver_sql("PRAGMA user_version").scalar() == _LAYOUT_BEFORE)


def _create() -> None:
    op.create_table(
        "record",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("template_version", sa.Text(), nullable=False),
        sa.Column("contents", sa.LargeBinary(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.Column("registered_by", sa.String(64), nullable=False),
        sa.Column("withdrawn_ms", sa.BigInteger()),
        sa.Column("withdrawn_why", sa.String(300), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_record"),
    )
    op.create_index("ix_record_prefix", "record", ["prefix"])
    op.create_table(
        "template",
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("prefix", "version", name="pk_template"),
    )
    op.create_table(
        "prefix",
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("enterprise", sa.String(100), nullable=False),
        sa.Column("state", sa.String(9), nullable=False),
        sa.Column("reason", sa.String(300), server_default="", nullable=False),
        sa.Column("applied_ms", sa.BigInteger(), nullable=False),
        sa.Column("decided_ms", sa.BigInteger()),
        sa.Column("decided_by", sa.String(64), server_default="", nullable=False),
        sa.Column("site", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("prefix", name="pk_prefix"),
    )
    _create_users()
    _create_books()


def _create_users() -> None:
    op.create_table(
        "user_account",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("role", sa.String(13), nullable=False),
        sa.Column("enterprise", sa.String(100), nullable=False),
        sa.Column("password", sa.String(200), server_default="", nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("disabled_ms", sa.BigInteger()),
        sa.PrimaryKeyConstraint("name", name="pk_user_account"),
    )
    _of_users(
        "credential",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("revoked_ms", sa.BigInteger()),
        sa.PrimaryKeyConstraint("name", name="pk_credential"),
    )
    _of_users(
        "admin_key",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(9), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", "position", name="pk_admin_key"),
    )
    _of_users(
        "token",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_token"),
    )
    op.create_index("ix_token_until_ms", "token", ["until_ms"])


def _of_users(table: str, *columns: sa.Column[Any] | sa.PrimaryKeyConstraint) -> None:
    op.create_table(
        table,
        *columns,
        sa.Column("user_name", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["user_name"], ["user_account.name"], name=f"fk_{table}_user_name"),
    )
    op.create_index(f"ix_{table}_user_name", table, ["user_name"])


def _create_books() -> None:
    op.create_table(
        "audit",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(100), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("detail", sa.String(300), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at_ms", "audit", ["at_ms"])
    op.create_table(
        "registered",
        sa.Column("user_name", sa.String(64), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_name", "day", name="pk_registered"),
    )
    op.create_table(
        "tally",
        sa.Column("hour_ms", sa.BigInteger(), nullable=False),
        sa.Column("protocol", sa.String(16), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "hour_ms", "protocol", "action", "outcome", "bucket", name="pk_tally"
        ),
    )


def _take_over() -> None:
    bind = op.get_bind()
    bind.exec_driver_sql(
        "INSERT INTO template (prefix, version, body, seen) "
        "SELECT prefix, version, body, '{}' FROM old_template"
    )
    rows = bind.exec_driver_sql(_OLD)
    for some in rows.partitions(_AT_ONCE):
        bind.exec_driver_sql(
            "INSERT INTO record (key, handle, prefix, template_version, contents, created_ms,"
            " updated_ms, withdrawn_ms, registered_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, '')",
            [_record(*row) for row in some],
        )
    op.drop_table("handle")
    op.drop_table("old_template")


def _record(
    key: str,
    handle: str,
    template_version: str,
    value: str,
    created_ms: int,
    updated_ms: int,
    deleted_ms: int | None,
) -> tuple[object, ...]:
    contents = msgspec.msgpack.encode(list(_values(value, updated_ms // 1000)))
    prefix = key.partition("/")[0]
    return key, handle, prefix, template_version, contents, created_ms, updated_ms, deleted_ms


def _values(text: str, at_s: int) -> Iterator[list[object]]:
    for one in json.loads(text):
        # Half a character, which JSON can say and nothing else can, was taken in once.
        data = one["data"]["value"].encode(errors="replace")
        kind = one["type"].encode(errors="replace").decode()
        yield [one["index"], kind, data, at_s, _DAY_S, 0, _USUAL, []]
