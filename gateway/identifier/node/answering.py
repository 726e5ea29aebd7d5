"""What the node answers to messages of the native protocol. Pure; reading only.

Changes go through the other face of the node: the native way to prove who asks is not spoken yet,
so a request for one is answered as unsupported.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.identifier.irp.bodies import (
    Fault,
    Held,
    Question,
    read_handle,
    read_question,
    write_fault,
    write_held,
)
from gateway.identifier.irp.codes import Flag, Op, Rc
from gateway.identifier.irp.message import (
    ENVELOPE_SIZE,
    Message,
    decode,
    encode,
    request_digest,
)
from gateway.identifier.irp.octets import WireError

_KEPT = Flag.RETURN_DIGEST | Flag.KEEP_ALIVE | Flag.AUTHORITATIVE | Flag.PUBLIC_ONLY
"""Flags of a request that its answer repeats."""
LIFE_S = 12 * 3600
"""How long an answer may be taken for fresh: clocks of clients differ by hours."""


class RefusedError(Exception):
    """A request that gets no good answer.

    Attributes:
        rc: the code of the answer.
    """

    def __init__(self, rc: Rc, why: str) -> None:
        super().__init__(why)
        self.rc = rc


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a node answers from.

    Attributes:
        lookup: gives what is held of a handle, whatever its case.
        is_own: whether a handle is of this node.
        site: the node's description of itself, as an HS_SITE holds it.
    """

    lookup: Callable[[str], Held | None]
    is_own: Callable[[str], bool]
    site: bytes


def answer(request: bytes, holdings: Holdings, now_s: int) -> bytes:
    """The answer to a whole message.

    Args:
        request: as it came.
        holdings: what there is.
        now_s: seconds since 1970; clients refuse an answer that has no end, or is past it.

    Raises:
        WireError: the message is an answer itself, or too broken to be answered.
    """
    try:
        asked = decode(request)
    except WireError as error:
        return _broken(request, error)
    if asked.is_answer:
        raise WireError("an answer where a request is expected")
    try:
        rc, body = Rc.OK, _body(asked, holdings)
    except RefusedError as refused:
        rc, body = refused.rc, write_fault(Fault(str(refused)))
    except WireError as error:
        rc, body = Rc.PROTOCOL_ERROR, write_fault(Fault(str(error)))
    return _encoded(request, asked, rc, body, now_s + LIFE_S)


def _body(asked: Message, holdings: Holdings) -> bytes:
    if asked.op == Op.RESOLVE:
        return write_held(_resolved(read_question(asked.body), holdings))
    if asked.op == Op.GET_SITE:
        read_handle(asked.body)
        return holdings.site
    raise RefusedError(Rc.UNSUPPORTED, "this node takes changes by its HTTP interface only")


def _resolved(asked: Question, holdings: Holdings) -> Held:
    if not holdings.is_own(asked.handle):
        raise RefusedError(Rc.NOT_RESPONSIBLE, f"{asked.handle} is not of this node")
    held = holdings.lookup(asked.handle)
    if held is None:
        raise RefusedError(Rc.HANDLE_NOT_FOUND, f"there is no {asked.handle}")
    values = tuple(one for one in held.values if one.is_public and asked.wants(one))
    if not values:
        raise RefusedError(Rc.VALUES_NOT_FOUND, f"{asked.handle} has no such value")
    return Held(held.handle, values)


def _encoded(request: bytes, asked: Message, rc: Rc, body: bytes, expires_s: int) -> bytes:
    digest = request_digest(request) if asked.flags & Flag.RETURN_DIGEST else b""
    flags = asked.flags & int(_KEPT)
    return encode(
        Message(
            asked.op,
            asked.request_id,
            body,
            int(rc),
            flags,
            asked.session_id,
            version=min(asked.version, (2, 11)),
            site_serial=1,
            expires_s=expires_s,
            digest=digest,
        )
    )


def _broken(request: bytes, error: WireError) -> bytes:
    """To whom a message can be answered, its number can be read."""
    if len(request) < ENVELOPE_SIZE:
        raise error
    number = int.from_bytes(request[8:12], "big")
    return encode(Message(0, number, write_fault(Fault(str(error))), Rc.PROTOCOL_ERROR, 0))
