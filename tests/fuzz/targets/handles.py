"""The native protocol of handles: what a server answers, over a connection and by datagrams."""

from collections.abc import Sequence
from random import Random

from gateway.identifier.irp.bodies import (
    Held,
    Question,
    Referral,
    write_handle,
    write_held,
    write_list,
    write_question,
    write_referral,
)
from gateway.identifier.irp.codes import Flag, Op, Rc
from gateway.identifier.irp.data import TCP, Interface, Server, Site, write_site
from gateway.identifier.irp.datagrams import DATAGRAM, Assembly, cut
from gateway.identifier.irp.message import (
    ENVELOPE_SIZE,
    HEADER_SIZE,
    Message,
    Stream,
    encode,
    request_digest,
)
from gateway.identifier.irp.octets import WireError
from gateway.identifier.irp.values import Value
from gateway.identifier.native.walking.places import Place, places_of, sites_in
from gateway.identifier.native.walking.replies import Reply, belonging, reply_of
from gateway.identifier.registering.native.listing import told_by
from gateway.identifier.registering.registry import Outcome
from tests.fuzz.harness import Case, Target

PREFIX = "88.999.QZ01"
HANDLES = ("88.999.QZ01/451.000001", "10.1000/182", "88.999.QZ01/设备")
PLACE = Place("192.0.2.1", 2641, TCP)
SITE = write_site(Site((Server(1, "192.0.2.2", (Interface(3, TCP, 2641),)),)))


def _over_a_connection(dice: Random) -> Case:
    def decode(pieces: Sequence[bytes], request: bytes, handle: str) -> Reply | None:
        stream = Stream()
        came = [whole for piece in pieces for whole in stream.feed(piece)]
        return _believed(came[0], request, handle) if came else None

    return _case(dice, decode, is_cut=False)


def _by_datagrams(dice: Random) -> Case:
    def decode(pieces: Sequence[bytes], request: bytes, handle: str) -> Reply | None:
        assembly, data = Assembly(), b"".join(pieces)
        for at in range(0, len(data), DATAGRAM):
            whole = assembly.add(data[at : at + DATAGRAM])
            if whole is not None:
                return _believed(whole, request, handle)
        return None

    return _case(dice, decode, is_cut=True)


def _believed(whole: bytes, request: bytes, handle: str) -> Reply:
    """As a walk takes it: the sites of a referral are read and put in order, too."""
    reply = reply_of(belonging(whole, request, Op.RESOLVE), "", PLACE, Question(handle))
    if reply.referral is not None:
        places_of(sites_in(reply.referral.values), handle)
    return reply


def _case(dice: Random, decode, *, is_cut: bool) -> Case:  # type: ignore[no-untyped-def]
    handle, number = dice.choice(HANDLES), dice.randrange(2**31)
    asked = Message(Op.RESOLVE, number, write_question(Question(handle)), flags=0x0080_0000)
    request = encode(asked)
    digest = request_digest(request)

    def written(rc: int, body: bytes) -> bytes:
        flags = int(Flag.RETURN_DIGEST)
        whole = encode(Message(Op.RESOLVE, number, body, rc, flags, digest=digest))
        return b"".join(cut(whole)) if is_cut else whole

    def holds(came: bytes, taken: Reply) -> bool:
        """What was taken stands there, octet by octet, and is of the handle."""
        came = _joined(came) if is_cut else came
        if taken.held is not None:
            is_of_it = taken.held.handle.upper() == handle.upper()
            return is_of_it and taken.rc == Rc.OK and write_held(taken.held) in came
        if taken.referral is not None:
            return write_referral(taken.referral) in came or not taken.referral.values
        return taken.rc != Rc.OK and taken.why.encode()[:50] in came

    def seal(came: bytes) -> bytes:
        """What was changed is the body of a message that is else sound."""
        start = ENVELOPE_SIZE + HEADER_SIZE + len(digest)
        rc = int.from_bytes(came[24:28], "big") or 1
        return written(rc, came[start:-4])

    rc, body = _answer(dice, handle)
    return Case(written(rc, body), lambda parts: decode(parts, request, handle), holds, seal)


def _answer(dice: Random, handle: str) -> tuple[Rc, bytes]:
    values = tuple(
        Value(number, dice.choice(("URL", "HS_SITE")), dice.choice((SITE, dice.randbytes(300))))
        for number in range(1, dice.randrange(2, 5))
    )
    if dice.random() < 0.3:
        return Rc.PREFIX_REFERRAL, write_referral(Referral("", values))
    return Rc.OK, write_held(Held(handle, values))


def _listing(dice: Random) -> Case:
    """A listing in several messages, which is taken as a whole or not at all."""
    number = dice.randrange(2**31)
    request = encode(Message(Op.LIST_HANDLES, number, write_handle(f"0.NA/{PREFIX}")))
    digest = request_digest(request)

    def written(count: int, *, is_last: bool) -> bytes:
        flags = int(Flag.RETURN_DIGEST) | (0 if is_last else int(Flag.CONTINUOUS))
        body = write_list(tuple(f"{PREFIX}/451.{dice.randrange(10**6):06d}" for _ in range(count)))
        return encode(Message(Op.LIST_HANDLES, number, body, Rc.OK, flags, digest=digest))

    def listed(pieces: Sequence[bytes]) -> list[str] | None:
        stream, found = Stream(), list[str]()
        for whole in (one for piece in pieces for one in stream.feed(piece)):
            answer = belonging(whole, request, Op.LIST_HANDLES)
            part = told_by(PREFIX, answer, has_begun=bool(found))
            if part.outcome is not Outcome.OK:
                return None
            found += part.handles
            if not answer.is_continued:
                return found
        return None

    parts = dice.randrange(1, 4)
    answer = b"".join(written(2, is_last=at == parts - 1) for at in range(parts))
    return Case(answer, listed, lambda came, taken: _plainly_listed(came) == taken)


def _plainly_listed(came: bytes) -> list[str]:
    """What messages list, until one that says that it is the last."""
    found, is_continued = list[str](), True
    while is_continued:
        flags = int.from_bytes(came[28:32], "big")
        at = 44 + (33 if flags & 0x0080_0000 else 0)
        count, at = int.from_bytes(came[at : at + 4], "big"), at + 4
        for _ in range(count):
            end = at + 4 + int.from_bytes(came[at : at + 4], "big")
            found.append(came[at + 4 : end].decode())
            at = end
        is_continued = bool(flags & 0x0400_0000)
        came = came[20 + int.from_bytes(came[16:20], "big") :]
    return found


def _joined(came: bytes) -> bytes:
    """What datagrams carry, without their envelopes, in the order in which they say they are."""
    parts = [came[at : at + DATAGRAM] for at in range(0, len(came), DATAGRAM)]
    return b"".join(part[ENVELOPE_SIZE:] for part in sorted(parts, key=lambda one: one[12:16]))


TARGETS = (
    Target("handles/connection", _over_a_connection, (WireError,)),
    Target("handles/datagrams", _by_datagrams, (WireError,)),
    Target("handles/listing", _listing, (WireError,)),
)
