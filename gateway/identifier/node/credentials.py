"""Credentials of the embedded node: made at its first start, never a default."""

import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from gateway.durable import make_folder, sync_folder

FILE = "node-credentials.json"
USERNAME = "qulink-city"


class CredentialsError(Exception):
    """The node's credentials cannot be read or written."""


@dataclass(frozen=True, slots=True)
class NodeCredentials:
    """User name and secret of the node's only application identity."""

    username: str
    secret: str = field(repr=False)


def node_credentials(data_dir: Path) -> NodeCredentials:
    """The credentials in ``data_dir``; made there at the first call, readable by the owner only.

    Raises:
        CredentialsError: the file cannot be read, written or understood.
    """
    path = data_dir / FILE
    try:
        if not path.exists():
            _create(path)
        held = json.loads(path.read_text(encoding="utf-8"))
        return NodeCredentials(str(held["username"]), str(held["secret"]))
    except OSError as error:
        raise CredentialsError(f"cannot use {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise CredentialsError(
            f"{path} holds no credentials; restore it, or delete it to make new ones"
        ) from error


def _create(path: Path) -> None:
    """Write complete and private before it gets its name; whoever comes first wins."""
    make_folder(path.parent)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    body = json.dumps({"username": USERNAME, "secret": secrets.token_urlsafe(32)})
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    sync_folder(path.parent)  # the secret is told to others now
