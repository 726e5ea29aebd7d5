"""A server of handles by another maker, in small: it demands a proof for each change.

Written from the protocol's description, apart from the node. ``rc`` answers everything with one
code, ``lie`` replaces an answer.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from gateway.identifier.irp.bodies import (
    Fault,
    Held,
    read_handle,
    read_held,
    read_proof,
    read_question,
    read_removal,
    write_challenge,
    write_fault,
    write_held,
)
from gateway.identifier.irp.codes import Flag, Op, Rc
from gateway.identifier.irp.message import Message, decode, encode, request_digest
from gateway.identifier.irp.proofs import is_secret_answer, is_signed_answer
from gateway.identifier.irp.values import Value

KEY = "300:88.999.QZ01/ADMIN"
SECRET = b"correct horse battery staple"
Answer = tuple[Rc, bytes]
Lie = Callable[[bytes, Message], Message | None]
"""What goes out instead of the right answer to a request; None: nothing."""


@dataclass
class HandleServer:
    """Handles in memory, with the keys of one administrator."""

    public_key: RSAPublicKey | None = None
    version: tuple[int, int] = (2, 11)
    overwrites: bool = False
    rc: Rc | None = None
    lie: Lie = lambda _request, answer: answer
    held: dict[str, dict[int, Value]] = field(default_factory=dict)
    asked: list[Op] = field(default_factory=list)
    proofs: list[bytes] = field(default_factory=list)
    _open: dict[int, tuple[bytes, bytes]] = field(default_factory=dict)

    def answer(self, request: bytes) -> bytes:
        """The answer to a whole request."""
        told = self.lie(request, self._answer(request))
        return b"" if told is None else encode(told)

    def _answer(self, request: bytes) -> Message:
        asked = decode(request)
        self.asked.append(Op(asked.op))
        if self.rc is not None:
            return self._message(request, self.rc, write_fault(Fault("by order")))
        if asked.op != Op.CHALLENGE_ANSWER:
            session_id, nonce = secrets.randbits(31), secrets.token_bytes(16)
            self._open[session_id] = request, nonce
            challenge = self._message(request, Rc.CHALLENGE, write_challenge(nonce))
            return msgspec.structs.replace(challenge, session_id=session_id)
        first, nonce = self._open.pop(asked.session_id)  # clients number the answer anew
        if not self._is_proved(asked.body, nonce, request_digest(first)[1:]):
            wrong = write_fault(Fault("wrong key"))
            return self._message(request, Rc.AUTHENTICATION_FAILED, wrong)
        rc, body = self._done(decode(first))
        return msgspec.structs.replace(self._message(request, rc, body), op=decode(first).op)

    def _is_proved(self, body: bytes, nonce: bytes, digest: bytes) -> bool:
        proof = read_proof(body)
        self.proofs.append(proof.answer)
        if f"{proof.key_index}:{proof.key_handle}" != KEY:
            return False
        if self.public_key is None:
            return is_secret_answer(proof.answer, SECRET, nonce, digest)
        return is_signed_answer(proof.answer, self.public_key, nonce, digest)

    def _done(self, asked: Message) -> Answer:
        does: dict[int, Callable[[bytes], Answer]] = {
            Op.RESOLVE: self._resolve,
            Op.CREATE: self._create,
            Op.DELETE: self._delete,
            Op.ADD_VALUE: self._add,
            Op.MODIFY_VALUE: self._modify,
            Op.REMOVE_VALUE: self._remove,
        }
        if self.overwrites and asked.flags & Flag.OVERWRITE:
            self.held.pop(read_held(asked.body).handle, None)
        return does[asked.op](asked.body)

    def _resolve(self, body: bytes) -> Answer:
        handle = read_question(body).handle
        found = next((one for one in self.held if one.upper() == handle.upper()), None)
        if found is None:
            return Rc.HANDLE_NOT_FOUND, write_fault(Fault())
        return Rc.OK, write_held(Held(found, tuple(self.held[found].values())))

    def _create(self, body: bytes) -> Answer:
        one = read_held(body)
        if any(handle.upper() == one.handle.upper() for handle in self.held):
            return Rc.HANDLE_EXISTS, write_fault(Fault())
        self.held[one.handle] = {value.index: value for value in one.values}
        return Rc.OK, b""

    def _delete(self, body: bytes) -> Answer:
        del self.held[read_handle(body)]
        return Rc.OK, b""

    def _add(self, body: bytes) -> Answer:
        one = read_held(body)
        values = self.held[one.handle]
        if any(value.index in values for value in one.values):
            return Rc.VALUE_EXISTS, write_fault(Fault())
        values.update({value.index: value for value in one.values})
        return Rc.OK, b""

    def _modify(self, body: bytes) -> Answer:
        one = read_held(body)
        values = self.held[one.handle]
        if any(value.index not in values for value in one.values):
            return Rc.VALUES_NOT_FOUND, write_fault(Fault())
        values.update({value.index: value for value in one.values})
        return Rc.OK, b""

    def _remove(self, body: bytes) -> Answer:
        one = read_removal(body)
        for index in one.indexes:
            del self.held[one.handle][index]
        return Rc.OK, b""

    def _message(self, request: bytes, rc: Rc, body: bytes) -> Message:
        asked = decode(request)
        flags = asked.flags | Flag.RETURN_DIGEST * (rc == Rc.CHALLENGE)  # it always has one
        return Message(
            asked.op,
            asked.request_id,
            body,
            rc,
            flags,
            version=self.version,
            expires_s=2**31 - 1,
            digest=request_digest(request) if flags & Flag.RETURN_DIGEST else b"",
        )
