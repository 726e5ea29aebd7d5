"""Gaps of several causes may begin at one time."""

from alembic import op

revision = "city4"
down_revision = "city3"
branch_labels = None
depends_on = None

_BEFORE = "uq_gap_gateway_device_tag_group_tags_key_from_ms"
_KEY = ("gateway", "device", "tag_group", "tags_key", "from_ms", "cause")


def upgrade() -> None:
    """Make the cause part of what tells gaps apart."""
    with op.batch_alter_table("gap") as table:
        table.drop_constraint(_BEFORE, type_="unique")
        table.create_unique_constraint(f"{_BEFORE}_cause", list(_KEY))
