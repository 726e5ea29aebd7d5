"""Users, and by what they show who they are: passwords, applications' secrets, keys, tokens."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from gateway.identifier.node.keeping.secrets import Seal, digest_of, new_secret
from gateway.identifier.node.keeping.tables import admin_key, credential, token, user
from gateway.relational.upsert import insert_for

MAX_TOKENS = 1_000
"""Of one user; of more, those that end first go."""


class Role(StrEnum):
    """What a user is at a node."""

    ADMINISTRATOR = "administrator"  # keeps users
    REVIEWER = "reviewer"  # decides on prefixes
    ENTERPRISE = "enterprise"  # registers below its prefixes


@dataclass(frozen=True, slots=True)
class User:
    """A user.

    Attributes:
        name: it logs in by.
        role: what it is.
        enterprise: for which it acts; empty: for none.
        created_ms: UTC milliseconds.
        disabled_ms: likewise; None: it may log in.
    """

    name: str
    role: Role
    enterprise: str
    created_ms: int
    disabled_ms: int | None


@dataclass(frozen=True, slots=True)
class AdminKey:
    """A key of the native protocol.

    Attributes:
        user: whose it is.
        type: HS_SECKEY or HS_PUBKEY.
        content: of the value: the secret in clear, or the public key as the protocol has it.
    """

    user: str
    type: str
    content: bytes

    def __repr__(self) -> str:
        return f"AdminKey({self.user!r}, {self.type!r})"


_ALL = select(user.c.name, user.c.role, user.c.enterprise, user.c.created_ms, user.c.disabled_ms)


def listed(connection: Connection) -> list[User]:
    """All users, in order."""
    rows = connection.execute(_ALL.order_by(user.c.name))
    return [User(name, Role(role), *rest) for name, role, *rest in rows]


def find(connection: Connection, name: str) -> User | None:
    """A user; None: there is none of that name."""
    for one, role, *rest in connection.execute(_ALL.where(user.c.name == name)):
        return User(one, Role(role), *rest)
    return None


def add(connection: Connection, new: User) -> None:
    """Add a user who cannot log in yet."""
    connection.execute(
        insert(user).values(
            name=new.name, role=new.role, enterprise=new.enterprise, created_ms=new.created_ms
        )
    )


def set_password(connection: Connection, name: str, hashed: str) -> None:
    """Give a user a password, as ``gateway/web/access/passwords.py`` hashes it; its tokens end."""
    connection.execute(update(user).where(user.c.name == name).values(password=hashed))
    end_tokens(connection, name)


def password_of(connection: Connection, name: str) -> str:
    """The hash of a living user's password; empty: there is none."""
    query = select(user.c.password).where(user.c.name == name, user.c.disabled_ms.is_(None))
    return connection.scalar(query) or ""


def disable(connection: Connection, name: str, now_ms: int) -> None:
    """Let a user log in no more, by whatever; its tokens end. The name is never another's."""
    connection.execute(update(user).where(user.c.name == name).values(disabled_ms=now_ms))
    end_tokens(connection, name)


# -- applications ------------------------------------------------------------------------------


def put_credential(
    connection: Connection, name: str, user_name: str, digest: str, now_ms: int
) -> None:
    """Let an application log in; one of that name has this secret from now on.

    Args:
        connection: of the node's database.
        name: it logs in by; no other user's application has it.
        user_name: for whom it acts.
        digest: SHA-256 of its secret, hexadecimal.
        now_ms: UTC milliseconds.
    """
    content = {"user_name": user_name, "digest": digest, "created_ms": now_ms, "revoked_ms": None}
    statement = insert_for(connection, credential).values(content | {"name": name})
    connection.execute(
        statement.on_conflict_do_update(index_elements=[credential.c.name], set_=content)
    )


def credential_of(connection: Connection, name: str) -> tuple[str, str] | None:
    """User and digest of an application; None: it may not log in, or its user may not."""
    of = credential.c
    query = select(of.user_name, of.digest).join(user, user.c.name == of.user_name)
    query = query.where(of.name == name, of.revoked_ms.is_(None), user.c.disabled_ms.is_(None))
    found = connection.execute(query).first()
    return None if found is None else (found[0], found[1])


def credential_user(connection: Connection, name: str) -> str | None:
    """Whose an application is or was; None: there was none of that name."""
    return connection.scalar(select(credential.c.user_name).where(credential.c.name == name))


def revoke_credential(connection: Connection, name: str, now_ms: int) -> None:
    """Let an application log in no more; tokens of its user end."""
    change = update(credential).where(credential.c.name == name).values(revoked_ms=now_ms)
    connection.execute(change)
    owner = credential_user(connection, name)
    if owner is not None:
        end_tokens(connection, owner)


# -- keys of the native protocol ---------------------------------------------------------------


def put_admin_key(
    connection: Connection, seal: Seal, place: tuple[str, int], key: AdminKey, now_ms: int
) -> None:
    """Keep a key; another one of this place ends.

    Args:
        connection: of the node's database.
        seal: of this node.
        place: handle and index of the value that the key is.
        key: it, and whose.
        now_ms: UTC milliseconds.
    """
    handle, position = place
    kept = seal.close(key.content) if key.type == "HS_SECKEY" else key.content
    content: dict[str, Any] = {"user_name": key.user, "type": key.type, "content": kept}
    content["created_ms"] = now_ms
    row = content | {"key": handle.upper(), "position": position}
    statement = insert_for(connection, admin_key).values(row)
    keys = [admin_key.c.key, admin_key.c.position]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=content))


def admin_key_at(connection: Connection, seal: Seal, place: tuple[str, int]) -> AdminKey | None:
    """The key at handle and index; None: there is none, or its user may not log in.

    Raises:
        SealError: it was sealed with another key.
    """
    of = admin_key.c
    query = select(of.user_name, of.type, of.content).join(user, user.c.name == of.user_name)
    handle, position = place
    query = query.where(
        of.key == handle.upper(), of.position == position, user.c.disabled_ms.is_(None)
    )
    for name, kind, content in connection.execute(query):
        return AdminKey(name, kind, seal.open(content) if kind == "HS_SECKEY" else content)
    return None


def admin_keys(connection: Connection) -> list[tuple[str, int, str, str]]:
    """Handle in upper case, index, type and user of each key, in order."""
    of = admin_key.c
    query = select(of.key, of.position, of.type, of.user_name).order_by(of.key, of.position)
    return [(handle, at, kind, name) for handle, at, kind, name in connection.execute(query)]


def drop_admin_key(connection: Connection, place: tuple[str, int]) -> None:
    """Let the key at handle and index prove nothing any more."""
    handle, position = place
    of = admin_key.c
    connection.execute(delete(admin_key).where(of.key == handle.upper(), of.position == position))


# -- tokens ------------------------------------------------------------------------------------


def new_token(connection: Connection, user_name: str, now_ms: int, until_ms: int) -> str:
    """A token by which a user who has logged in is known until a time (UTC milliseconds)."""
    secret = new_secret()
    of = token.c
    own = of.user_name == user_name
    connection.execute(delete(token).where(of.until_ms <= now_ms))
    kept = select(of.digest).where(own).order_by(of.until_ms.desc()).limit(MAX_TOKENS - 1)
    connection.execute(delete(token).where(own, of.digest.not_in(kept)))
    row = {"digest": digest_of(secret), "user_name": user_name, "until_ms": until_ms}
    connection.execute(insert(token).values(row))
    return secret


def token_user(connection: Connection, given: str, now_ms: int) -> str | None:
    """Who is known by a token; None: nobody any more."""
    of = token.c
    query = select(of.user_name).where(of.digest == digest_of(given), of.until_ms > now_ms)
    return connection.scalar(query)


def end_token(connection: Connection, given: str) -> None:
    """Let one token end."""
    connection.execute(delete(token).where(token.c.digest == digest_of(given)))


def end_tokens(connection: Connection, user_name: str) -> None:
    """Let all tokens of a user end."""
    connection.execute(delete(token).where(token.c.user_name == user_name))
