"""Users: added and disabled by administrators; passwords, secrets and keys."""

from sqlalchemy import Connection

from gateway.identifier.node.keeping import audit, users
from gateway.identifier.node.keeping.audit import Action
from gateway.identifier.node.keeping.secrets import Seal, digest_of, new_secret
from gateway.identifier.node.keeping.users import AdminKey, Role, User
from gateway.identifier.node.rights import refusals
from gateway.identifier.node.rights.principal import Visit
from gateway.identifier.node.rules import is_text
from gateway.identifier.registering.registry import Outcome, Result
from gateway.relational.database import alone
from gateway.web.access.passwords import hash_password

MIN_PASSWORD = 8
"""Characters of a password, octets of a secret key."""


def add(connection: Connection, visit: Visit, name: str, role: Role, enterprise: str) -> Result:
    """Add a user; DENIED, EXISTS, or INVALID: an enterprise's user without an enterprise."""
    if (denial := _denied(visit, name)) is not None:
        return denial
    if not refusals.is_name(name):
        return Result(name, Outcome.INVALID, refusals.BAD_NAME)
    if (role is Role.ENTERPRISE) != bool(enterprise.strip()):
        return Result(name, Outcome.INVALID, refusals.BAD_ENTERPRISE)
    if not is_text(enterprise):
        return Result(name, Outcome.INVALID, refusals.NO_TEXT)
    alone(connection, "records")
    if users.find(connection, name) is not None:
        return Result(name, Outcome.EXISTS, refusals.NAME_TAKEN)
    users.add(connection, User(name, role, enterprise.strip(), visit.now_ms, None))
    return _done(connection, visit, name, Action.USER, f"{role} {enterprise}".strip())


def disable(connection: Connection, visit: Visit, name: str) -> Result:
    """Let a user log in no more; the name is never another's. DENIED or NOT_FOUND."""
    if (denial := _denied(visit, name)) is not None:
        return denial
    if users.find(connection, name) is None:
        return Result(name, Outcome.NOT_FOUND, refusals.NO_USER)
    users.disable(connection, name, visit.now_ms)
    return _done(connection, visit, name, Action.DISABLED)


def set_password(connection: Connection, visit: Visit, name: str, password: str) -> Result:
    """Give a user a password; by an administrator or the user itself.

    Returns:
        OK; all tokens of the user have ended. INVALID: too short; DENIED, NOT_FOUND.
    """
    if name != visit.principal.user and (denial := _denied(visit, name)) is not None:
        return denial
    if users.find(connection, name) is None:
        return Result(name, Outcome.NOT_FOUND, refusals.NO_USER)
    if len(password) < MIN_PASSWORD:
        return Result(name, Outcome.INVALID, refusals.short_password(MIN_PASSWORD))
    users.set_password(connection, name, hash_password(password))
    return _done(connection, visit, name, Action.PASSWORD)


def make_credential(
    connection: Connection, visit: Visit, name: str, user_name: str
) -> tuple[Result, str]:
    """Make, or make anew, the secret by which an application logs in for a user.

    Args:
        connection: of the node's database.
        visit: who asks: an administrator, or the user itself.
        name: of the application.
        user_name: for whom it acts.

    Returns:
        The result and, if it is OK, the secret, which is kept nowhere. EXISTS: another user's
        application has this name.
    """
    if user_name != visit.principal.user and (denial := _denied(visit, name)) is not None:
        return denial, ""
    if users.find(connection, user_name) is None:
        return Result(name, Outcome.NOT_FOUND, refusals.NO_USER), ""
    if not refusals.is_name(name):
        return Result(name, Outcome.INVALID, refusals.BAD_NAME), ""
    alone(connection, "records")
    if users.credential_user(connection, name) not in (None, user_name):
        return Result(name, Outcome.EXISTS, refusals.NAME_TAKEN), ""
    secret = new_secret()
    users.put_credential(connection, name, user_name, digest_of(secret), visit.now_ms)
    return _done(connection, visit, name, Action.CREDENTIAL, user_name), secret


def revoke_credential(connection: Connection, visit: Visit, name: str) -> Result:
    """Let an application log in no more; by an administrator or its user."""
    owner = users.credential_user(connection, name)
    if owner != visit.principal.user and (denial := _denied(visit, name)) is not None:
        return denial
    if owner is None:
        return Result(name, Outcome.NOT_FOUND, refusals.NO_USER)
    users.revoke_credential(connection, name, visit.now_ms)
    return _done(connection, visit, name, Action.REVOKED)


def set_key(
    connection: Connection, visit: Visit, seal: Seal, place: tuple[str, int], key: AdminKey
) -> Result:
    """Let a key at handle and index prove a user; by an administrator, or the user itself.

    The handle is below the user's prefixes, or is one of them, alone or as ``0.NA/prefix``.
    """
    handle, _ = place
    if visit.principal.role is not Role.ADMINISTRATOR and not _is_own(visit, handle, key.user):
        return Result(handle, Outcome.DENIED, refusals.NOT_OWN_PLACE)
    if users.find(connection, key.user) is None:
        return Result(handle, Outcome.NOT_FOUND, refusals.NO_USER)
    if len(key.content) < MIN_PASSWORD:
        return Result(handle, Outcome.INVALID, refusals.short_password(MIN_PASSWORD))
    users.put_admin_key(connection, seal, place, key, visit.now_ms)
    return _done(connection, visit, handle, Action.KEY, f"{place[1]}: {key.user}")


def drop_key(connection: Connection, visit: Visit, place: tuple[str, int]) -> Result:
    """Let the key at handle and index prove nothing any more; by whom :func:`set_key` says."""
    handle, position = place
    is_administrator = visit.principal.role is Role.ADMINISTRATOR
    if not is_administrator and not _is_own(visit, handle, visit.principal.user):
        return Result(handle, Outcome.DENIED, refusals.NOT_OWN_PLACE)
    users.drop_admin_key(connection, place)
    return _done(connection, visit, handle, Action.UNKEYED, str(position))


def _is_own(visit: Visit, handle: str, user_name: str) -> bool:
    """Whether the principal speaks for itself, at a handle of its enterprise."""
    prefix, _, suffix = handle.upper().partition("/")
    place = suffix if prefix == "0.NA" else prefix
    return user_name == visit.principal.user and visit.principal.may_register(place)


def _denied(visit: Visit, name: str) -> Result | None:
    if visit.principal.role is Role.ADMINISTRATOR:
        return None
    return Result(name, Outcome.DENIED, refusals.NOT_ADMINISTRATOR)


def _done(
    connection: Connection, visit: Visit, name: str, action: Action, detail: str = ""
) -> Result:
    audit.note(connection, visit.now_ms, visit.principal.user, action, name, detail)
    return Result(name, Outcome.OK, refusals.DONE)
