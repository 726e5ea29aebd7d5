"""Sessions of the JSON interface, and who proves what. Pure: clocks and random octets come in.

A session begins with a nonce, which is good for one proof; a session that was proved is known by
its id. Those that wait never drive away those that are known.
"""

import base64
import binascii
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from struct import Struct
from urllib.parse import unquote

from gateway.identifier.irp.octets import WireError, blob, text
from gateway.identifier.irp.proofs import is_secret_answer, is_signed_answer, read_rsa_key
from gateway.identifier.irp.values import Reference
from gateway.identifier.native.keys import PUBLIC_KEY, SECRET_KEY, key_name
from gateway.identifier.node.keeping.users import AdminKey

WAITING_S, KNOWN_S = 60.0, 3_600.0
"""How long a nonce may be answered, and how long a session lasts without a request."""
MOST = 1_024
"""Of each kind; of more, the oldest go."""
_FIELD = re.compile(r'(\w+)="([^"]*)"')
_PARAMETERS = Struct(">II")
_SIGNED_BY = {"SHA256": "SHA-256", "SHA-256": "SHA-256", "SHA1": "SHA1", "SHA-1": "SHA1"}


@dataclass(slots=True)
class Session:
    """A session.

    Attributes:
        id: by which the client names it.
        nonce: that is to be proved; empty once it was.
        user: who has proved it; empty: nobody yet.
        identity: the key by which, as ``300:88.999.QZ01/ADMIN``.
        until_s: after this it is forgotten.
    """

    id: str
    nonce: bytes = field(repr=False)
    user: str
    identity: str
    until_s: float


class Sessions:
    """Those that are under way."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, Session] = OrderedDict()
        self._known: OrderedDict[str, Session] = OrderedDict()

    def begin(self, name: str, nonce: bytes, now_s: float) -> Session:
        """A session that nobody has proved yet; name and nonce are random."""
        session = Session(name, nonce, "", "", now_s + WAITING_S)
        _keep(self._waiting, session)
        return session

    def answered(self, name: str, now_s: float) -> Session | None:
        """The session whose nonce a proof is for; whatever comes of it, there is no second."""
        session = self._waiting.pop(name, None)
        return session if session is not None and session.until_s > now_s else None

    def prove(self, session: Session, user: str, identity: str, now_s: float) -> None:
        """It is known from now on."""
        session.nonce, session.user, session.identity = b"", user, identity
        session.until_s = now_s + KNOWN_S
        _keep(self._known, session)

    def known(self, name: str, now_s: float) -> Session | None:
        """A session that was proved; it lasts longer by being used."""
        session = self._known.get(name)
        if session is None or session.until_s <= now_s:
            self._known.pop(name, None)
            return None
        session.until_s = now_s + KNOWN_S
        self._known.move_to_end(name)
        return session

    def end(self, name: str) -> None:
        """Forget a session."""
        self._known.pop(name, None)
        self._waiting.pop(name, None)


def _keep(kept: OrderedDict[str, Session], session: Session) -> None:
    kept[session.id] = session
    while len(kept) > MOST:
        kept.popitem(last=False)


def read_fields(shown: str) -> dict[str, str]:
    """Fields of ``Authorization: Handle name="value", …``."""
    return dict(_FIELD.findall(shown))


def read_identity(written: str) -> Reference | None:
    """Who a client says to be, percent-encoded ``index:handle``; None: nobody."""
    try:
        return key_name(unquote(written, errors="strict"))
    except ValueError:
        return None


def is_proved(key: AdminKey, fields: Mapping[str, str], nonce: bytes) -> bool:
    """Whether the fields of a client are an answer, with a key, to a nonce.

    Raises:
        WireError: in a form that is not known.
    """
    if fields.get("type") != key.type:
        return False
    cnonce, signature = _octets(fields, "cnonce"), _octets(fields, "signature")
    if key.type == PUBLIC_KEY:
        by = _SIGNED_BY.get(fields.get("alg", ""))
        if by is None:
            raise WireError(f"alg {fields.get('alg')!r}; SHA256 and SHA1 sign")
        public = read_rsa_key(key.content)
        return is_signed_answer(text(by) + blob(signature), public, nonce, cnonce)
    answer = _secret_form(fields, signature)
    return key.type == SECRET_KEY and is_secret_answer(answer, key.content, nonce, cnonce)


def _secret_form(fields: Mapping[str, str], signature: bytes) -> bytes:
    """An answer with a secret key, as it is made natively."""
    alg = fields.get("alg", "")
    if alg in ("SHA1", "SHA-1"):
        return b"\x02" + signature
    if alg != "PBKDF2WithHmacSHA1":
        raise WireError(f"alg {alg!r}; PBKDF2WithHmacSHA1 and SHA1 prove a secret")
    rounds, bits = fields.get("iterations", ""), fields.get("length", "")
    if not all(one.isascii() and one.isdecimal() and len(one) <= 7 for one in (rounds, bits)):  # noqa: PLR2004 - digits
        raise WireError("iterations and length are numbers")
    parameters = _PARAMETERS.pack(int(rounds), int(bits))
    return b"\x22" + blob(_octets(fields, "salt")) + parameters + blob(signature)


def _octets(fields: Mapping[str, str], name: str) -> bytes:
    try:
        return base64.b64decode(fields.get(name, ""), validate=True)
    except (binascii.Error, ValueError):
        raise WireError(f"{name} is no base64") from None
