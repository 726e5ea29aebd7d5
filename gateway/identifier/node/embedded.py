"""The node inside of a city: its own enterprise, whose application is the city."""

from sqlalchemy import Connection

from gateway.identifier.node.credentials import NodeCredentials
from gateway.identifier.node.keeping import users
from gateway.identifier.node.keeping.secrets import digest_of
from gateway.identifier.node.keeping.users import Role, User
from gateway.identifier.node.rights import allotting

ENTERPRISE = "qulink-city"


def settle(connection: Connection, credentials: NodeCredentials, prefix: str, now_ms: int) -> None:
    """See that the city may log in, and that all below the node's prefix is its own.

    Args:
        connection: of the node's database.
        credentials: by which the city logs in.
        prefix: of the node, which is nobody else's here.
        now_ms: UTC milliseconds.
    """
    name, digest = credentials.username, digest_of(credentials.secret)
    if users.find(connection, name) is None:
        users.add(connection, User(name, Role.ENTERPRISE, ENTERPRISE, now_ms, None))
    allotting.allot_own(connection, [prefix], ENTERPRISE, now_ms)
    if users.credential_of(connection, name) != (name, digest):
        users.put_credential(connection, name, name, digest, now_ms)
