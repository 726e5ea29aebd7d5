"""What the node answers to messages of the native protocol that need no proof. Pure."""

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
    write_referral,
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
from gateway.identifier.irp.values import Value
from gateway.identifier.native.records import withdrawal_of
from gateway.identifier.node.native.referring import Directory, prefix_asked

_KEPT = Flag.RETURN_DIGEST | Flag.KEEP_ALIVE | Flag.AUTHORITATIVE | Flag.PUBLIC_ONLY
"""Flags of a request that its answer repeats."""
PROVED = frozenset(
    {Op.CREATE, Op.DELETE, Op.ADD_VALUE, Op.REMOVE_VALUE, Op.MODIFY_VALUE, Op.LIST_HANDLES}
    | {Op.CHALLENGE_ANSWER}
)
"""What is done only for who proves who he is."""
LIFE_S = 12 * 3600
"""How long an answer may be taken for fresh: clocks of clients differ by hours."""


class RefusedError(Exception):
    """A request that gets no good answer.

    Attributes:
        rc: the code of the answer.
        body: of the answer, if it is no fault.
    """

    def __init__(self, rc: Rc, why: str, body: bytes = b"") -> None:
        super().__init__(why)
        self.rc = rc
        self.body = body or write_fault(Fault(why))


class ProofNeededError(Exception):
    """A question for values that not everybody may read."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a node answers from.

    Attributes:
        lookup: gives what is held of a handle, whatever its case.
        directory: prefixes of the node, as they are now.
        takes_proofs: who asks for what is hidden is told to prove who he is; else he gets the rest.
    """

    lookup: Callable[[str], Held | None]
    directory: Callable[[], Directory]
    takes_proofs: bool = False


def answer(request: bytes, holdings: Holdings, now_s: int) -> bytes:
    """The answer to a whole message.

    Args:
        request: as it came.
        holdings: what there is.
        now_s: seconds since 1970; clients refuse an answer that has no end, or is past it.

    Raises:
        WireError: the message is an answer itself, or too broken to be answered.
        ProofNeededError: who asks has to prove who he is.
    """
    return _answered(request, lambda asked: _body(asked, holdings), now_s)


def refused(request: bytes, rc: Rc, why: str, now_s: int) -> bytes:
    """The answer to what is not done: nothing is looked up.

    Args:
        request: as it came.
        rc: why, in the protocol's words.
        why: in other words.
        now_s: seconds since 1970.

    Raises:
        WireError: as of :func:`answer`.
    """

    def body(_asked: Message) -> bytes:
        raise RefusedError(rc, why)

    return _answered(request, body, now_s)


def _answered(request: bytes, body: Callable[[Message], bytes], now_s: int) -> bytes:
    try:
        asked = decode(request)
    except WireError as error:
        return broken(request, error)
    if asked.is_answer:
        raise WireError("an answer where a request is expected")
    return encoded(request, asked, *told(lambda: body(asked)), now_s)


def told(body: Callable[[], bytes]) -> tuple[Rc, bytes]:
    """Code and body of an answer, whatever happens while it is made."""
    try:
        return Rc.OK, body()
    except RefusedError as refused:
        return refused.rc, refused.body
    except WireError as error:
        return Rc.PROTOCOL_ERROR, write_fault(Fault(str(error)))


def _body(asked: Message, holdings: Holdings) -> bytes:
    if asked.op == Op.RESOLVE:
        return write_held(_resolved(asked, read_question(asked.body), holdings))
    if asked.op == Op.GET_SITE:
        read_handle(asked.body)
        return holdings.directory().site
    if asked.op in PROVED and not holdings.takes_proofs:
        raise RefusedError(Rc.READ_ONLY, "this server only reads; its HS_SITE says who does more")
    raise RefusedError(Rc.UNSUPPORTED, "this is not done here")


def _resolved(asked: Message, question: Question, holdings: Holdings) -> Held:
    directory, handle = holdings.directory(), question.handle
    prefix = prefix_asked(handle)
    if prefix is not None:
        return _prefix_resolved(asked, question, prefix, directory)
    demand_own(asked, handle, directory)
    held = holdings.lookup(handle)
    if held is None:
        raise RefusedError(Rc.HANDLE_NOT_FOUND, f"there is no {handle}")
    wanted = tuple(one for one in held.values if question.wants(one))
    values = tuple(one for one in wanted if one.is_public)
    is_hidden = len(values) < len(wanted)
    if is_hidden and holdings.takes_proofs and not asked.flags & Flag.PUBLIC_ONLY:
        raise ProofNeededError
    if not values and withdrawal_of(held) is not None:
        raise RefusedError(Rc.HANDLE_NOT_FOUND, withdrawn(handle))
    return _some(held.handle, values)


def withdrawn(handle: str) -> str:
    """What everybody is told of an identifier that was taken back."""
    return f"{handle} was withdrawn"


def _prefix_resolved(asked: Message, question: Question, prefix: str, directory: Directory) -> Held:
    if not directory.is_own(prefix):
        raise RefusedError(Rc.NOT_RESPONSIBLE, f"{prefix} is not of this node")
    _demand_open(prefix, directory)
    if directory.nearest(prefix) != prefix.upper():  # what is below a delegated one is told there
        _refer(asked, prefix, directory, Rc.PREFIX_REFERRAL)
    held = directory.answered(question, prefix)
    if held is None:
        raise RefusedError(Rc.HANDLE_NOT_FOUND, f"the prefix {prefix} is allotted to nobody")
    return _some(held.handle, held.values)


def _some(handle: str, values: tuple[Value, ...]) -> Held:
    if not values:
        raise RefusedError(Rc.VALUES_NOT_FOUND, f"{handle} has no such value")
    return Held(handle, values)


def demand_own(asked: Message, handle: str, directory: Directory) -> None:
    """See that a handle is answered for by this node.

    Raises:
        RefusedError: it is another's; the answer says whose, if that is known.
    """
    prefix = handle.partition("/")[0]
    if not directory.is_own(prefix):
        raise RefusedError(Rc.NOT_RESPONSIBLE, f"{handle} is not of this node")
    _demand_open(prefix, directory)
    # Of things clients follow this one, of prefixes either.
    _refer(asked, prefix, directory, Rc.SERVICE_REFERRAL)


def _demand_open(prefix: str, directory: Directory) -> None:
    """See that a prefix is no suspended one of another node.

    That there is no such handle would be kept as a fact, and a referral would undo what the node
    has decided. As Handle servers say it of a prefix that they do not have, somebody else is
    responsible (RFC 3652, 2.2.2.2: RC_SERVER_NOT_RESP): nobody keeps that, and who reloads the
    prefix for it is told the same there.
    """
    if directory.is_closed(prefix):
        why = f"{prefix} is suspended: nobody is referred to the node that answered for it"
        raise RefusedError(Rc.NOT_RESPONSIBLE, why)


def _refer(asked: Message, prefix: str, directory: Directory, rc: Rc) -> None:
    referral = directory.referred(prefix)
    if referral is None:
        return
    why = f"{prefix} is answered for by another node"
    if asked.flags & Flag.DO_NOT_REFER:
        raise RefusedError(Rc.NOT_RESPONSIBLE, why)
    raise RefusedError(rc, why, write_referral(referral))


def encoded(
    request: bytes,
    asked: Message,
    rc: Rc,
    body: bytes,
    now_s: int,
    *,
    is_continued: bool = False,
) -> bytes:
    """An answer as it goes out.

    Args:
        request: that is answered, whole.
        asked: the same; its operation may be that of the request which a proof belongs to.
        rc: code of the answer.
        body: of the answer.
        now_s: seconds since 1970.
        is_continued: another answer to the same request follows.
    """
    # A challenge without a digest would be signed by nobody.
    has_digest = asked.flags & Flag.RETURN_DIGEST or rc == Rc.CHALLENGE
    flags = asked.flags & int(_KEPT) | Flag.RETURN_DIGEST * bool(has_digest)
    flags |= Flag.CONTINUOUS * is_continued
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
            expires_s=now_s + LIFE_S,
            digest=request_digest(request) if has_digest else b"",
        )
    )


def broken(request: bytes, error: WireError) -> bytes:
    """The answer to what is no message, if its number can be read.

    Raises:
        WireError: it cannot.
    """
    if len(request) < ENVELOPE_SIZE:
        raise error
    number = int.from_bytes(request[8:12], "big")
    return encode(Message(0, number, write_fault(Fault(str(error))), Rc.PROTOCOL_ERROR, 0))
