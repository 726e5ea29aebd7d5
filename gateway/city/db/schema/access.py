"""Tables of users, of their sessions, and of who did what."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, String, Table, Text

from gateway.city.db.tables import Key, metadata

city_user = Table(
    "city_user",
    metadata,  # of the console; a name is never another's
    Column("name", String(64), primary_key=True),
    Column("display_name", String(100), nullable=False),
    Column("role", String(32), nullable=False),  # a value of access/principal.py Role
    Column("scope", Text, nullable=False),  # as access/principal.py writes a Scope
    Column("password", String(200), nullable=False, server_default=""),  # hash; empty: none yet
    Column("created_ms", BigInteger, nullable=False),
    Column("created_by", String(100), nullable=False),
    Column("disabled_ms", BigInteger),  # null: may log in
)

one_time_link = Table(
    "one_time_link",
    metadata,  # opens a page to choose a password, once
    Column("digest", String(64), primary_key=True),  # SHA-256 of its secret, hex
    Column("user_name", String(64), nullable=False),  # empty: of the first administrator
    Column("until_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
    Index("ix_one_time_link_user_name", "user_name"),
)

console_session = Table(
    "console_session",
    metadata,  # one row a login
    Column("digest", String(64), primary_key=True),  # SHA-256 of the cookie's secret, hex
    Column("token_digest", String(64), nullable=False),  # of the token that opened it, or empty
    Column("address", String(64), nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),  # before it expired; null: it was not ended
    # who logged in by a password; null: by the token
    Column("user_name", ForeignKey("city_user.name")),
    Index("ix_console_session_user_name", "user_name"),
)

outside_login = Table(
    "outside_login",
    metadata,  # whose user a subject of an OpenID Connect provider is
    Column("issuer", String(300), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("user_name", ForeignKey("city_user.name"), nullable=False),
    Column("by_group", Boolean, nullable=False),  # its groups there decide role and scope
)

api_token = Table(
    "api_token",
    metadata,  # a program's way to the API in the name of a user
    Column("id", String(16), primary_key=True),  # public: it stands in lists and in the audit log
    Column("digest", String(64), nullable=False),  # SHA-256 of the secret, hex
    Column("user_name", ForeignKey("city_user.name"), nullable=False),
    Column("purpose", String(100), nullable=False),
    Column("permissions", Text, nullable=False),  # values of access/principal.py Permission
    Column("scope", Text, nullable=False),  # as access/principal.py writes a Scope
    Column("made_ms", BigInteger, nullable=False),
    Column("made_by", String(100), nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),  # last, to the minute; null: never
    Column("revoked_ms", BigInteger),  # null: it was not
    Index("ix_api_token_user_name", "user_name"),
)

audit = Table(
    "audit",
    metadata,  # who did what; rows are added, never changed
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("who", String(100), nullable=False),  # user of the system, or address of a visitor
    Column("action", String(32), nullable=False),  # a value of access/audit.py Action
    Column("subject", String(200), nullable=False),  # what it was done to
    Column("detail", String(300), nullable=False),
    # SHA-256, hex, of the entry before and of this one; see access/chain.py
    Column("digest", String(64), nullable=False, server_default=""),
    Index("ix_audit_at_ms", "at_ms"),
)

erasure = Table(
    "erasure",
    metadata,  # enterprises whose data were erased; what is of them is refused since
    Column("id", Key, primary_key=True, autoincrement=True),  # number of the certificate
    Column("uscc", String(18), nullable=False),
    Column("reason", String(200), nullable=False),
    Column("document", String(200), nullable=False),
    Column("made_by", String(100), nullable=False),
    Column("begun_ms", BigInteger, nullable=False),
    Column("stage", String(16), nullable=False),  # begun, rows, finished; see erasing/erasing.py
    Column("was_heard", Boolean, nullable=False),  # a gateway was enrolled when it was begun
    Column("before", Text, nullable=False),  # JSON: what there was
    Column("finished_ms", BigInteger),
    Column("certificate", Text),  # JSON, signed; null: it is not finished
    Index("ix_erasure_uscc", "uscc"),
    sqlite_autoincrement=True,
)
