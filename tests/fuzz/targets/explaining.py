"""Frames in words for people: whatever was kept, something is said of it."""

from collections.abc import Callable, Sequence
from random import Random

from gateway.drivers import dlt645, mc, modbus, s7
from gateway.drivers.frames import Direction, Frame
from gateway.drivers.spec import DriverSpec
from tests.fuzz.harness import Case, Target
from tests.fuzz.targets import melsec, meters, simatic
from tests.fuzz.targets import modbus as modbus_answers

ANSWERS = {
    "modbus": modbus_answers.TARGETS[:3],
    "mc": melsec.TARGETS,
    "s7": simatic.TARGETS,
    "dlt645": meters.TARGETS,
}


def _frames(spec: DriverSpec) -> Callable[[Random], Case]:
    explain = spec.explain
    assert explain is not None

    def make(dice: Random) -> Case:
        answer = dice.choice(ANSWERS[spec.name]).make(dice).answer
        if spec is s7.SPEC:  # which is kept as it went over the wire
            answer = b"\x03\0" + (len(answer) + 7).to_bytes(2, "big") + b"\x02\xf0\x80" + answer
        direction = dice.choice((Direction.SENT, Direction.RECEIVED))

        def decode(pieces: Sequence[bytes]) -> str:
            return explain(Frame(0.0, direction, b"".join(pieces)))

        return Case(answer, decode, lambda data, words: bool(words or not data))

    return make


TARGETS = tuple(
    Target(f"{spec.name}/explained", _frames(spec))
    for spec in (modbus.SPEC, mc.SPEC, s7.SPEC, dlt645.SPEC)
)
