"""Tables of the node. Times are UTC milliseconds."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)
_KEY = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite counts up INTEGER keys only."""

record = Table(
    "record",
    metadata,  # an identifier; a withdrawn one stays for ever, so that its name is never another's
    Column("key", Text, primary_key=True),  # the handle in upper case
    Column("handle", Text, nullable=False),  # as it was registered
    Column("prefix", Text, nullable=False),  # in upper case
    Column("template_version", Text, nullable=False),  # empty: it follows none
    Column("contents", LargeBinary, nullable=False),  # see contents.py
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Column("registered_by", String(64), nullable=False),  # empty: before users were known
    Column("withdrawn_ms", BigInteger),  # None: it lives
    Column("withdrawn_why", String(300), nullable=False, server_default=""),
    Column("withdrawn_by", String(64), nullable=False, server_default=""),  # empty: not known
    Index("ix_record_prefix_key", "prefix", "key"),
)
template = Table(
    "template",
    metadata,
    Column("prefix", Text, primary_key=True),  # in upper case
    Column("version", Text, primary_key=True),
    Column("body", Text, nullable=False),  # JSON, as of the SNMS interface
    Column("seen", Text, nullable=False),  # who sees which item; see templates.py
)
prefix = Table(
    "prefix",
    metadata,  # one row for ever: what was allotted to one enterprise is never another's
    Column("prefix", Text, primary_key=True),  # in upper case
    Column("enterprise", String(100), nullable=False),
    Column("state", String(9), nullable=False),  # of prefixes.State
    Column("reason", String(300), nullable=False, server_default=""),  # of the newest decision
    Column("applied_ms", BigInteger, nullable=False),
    Column("decided_ms", BigInteger),
    Column("decided_by", String(64), nullable=False, server_default=""),
    Column(
        "site", LargeBinary
    ),  # HS_SITE of the node it is delegated to; None: it is answered here
)
user = Table(
    "user_account",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("role", String(13), nullable=False),  # of principal.Role
    Column("enterprise", String(100), nullable=False),  # empty: of none
    Column("password", String(200), nullable=False, server_default=""),  # empty: no login by one
    Column("created_ms", BigInteger, nullable=False),
    Column("disabled_ms", BigInteger),
)
credential = Table(
    "credential",
    metadata,  # of an application, which logs in by a name of its own
    Column("name", String(64), primary_key=True),
    Column("user_name", ForeignKey(user.c.name), nullable=False, index=True),
    Column("digest", String(64), nullable=False),  # SHA-256 of the secret, hexadecimal
    Column("created_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
)
admin_key = Table(
    "admin_key",
    metadata,  # by which a user proves itself over the native protocol
    Column("key", Text, primary_key=True),  # the handle it stands at, in upper case
    Column("position", BigInteger, primary_key=True, autoincrement=False),  # index of its value
    Column("user_name", ForeignKey(user.c.name), nullable=False, index=True),
    Column("type", String(9), nullable=False),  # HS_SECKEY or HS_PUBKEY
    Column("content", LargeBinary, nullable=False),  # of HS_SECKEY sealed
    Column("created_ms", BigInteger, nullable=False),
)
token = Table(
    "token",
    metadata,
    Column("digest", String(64), primary_key=True),  # SHA-256, hexadecimal
    Column("user_name", ForeignKey(user.c.name), nullable=False, index=True),
    Column("until_ms", BigInteger, nullable=False, index=True),
)
audit = Table(
    "audit",
    metadata,  # who did what; rows are added, never changed
    Column("id", _KEY, primary_key=True),
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("who", String(100), nullable=False),
    Column("action", String(32), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("detail", String(300), nullable=False),
)
registered = Table(
    "registered",
    metadata,  # how many identifiers a user registered on a day, for its limit
    Column("user_name", String(64), primary_key=True),
    Column("day", String(10), primary_key=True),  # of Asia/Shanghai, as 2026-11-01
    Column("count", BigInteger, nullable=False),
)
tally = Table(
    "tally",
    metadata,  # what was done and how long it took
    Column("hour_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("protocol", String(16), primary_key=True),
    Column("action", String(16), primary_key=True),
    Column("outcome", String(16), primary_key=True),
    Column("bucket", Integer, primary_key=True, autoincrement=False),  # see counts.py
    Column("count", BigInteger, nullable=False),
)
