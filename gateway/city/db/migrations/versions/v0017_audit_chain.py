"""Entries of the audit log are chained, those of before included."""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "city17"
down_revision = "city16"
branch_labels = None
depends_on = None

_BEGIN = "0" * 64


def upgrade() -> None:
    """Add the digest of each entry, and of the one before; old ones in the order of their ids."""
    column = sa.Column("digest", sa.String(64), nullable=False, server_default="")
    op.add_column("audit", column)
    connection = op.get_bind()
    audit = sa.table(
        "audit",
        *(sa.column(name) for name in ("id", "at_ms", "who", "action", "subject", "detail")),
        sa.column("digest"),
    )
    of, digest = audit.c, _BEGIN
    query = sa.select(of.id, of.at_ms, of.who, of.action, of.subject, of.detail)
    for number, *content in connection.execute(query.order_by(of.id)).all():
        text = json.dumps([digest, *content], ensure_ascii=False, separators=(",", ":"))
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        connection.execute(sa.update(audit).where(of.id == number).values(digest=digest))
