"""How a session with a server is secured, and what it has; for people who look for a fault."""

from collections.abc import Iterator

from gateway.drivers.extras import Finding
from gateway.drivers.opcua.config import Connection
from gateway.drivers.opcua.connecting.session import Session

_NAMED = 10
"""Namespaces that are named."""


def told(session: Session, connection: Connection) -> Iterator[Finding]:
    """What is known of a session that stands; asks the server nothing."""
    weak = session.weakness or ("" if session.security != _OPEN else "not secured: all can read it")
    found = f"{session.security}; {weak}" if weak else session.security
    yield Finding("security", None if weak else True, "policy and mode", found)
    user = connection.username
    who = f"user {user}" if user else "anonymous"
    yield Finding("login", True, f"a session as {who}", "opened")
    uris = session.namespaces.uris
    names = ", ".join(f"{index}: {uri}" for index, uri in enumerate(uris[:_NAMED]))
    more = f" and {len(uris) - _NAMED} more" if len(uris) > _NAMED else ""
    yield Finding("namespaces", bool(uris) or None, "the server's NamespaceArray", names + more)


_OPEN = "None/None"
