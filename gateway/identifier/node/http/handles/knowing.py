"""Who asks by the JSON interface: by Basic, with a secret key, or by a session that was proved."""

import asyncio
import base64
import binascii
import hmac
import logging
import secrets
from collections.abc import Callable, Mapping

from starlette.requests import Request

from gateway.identifier.irp.codes import Rc
from gateway.identifier.irp.octets import WireError
from gateway.identifier.irp.values import Reference
from gateway.identifier.native.keys import SECRET_KEY
from gateway.identifier.node.http.handles.sessions import (
    Session,
    Sessions,
    is_proved,
    read_fields,
    read_identity,
)
from gateway.identifier.node.keeping import users
from gateway.identifier.node.keeping.secrets import Seal, SealError
from gateway.identifier.node.keeping.users import AdminKey
from gateway.identifier.node.native.answering import RefusedError
from gateway.relational.database import Database
from gateway.throttle import Throttle, site_of

log = logging.getLogger(__name__)

_NONCE_SIZE = 16
_WRONG = "no such key, or not proved by it"


class Knowing:
    """Finds out who asks.

    Args:
        database: of the node.
        seal: of its secrets.
        clock_s: one that only runs, seconds.
    """

    def __init__(self, database: Database, seal: Seal, clock_s: Callable[[], float]) -> None:
        self._database, self._seal, self._clock_s = database, seal, clock_s
        self._throttle = Throttle()
        self._sessions = Sessions()
        self._one_by_one = asyncio.Lock()  # a proof costs milliseconds of the processor

    def begin(self) -> Session:
        """A session with a nonce to prove."""
        name, nonce = secrets.token_hex(16), secrets.token_bytes(_NONCE_SIZE)
        return self._sessions.begin(name, nonce, self._clock_s())

    def end(self, request: Request) -> None:
        """Forget the session that a request names."""
        self._sessions.end(_fields(request).get("sessionId", ""))

    async def user(self, request: Request) -> str:
        """Whose the key is that a request shows; empty: it shows none.

        Raises:
            RefusedError: it is wrong, the session is over, or wrong ones came too often.
        """
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            return await self._by_basic(request, shown)
        fields = _fields(request)
        if "signature" in fields:
            return (await self.proved(request, fields)).user
        if "sessionId" in fields:
            session = self._sessions.known(fields["sessionId"], self._clock_s())
            if session is None:
                raise RefusedError(Rc.CHALLENGE, "the session is over, or was never proved")
            return session.user
        return ""

    async def proved(self, request: Request, given: Mapping[str, str]) -> Session:
        """The session that a request proves; fields may stand in its header or its body.

        Raises:
            RefusedError: it does not prove it.
        """
        fields = {**given, **_fields(request)}
        session = self._sessions.answered(fields.get("sessionId", ""), self._clock_s())
        place = read_identity(fields.get("id", ""))
        if session is None or place is None:
            raise RefusedError(Rc.CHALLENGE, "there is no such session that waits for a proof")
        user = await self._judged(request, place, lambda key: is_proved(key, fields, session.nonce))
        identity = f"{place.index}:{place.handle}"
        self._sessions.prove(session, user, identity, self._clock_s())
        return session

    async def _by_basic(self, request: Request, shown: str) -> str:
        try:
            name, _, secret = base64.b64decode(shown, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            raise RefusedError(Rc.AUTHENTICATION_FAILED, "no Basic authentication") from None
        place = read_identity(name)
        if place is None:
            why = "the user is a key's index:handle, percent-encoded: 300%3A88.999.QZ01%2FADMIN"
            raise RefusedError(Rc.AUTHENTICATION_FAILED, why)
        return await self._judged(request, place, lambda key: _is_secret(key, secret.encode()))

    async def _judged(
        self, request: Request, place: Reference, is_right: Callable[[AdminKey], bool]
    ) -> str:
        """The user of a key that is rightly shown; wrong ones are slowed down."""
        visitor = site_of(request.client.host) if request.client else ""
        who = f"{visitor} {place.index}:{place.handle.upper()}"
        async with self._one_by_one:
            if self._throttle.pause_s(who, self._clock_s()):
                raise RefusedError(Rc.BUSY, "too many wrong keys; come again later")
            key = await self._key(place)
            try:
                is_known = key is not None and await asyncio.to_thread(is_right, key)
            except WireError as error:
                raise RefusedError(Rc.INVALID_CREDENTIAL, str(error)) from None
            if key is not None and is_known:
                self._throttle.right(who)
                return key.user
            if self._throttle.wrong(who, self._clock_s()):
                log.warning("node: wrong keys from %s; further ones have to wait", who)
        raise RefusedError(Rc.AUTHENTICATION_FAILED, _WRONG)

    async def _key(self, place: Reference) -> AdminKey | None:
        try:
            return await self._database.read(
                users.admin_key_at, self._seal, (place.handle, place.index)
            )
        except SealError as error:
            log.error("node: the key %s:%s cannot be read: %s", place.index, place.handle, error)  # noqa: TRY400 - its words suffice
            raise RefusedError(Rc.AUTHENTICATION_ERROR, "the key cannot be read here") from error


def _fields(request: Request) -> dict[str, str]:
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    return read_fields(shown) if scheme.lower() == "handle" else {}


def _is_secret(key: AdminKey, given: bytes) -> bool:
    return key.type == SECRET_KEY and hmac.compare_digest(key.content, given)
