"""Answers that may be believed: they belong to their question, and are of its handle. Pure."""

from dataclasses import dataclass

from gateway.identifier.irp.bodies import (
    Held,
    Question,
    Referral,
    read_fault,
    read_held,
    read_referral,
)
from gateway.identifier.irp.codes import Rc
from gateway.identifier.irp.message import Message, decode, request_digest
from gateway.identifier.irp.octets import WireError
from gateway.identifier.native.walking.places import Place
from gateway.identifier.native.walking.way import ABSENT

REFERRALS = frozenset({Rc.SERVICE_REFERRAL, Rc.PREFIX_REFERRAL})
_ELSEWHERE = frozenset(
    {Rc.BUSY, Rc.ERROR, Rc.UNSUPPORTED, Rc.PROTOCOL_ERROR, Rc.NOT_RESPONSIBLE, Rc.SITE_OUT_OF_DATE}
)
"""Answers after which another server may know better."""
_MAX_WHY = 200
"""Characters of a server's reason."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that belongs to its question.

    Attributes:
        rc: its code.
        place: whose it is.
        address: IP address of that server.
        held: the handle that was asked for, if it is there.
        referral: who else is to be asked, if the server says so.
        why: what the server says of a refusal.
    """

    rc: int
    place: Place
    address: str
    held: Held | None = None
    referral: Referral | None = None
    why: str = ""

    @property
    def is_good(self) -> bool:
        """Whether nobody else needs to be asked."""
        return self.rc not in _ELSEWHERE and (self.place.is_home or self.rc not in ABSENT)


def belonging(whole: bytes, request: bytes, op: int) -> Message:
    """The answer to a request.

    Args:
        whole: what came.
        request: whole, as it was sent.
        op: what was asked.

    Raises:
        WireError: it is none, or answers something else.
    """
    answer = decode(whole)
    if not answer.is_answer or answer.op not in (op, 0):
        raise WireError("what came is no answer to this question")
    if answer.digest and answer.digest != request_digest(request, answer.digest[0]):
        raise WireError("the answer is to another question: its digest differs")
    return answer


def reply_of(answer: Message, address: str, place: Place, asked: Question) -> Reply:
    """What an answer says.

    Raises:
        WireError: its body is broken, or of another handle.
    """
    if answer.rc in REFERRALS:
        return Reply(answer.rc, place, address, referral=read_referral(answer.body))
    if answer.rc != Rc.OK:
        return Reply(answer.rc, place, address, why=read_fault(answer.body).message[:_MAX_WHY])
    held = read_held(answer.body)
    if held.handle.upper() != asked.handle.upper():
        raise WireError(f"the server answers for {held.handle}")
    return Reply(answer.rc, place, address, held)
