"""How an administrator shows himself to the JSON interface of a Handle server."""

import asyncio
import base64
import binascii
import re
import secrets
from collections.abc import Callable, Mapping
from struct import Struct
from typing import Any
from urllib.parse import quote

from edge_config.models.identifiers.registries import (
    CertificateLogin,
    HandleJsonNode,
    PasswordLogin,
    PrivateKeyLogin,
    SecretKeyLogin,
)
from gateway.identifier.calling import Caller, Reply
from gateway.identifier.irp.octets import Octets
from gateway.identifier.irp.proofs import SALT_SIZE
from gateway.identifier.native.keys import (
    PUBLIC_KEY,
    SECRET_KEY,
    Key,
    PrivateKey,
    SecretKey,
    key_name,
)
from gateway.identifier.registering.asking import (
    Login,
    LoginError,
    Told,
    nothing_done,
    private_key,
    secret_needed,
    understood,
)
from gateway.identifier.registering.registry import Outcome

_NONCE_SIZE = 32
"""Octets of ours in what is signed; servers tell the digest's algorithm by this length."""
MAX_NONCE = 64
"""Octets of a server's; whoever wants more signed is not answered."""
_SESSION = re.compile(r"[0-9A-Za-z._~+/=-]{1,256}")
_PARAMETERS = Struct(">II")

_VERSION = (2, 11)
"""Of the native protocol, whose proofs these are."""


def login_of(
    node: HandleJsonNode, caller: Caller, meaning: Callable[[Reply], Told | None]
) -> Login:
    """What a configuration says of showing oneself.

    Args:
        node: identity, secret, and where sessions begin.
        caller: the same node.
        meaning: of its answers.
    """
    login = node.login
    if isinstance(login, PasswordLogin | CertificateLogin):
        return _Always(node.identity, login)
    return _Session(node, login, caller, meaning)


def _identity(text: str) -> str:
    """With the colon quoted too: it ends the user name."""
    return quote(text, safe="")


class _Always:
    """Shown with every request."""

    def __init__(self, identity: str, login: PasswordLogin | CertificateLogin) -> None:
        self._identity = identity
        self._login = login

    async def header(self) -> dict[str, str]:
        """See ``Login``."""
        if isinstance(self._login, CertificateLogin):
            return {"Authorization": 'Handle clientCert="true"'}
        with secret_needed():
            pair = f"{_identity(self._identity)}:{self._login.password.reveal()}"
        return {"Authorization": f"Basic {_base64(pair.encode())}"}

    def forget(self, header: Mapping[str, str]) -> bool:  # noqa: ARG002 - as the protocol has it
        """See ``Login``: there is nothing else to show."""
        return False


class _Session:
    """Proved once by the answer to a challenge, which no secret travels in."""

    def __init__(
        self,
        node: HandleJsonNode,
        login: SecretKeyLogin | PrivateKeyLogin,
        caller: Caller,
        meaning: Callable[[Reply], Told | None],
    ) -> None:
        self._node = node
        self._login = login
        self._caller = caller
        self._meaning = meaning
        self._lock = asyncio.Lock()
        self._header: dict[str, str] = {}

    async def header(self) -> dict[str, str]:
        """See ``Login``."""
        async with self._lock:
            if not self._header:
                self._header = await self._begun()
            return self._header

    def forget(self, header: Mapping[str, str]) -> bool:
        """See ``Login``; another request may have begun a session meanwhile."""
        if self._header is header:
            self._header = {}
        return True

    async def _begun(self) -> dict[str, str]:
        path = self._node.sessions_path
        session, nonce = _challenge(await self._asked("POST", path), self._caller.url + path)
        cnonce = secrets.token_bytes(_NONCE_SIZE)
        with secret_needed():
            key = await asyncio.to_thread(key_of, self._node.identity, self._login)
        proof = await asyncio.to_thread(_proved, key, nonce, cnonce)
        fields = {
            "version": "0",
            "sessionId": session,
            "cnonce": _base64(cnonce),
            "id": _identity(self._node.identity),
            **proof,
        }
        shown = ", ".join(f'{name}="{value}"' for name, value in fields.items())
        answer = await self._asked("PUT", f"{path}/this", {"Authorization": f"Handle {shown}"})
        if answer.get("authenticated") is not True:
            why = (
                f"the node does not take {self._node.identity}: {answer.get('errors', 'no reason')}"
            )
            raise LoginError(Told(Outcome.LOGIN, why[:500]))
        return {"Authorization": f'Handle version="0", sessionId="{session}"'}

    async def _asked(
        self, method: str, path: str, header: dict[str, str] | None = None
    ) -> dict[str, Any]:
        reply = await self._caller.call(method, path, headers=header or {}, json={})
        body = reply.body
        if isinstance(body, dict) and ("nonce" in body or "authenticated" in body):
            return body
        told = understood(reply, self._meaning, f"{method} {self._caller.url}{path}")
        told = nothing_done(told)
        sure = told.outcome.pauses or told.outcome is Outcome.DENIED
        raise LoginError(told if sure else Told(Outcome.UNREACHABLE, told.message))


def _challenge(answer: Mapping[str, Any], where: str) -> tuple[str, bytes]:
    """Session and nonce.

    Raises:
        LoginError: there is none, or one that is not put into a header or signed.
    """
    session, nonce = answer.get("sessionId"), answer.get("nonce")
    try:
        octets = base64.b64decode(str(nonce), validate=True)
    except (ValueError, binascii.Error):
        octets = b""
    is_session = isinstance(session, str) and _SESSION.fullmatch(session) is not None
    if not is_session or not 0 < len(octets) <= MAX_NONCE:
        raise LoginError(Told(Outcome.UNREACHABLE, f"POST {where}: no challenge in the answer"))
    return str(session), octets


def key_of(identity: str, login: SecretKeyLogin | PrivateKeyLogin) -> Key:
    """What an identity proves itself with.

    Raises:
        SecretUnavailableError: it cannot be read.
        KeyFileError: it is no key, or its passphrase another.
    """
    name = key_name(identity)
    if isinstance(login, SecretKeyLogin):
        return SecretKey(name, login.secret.reveal().encode())
    return PrivateKey(name, private_key(login.key, login.passphrase))


def _proved(key: Key, nonce: bytes, cnonce: bytes) -> dict[str, str]:
    """The same answer as natively, told in fields; our nonce stands for the digest."""
    salt = secrets.token_bytes(SALT_SIZE)
    proof = key.prove(nonce, cnonce, salt, _VERSION)
    octets = Octets(proof.answer)
    if proof.kind == PUBLIC_KEY:
        octets.text()
        return {"type": PUBLIC_KEY, "alg": "SHA256", "signature": _base64(octets.blob())}
    octets.take(1)
    octets.blob()
    iterations, bits = octets.unpack(_PARAMETERS)
    return {
        "type": SECRET_KEY,
        "alg": "PBKDF2WithHmacSHA1",
        "salt": _base64(salt),
        "iterations": str(iterations),
        "length": str(bits),
        "signature": _base64(octets.blob()),
    }


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
