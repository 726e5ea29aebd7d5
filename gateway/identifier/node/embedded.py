"""The node inside of a city: its own enterprise, whose application is the city."""

from collections.abc import Sequence

from sqlalchemy import Connection

from gateway.identifier.node.credentials import NodeCredentials
from gateway.identifier.node.keeping import users
from gateway.identifier.node.keeping.prefixes import Prefix
from gateway.identifier.node.keeping.secrets import digest_of
from gateway.identifier.node.keeping.users import Role, User
from gateway.identifier.node.rights import allotting
from gateway.relational.database import DatabaseUnusableError, alone

ENTERPRISE = "qulink-city"


def settle(connection: Connection, credentials: NodeCredentials, prefix: str, now_ms: int) -> None:
    """See that the city may log in, and that all below the node's prefix is its own.

    Args:
        connection: of the node's database.
        credentials: by which the city logs in.
        prefix: of the node, which is nobody else's here.
        now_ms: UTC milliseconds.

    Raises:
        DatabaseUnusableError: others hold prefixes at, above or below it.
    """
    alone(connection, "records")
    name, digest = credentials.username, digest_of(credentials.secret)
    if users.find(connection, name) is None:
        users.add(connection, User(name, Role.ENTERPRISE, ENTERPRISE, now_ms, None))
    others = allotting.allot_own(connection, prefix, ENTERPRISE, now_ms)
    if others:
        raise DatabaseUnusableError(_shared(prefix, others))
    if users.credential_of(connection, name) != (name, digest):
        users.put_credential(connection, name, name, digest, now_ms)


def _shared(prefix: str, others: Sequence[Prefix]) -> str:
    first = f"{others[0].prefix} of {others[0].enterprise!r}"
    more = f" and {len(others) - 1} more" if len(others) > 1 else ""
    return (
        f"the embedded node cannot have {prefix} ('identifier.prefix') for the city alone: its "
        f"database already has {first}{more}; name another file in 'node.path', or serve this one "
        "with 'qulink node' and let the city register there with 'node.type: snms'"
    )
