"""DL/T 645: frames on a line, among noise and other meters, and what they answer."""

from collections.abc import Sequence
from random import Random

from gateway.drivers.dlt645 import codec
from tests.fuzz.harness import Case, Target

METERS = ("000000000001", "681668166816", "112233445566")
ITEMS = (0x02010100, 0x00010000, 0x0201FF00, 0x04000401)


def _frames(dice: Random) -> Case:
    meter, item = dice.choice(METERS), dice.choice(ITEMS)
    asked = dice.choice((meter, meter, meter, codec.ANYBODY))
    request = dice.choice((codec.read(asked, item), codec.read_more(asked, item, 1)))
    control = request.frame.control | 0x80
    data = item.to_bytes(4, "little") + dice.randbytes(dice.choice((1, 2, 4, 30)))
    control, data = dice.choice(
        ((control, data), (control, data), (control | 0x20, data), (control | 0x40, b"\2"))
    )
    whole = b"\xfe" * dice.choice((0, 1, 4)) + _framed(meter, control, data)

    def decode(pieces: Sequence[bytes]) -> codec.Frame | None:
        hearing = codec.Hearing()
        found = (frame for piece in pieces for frame in hearing.receive(piece))
        return next((one for one in found if request.is_answered_by(one)), None)

    def holds(came: bytes, taken: codec.Frame) -> bool:
        """It stands there whole, says that it answers this, and is of the meter."""
        is_of_it = asked in (taken.meter, codec.ANYBODY)
        answers = taken.control in (control & ~0x60, control & ~0x60 | 0x20)
        answers = answers and taken.data[:4] == item.to_bytes(4, "little")
        refuses = bool(taken.control & 0x40) and taken.control & ~0x60 == control & ~0x60
        return is_of_it and (answers or refuses) and _framed(*taken) in came

    def seal(came: bytes) -> bytes:
        """What was changed is the data of a sound frame, or its control code."""
        return _framed(meter, came[8] if len(came) > 8 else control, came[10:-2][:255])

    return Case(whole, decode, holds, seal)


def _framed(meter: str, control: int, data: bytes) -> bytes:
    body = b"\x68" + bytes(int(meter[at : at + 2], 16) for at in range(10, -1, -2)) + b"\x68"
    body += bytes((control, len(data))) + bytes((byte + 0x33) % 256 for byte in data)
    return body + bytes((sum(body) % 256, 0x16))


TARGETS = (Target("dlt645/frames", _frames),)
