"""Partitions and leadership as advisory locks of one PostgreSQL session.

The server knows who is alive: it frees the locks of a session that ends. A killed process closes
its connection at once; a cut network is noticed by keep-alives within 20 s.
"""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, NullPool, bindparam, create_engine, text
from sqlalchemy.types import ARRAY, Integer

from gateway.relational.database import Database

PARTITION, WORKER, LEADER = 0x716C0001, 0x716C0002, 0x716C0003
"""First halves of the locks' keys; the second is the number of the partition, or 0."""
_ANSWER_MS = 10_000
"""A server that does not answer the session for so long is lost."""
_CLIENT = {
    "application_name": "qulink city worker",
    "connect_timeout": 10,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": _ANSWER_MS,
}
_SESSION = {
    "statement_timeout": str(_ANSWER_MS),
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
# objsubid is 2 for locks of two numbers: those of one, which migrations wait for, are not ours
_HELD = text(
    "SELECT classid::bigint AS kind, objid::bigint AS number FROM pg_locks"
    " WHERE locktype = 'advisory' AND granted AND objsubid = 2"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_SOME = bindparam("some", type_=ARRAY(Integer))
_ACQUIRE = text(
    f"SELECT number FROM unnest(:some) AS number WHERE pg_try_advisory_lock({PARTITION}, number)"  # noqa: S608 - a number of ours
).bindparams(_SOME)
_RELEASE = text(
    f"SELECT pg_advisory_unlock({PARTITION}, number) FROM unnest(:some) AS number"  # noqa: S608 - as above
).bindparams(_SOME)


class Seen(NamedTuple):
    """What all workers hold.

    Attributes:
        workers: how many there are, this one included.
        held: partitions that one of them has.
    """

    workers: int
    held: frozenset[int]


class Claims:
    """The locks of this worker. Every method raises ``SQLAlchemyError`` when they are lost.

    Args:
        database: on PostgreSQL; the locks have a connection of their own to it.
    """

    def __init__(self, database: Database) -> None:
        self._engine = create_engine(
            database.engine.url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
            connect_args=_CLIENT,
        )
        self._session: Connection | None = None

    def open(self) -> None:
        """Begin a session, which others then count as a worker."""
        self.close()
        self._session = self._engine.connect()
        setting = text("SELECT set_config(:name, :value, false)")
        for name, value in _SESSION.items():
            self._session.execute(setting, {"name": name, "value": value})
        self._session.execute(text(f"SELECT pg_advisory_lock_shared({WORKER}, 0)"))

    def look(self) -> Seen:
        """What is held by whom."""
        held = [(row.kind, row.number) for row in self._open.execute(_HELD)]
        workers = sum(kind == WORKER for kind, _ in held)
        return Seen(workers, frozenset(number for kind, number in held if kind == PARTITION))

    def acquire(self, partitions: Collection[int]) -> frozenset[int]:
        """Try to acquire partitions that this worker does not hold; returns those it then holds."""
        return frozenset(self._open.execute(_ACQUIRE, {"some": sorted(partitions)}).scalars())

    def release(self, partitions: Collection[int]) -> None:
        """Let others acquire partitions of ours."""
        self._open.execute(_RELEASE, {"some": sorted(partitions)})

    def lead(self) -> bool:
        """Try to become the leader; ask only while not leading over this connection."""
        lock = text(f"SELECT pg_try_advisory_lock({LEADER}, 0)")
        return bool(self._open.execute(lock).scalar_one())

    def close(self) -> None:
        """End the session; the server frees what it held."""
        if self._session is not None:
            self._session.invalidate()  # closes the socket even if a statement is under way
            self._session.close()
            self._session = None

    @property
    def _open(self) -> Connection:
        if self._session is None:
            raise RuntimeError("the locks are used before their session is open")
        return self._session
