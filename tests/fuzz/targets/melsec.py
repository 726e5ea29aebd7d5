"""MC protocol: answers in 3E and 4E frames."""

from collections.abc import Sequence
from random import Random

from gateway.drivers.mc import codec
from gateway.drivers.mc.config import Frame, Route, Series
from tests.fuzz.harness import Case, Target

ROUTES = (Route(0, 0xFF, 0x3FF, 0), Route(2, 7, 0x3FF, 0), Route(1, 1, 0x3E1, 5))
CODES = (0xC051, 0xC059, 0x4031, 0xC201)


def _request(dice: Random) -> codec.Request:
    series = dice.choice(tuple(Series))
    near, far = codec.Words("D", 100, dice.choice((1, 2, 40))), codec.Words("M", 32, 3)
    return dice.choice(
        (
            codec.read(near, series),
            codec.read_random([near, far], series),
            codec.write_words("W", 0x1A, b"\1\2", series),
            codec.write_bit("M", 3, value=True, series=series),
            codec.read_model(),
        )
    )


def _answers(dice: Random) -> Case:
    to, frame, request = dice.choice(ROUTES), dice.choice(tuple(Frame)), _request(dice)
    serial = dice.choice((0, 1, 0xFFFF)) if frame is Frame.E4 else None
    end = dice.choice((0, 0, 0, dice.choice(CODES)))
    route = bytes((to.network, to.pc, *to.io.to_bytes(2, "little"), to.station))
    data = dice.randbytes(request.size)
    if end:
        data = route + b"".join(
            one.to_bytes(2, "little") for one in (request.command, request.subcommand)
        )
    body = end.to_bytes(2, "little") + data
    number = b"" if serial is None else serial.to_bytes(2, "little")
    begin = (b"\xd0\0" if serial is None else b"\xd4\0") + number
    head = begin + bytes(len(number)) + route
    whole = head + len(body).to_bytes(2, "little") + body

    def decode(pieces: Sequence[bytes]) -> bytes | int | None:
        """As a connection does: 4E answers are told by their numbers, 3E ones must be alone."""
        inbox = codec.Inbox(frame)
        found = [one for piece in pieces for one in inbox.receive(piece)]
        if serial is None and len(found) > 1:
            return None
        answer = next((one for one in found if one.serial == serial), None)
        return None if answer is None else codec.outcome(answer, request, to)

    def holds(came: bytes, taken: bytes | int) -> bool:
        """Frame after frame by its length; the first one with the number counts."""
        while came.startswith(head[:2]):
            size = int.from_bytes(came[len(head) : len(head) + 2], "little")
            one, came = came[: len(head) + 2 + size], came[len(head) + 2 + size :]
            if one.startswith(begin):
                code = int.from_bytes(one[len(head) + 2 : len(head) + 4], "little")
                is_of_it = one[len(head) - len(route) : len(head)] == route
                is_whole = is_of_it and len(one) == len(head) + 2 + size
                if isinstance(taken, int):
                    return is_whole and code == taken > 0
                return is_whole and code == 0 and one[len(head) + 4 :] == taken
        return False

    def seal(came: bytes) -> bytes:
        size = max(len(came) - len(head) - 2, 0)
        return came[: len(head)] + size.to_bytes(2, "little") + came[len(head) + 2 :]

    return Case(whole, decode, holds, seal)


TARGETS = (Target("mc/answers", _answers, (codec.WrongAnswerError,)),)
