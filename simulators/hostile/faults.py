"""What a hostile device does to an answer. Pure; every choice is drawn from the rule's own dice."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random
from typing import NamedTuple

from simulators.hostile.frames import Framing

Arguments = Mapping[str, float]
"""Numbers of a rule by name; NaN where a register is to hold none."""


class End(StrEnum):
    """What becomes of the connection after an answer."""

    NONE = ""
    RESET = "reset"
    CLOSE = "close"
    DEAF = "deaf"


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an answer is given.

    Attributes:
        data: bytes to send; may be none.
        wait_ms: before the first of them.
        is_passed: others need not wait for it.
        joins: it waits for the next answer, at most ``wait_ms``, and both come in one piece.
        piece: bytes that come together; 0: all.
        pause_ms: between pieces.
        again_ms: it comes once more, so much later.
        end: what becomes of the connection then.
    """

    data: bytes
    wait_ms: float = 0
    is_passed: bool = False
    joins: bool = False
    piece: int = 0
    pause_ms: float = 0
    again_ms: float | None = None
    end: End = End.NONE


class Struck(NamedTuple):
    """An exchange that a fault strikes.

    Attributes:
        framing: of the connection.
        request: what was asked.
        dice: of this rule and request.
        given: arguments of the rule.
    """

    framing: Framing
    request: bytes
    dice: Random
    given: Arguments


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault.

    Attributes:
        words: what it does, for the command line.
        given: its arguments and what they are if they are left out.
        frame: other bytes for the answer; None: it changes how the answer is given.
        delivery: another way to give it.
        request: what the device is asked instead.
    """

    words: str
    given: Arguments
    frame: Callable[[bytes, Struck], bytes] | None = None
    delivery: Callable[[Delivery, Struck], Delivery] | None = None
    request: Callable[[bytes, Struck], bytes] | None = None


# -- contents -----------------------------------------------------------------------------


def _sentinel(frame: bytes, by: Struck) -> bytes:
    """Registers that say "no value"."""
    value = by.given["value"]
    # A quiet NaN is two registers of float32 (IEEE 754, 6.2.1).
    words = struct.pack(">f", value) if value != value else int(value).to_bytes(2, "big")  # noqa: PLR0124 - NaN
    return _words(frame, by, lambda data: (words * len(data))[: len(data)])


def _wrap(frame: bytes, by: Struck) -> bytes:
    """Counters that begin again."""
    below = int(by.given["below"])

    def wrapped(data: bytes) -> bytes:
        words = struct.unpack(f">{len(data) // 2}H", data)
        return struct.pack(f">{len(words)}H", *(word % below for word in words))

    return _words(frame, by, wrapped)


def _words(frame: bytes, by: Struck, change: Callable[[bytes], bytes]) -> bytes:
    """Change the registers in an answer to functions 3 and 4."""
    pdu = by.framing.pdu(frame)
    if len(pdu) < 4 or pdu[0] not in (3, 4):
        return frame
    return by.framing.with_pdu(frame, pdu[:2] + change(pdu[2:]))


def _move(request: bytes, by: Struck) -> bytes:
    """What was at address n is at n + by: the device is asked for what is there now."""
    pdu = by.framing.pdu(request)
    if len(pdu) < 5 or pdu[0] not in (3, 4):
        return request
    address = (int.from_bytes(pdu[1:3], "big") - int(by.given["by"])) & 0xFFFF
    return by.framing.with_pdu(request, pdu[:1] + address.to_bytes(2, "big") + pdu[3:])


def _fewer(frame: bytes, by: Struck) -> bytes:
    """Registers are missing, and the byte count says so."""
    pdu, bytes_ = by.framing.pdu(frame), 2 * int(by.given["registers"])
    if len(pdu) < 2 + bytes_ + 2 or pdu[0] not in (3, 4):
        return frame
    return by.framing.with_pdu(frame, bytes((pdu[0], pdu[1] - bytes_)) + pdu[2:-bytes_])


def _exception(frame: bytes, by: Struck) -> bytes:
    pdu = by.framing.pdu(frame)
    if not pdu:
        return frame
    return by.framing.with_pdu(frame, bytes((pdu[0] | 0x80, int(by.given["code"]))))


def _wrong_function(frame: bytes, by: Struck) -> bytes:
    pdu = by.framing.pdu(frame)
    return by.framing.with_pdu(frame, bytes((pdu[0] ^ 7,)) + pdu[1:]) if pdu else frame


def _wrong_length(frame: bytes, by: Struck) -> bytes:
    """The byte count, and it alone."""
    pdu = by.framing.pdu(frame)
    if len(pdu) < 2:
        return frame
    count = (pdu[1] + int(by.given["by"])) & 0xFF
    return by.framing.with_pdu(frame, pdu[:1] + bytes((count,)) + pdu[2:])


def _corrupt(frame: bytes, by: Struck) -> bytes:
    """One bit, where the protocol can notice it."""
    size = min(by.framing.header or len(frame), len(frame))
    bit = by.dice.randrange(8 * size) if size else 0
    body = bytearray(frame)
    body[bit // 8] ^= 1 << bit % 8
    return bytes(body)


# -- delivery -----------------------------------------------------------------------------


def _waiting(delivery: Delivery, by: Struck) -> Delivery:
    return replace(delivery, wait_ms=delivery.wait_ms + by.given["ms"])


def _late(delivery: Delivery, by: Struck) -> Delivery:
    return replace(_waiting(delivery, by), is_passed=True)


def _coalesce(delivery: Delivery, by: Struck) -> Delivery:
    return replace(_waiting(delivery, by), joins=True)


def _truncate(delivery: Delivery, by: Struck) -> Delivery:
    return replace(delivery, data=delivery.data[: -int(by.given["bytes"])])


def _mid_frame(delivery: Delivery, by: Struck) -> Delivery:
    half = by.dice.randrange(1, max(2, len(delivery.data)))
    return replace(delivery, data=delivery.data[:half], end=End.DEAF)


def _split(delivery: Delivery, by: Struck) -> Delivery:
    return replace(delivery, piece=int(by.given["bytes"]), pause_ms=by.given["ms"])


def _noise(delivery: Delivery, by: Struck) -> Delivery:
    return replace(delivery, data=by.dice.randbytes(int(by.given["bytes"])) + delivery.data)


def _ending(end: End) -> Callable[[Delivery, Struck], Delivery]:
    return lambda delivery, _: replace(delivery, data=b"", end=end)


FAULTS: Mapping[str, Fault] = {
    # what the device is asked, and what it holds
    "moved_registers": Fault("what was at address n is at n + by", {"by": 1}, request=_move),
    "sentinel": Fault("all registers hold value (or nan)", {"value": 0x7FFF}, frame=_sentinel),
    "wrap": Fault("registers begin again at below", {"below": 256}, frame=_wrap),
    "exception": Fault("an exception instead", {"code": 6}, frame=_exception),
    # frames that are wrong
    "fewer": Fault("so many registers less than asked", {"registers": 1}, frame=_fewer),
    "wrong_tid": Fault(
        "transaction id + by",
        {"by": 1},
        frame=lambda f, s: s.framing.with_key(f, int(s.given["by"])),
    ),
    "wrong_unit": Fault(
        "unit + by",
        {"by": 1},
        frame=lambda f, s: s.framing.with_unit(f, s.framing.unit(f) + int(s.given["by"])),
    ),
    "wrong_function": Fault("another function", {}, frame=_wrong_function),
    "wrong_length": Fault("byte count + by", {"by": 2}, frame=_wrong_length),
    "corrupt": Fault("one bit where it can be noticed", {}, frame=_corrupt),
    # how it is given
    "delay": Fault("ms later, and all after it", {"ms": 100}, delivery=_waiting),
    "late": Fault("ms later; others pass it", {"ms": 300}, delivery=_late),
    "coalesce": Fault("in one piece with the next, at most ms", {"ms": 50}, delivery=_coalesce),
    "silent": Fault("no answer", {}, delivery=lambda d, _: replace(d, data=b"")),
    "truncate": Fault("the last bytes are missing", {"bytes": 1}, delivery=_truncate),
    "silent_mid_frame": Fault("a part, then nothing ever again", {}, delivery=_mid_frame),
    "split": Fault("in pieces of bytes, ms apart", {"bytes": 1, "ms": 1}, delivery=_split),
    "twice": Fault(
        "once more, ms later",
        {"ms": 0},
        delivery=lambda d, s: replace(d, again_ms=s.given["ms"]),
    ),
    "echo": Fault(
        "the request comes back before it",
        {},
        delivery=lambda d, s: replace(d, data=s.request + d.data),
    ),
    "noise": Fault("random bytes before it", {"bytes": 4}, delivery=_noise),
    "reset": Fault("the connection is reset instead", {}, delivery=_ending(End.RESET)),
    "close": Fault("the connection is closed instead", {}, delivery=_ending(End.CLOSE)),
    "close_after": Fault(
        "the connection is closed after it", {}, delivery=lambda d, _: replace(d, end=End.CLOSE)
    ),
    # connections
    "refuse": Fault("a new connection is reset (at: the n-th one)", {}),
    "hang": Fault("a new connection is never served", {}),
}
"""Every kind by the word after ``do:``."""

CONNECTIONS = frozenset({"refuse", "hang"})
"""Those that strike connections and not answers."""
