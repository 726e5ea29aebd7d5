"""One way to try every decoder: tamper with a right answer, and judge what is made of it.

An input is known by target, seed and number, so that a finding can be tried again. Every
sixteenth is the right answer itself: a decoder that refuses it would pass by refusing all.
"""

import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

from tests.fuzz.mutations import mutated, pieces
from tests.support.cost import counted_cost

RIGHT_EVERY = 16
MEASURED_EVERY = 64
"""Inputs whose memory is measured; to measure makes them several times slower."""
MOST_BYTES = 512 * 1024
"""Of memory for one input, none of which is longer than some KiB."""
MOST_S = 2.0
"""Of CPU time for one input."""
MOST_SHOWN = 20


class Case(NamedTuple):
    """A question, its right answer, and who judges what comes in its place.

    Attributes:
        answer: the right one, as it comes over the wire.
        decode: what the driver takes of the bytes that came, in pieces; None: nothing.
        holds: whether a plain decoder, written for this only, says the same of these bytes;
            ValueError and LookupError are a no.
        seal: makes checksums right, so that what is wrong is not told by them.
    """

    answer: bytes
    decode: Callable[[Sequence[bytes]], Any]
    holds: Callable[[bytes, Any], bool]
    seal: Callable[[bytes], bytes] = bytes


class Target(NamedTuple):
    """A decoder.

    Attributes:
        name: ``driver/part``.
        make: a question and its answer, drawn.
        refusals: exceptions with which it may refuse; any other is a finding.
    """

    name: str
    make: Callable[[Random], Case]
    refusals: tuple[type[Exception], ...] = ()


@dataclass
class Verdict:
    """What came of the inputs of a target."""

    target: str
    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    findings: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For the report; ``taken`` are answers that the driver took and the judge confirmed."""
        return {
            "decoder": self.target,
            "inputs": self.outcomes.total(),
            **self.outcomes,
            "seconds": round(self.seconds, 1),
            "findings": self.findings[:MOST_SHOWN],
        }


def campaign(target: Target, seed: int, is_over: Callable[[int, float], bool]) -> Verdict:
    """Try inputs until it is over, which is asked with their number and the seconds it took."""
    verdict, begin = Verdict(target.name), time.monotonic()
    while not is_over(verdict.outcomes.total(), verdict.seconds):
        number = verdict.outcomes.total()
        outcome, words = attempt(target, seed, number)
        verdict.outcomes[outcome] += 1
        if words:
            verdict.findings.append(f"{target.name} {seed} {number}: {words}")
        verdict.seconds = time.monotonic() - begin
    return verdict


def attempt(target: Target, seed: int, number: int) -> tuple[str, str]:
    """Try one input.

    Returns:
        What came of it: ``taken``, ``refused`` or ``wrong``; and in words what is
        wrong, else nothing.
    """
    dice = Random(f"{target.name} {seed} {number}")
    case = target.make(dice)
    is_measured = number % MEASURED_EVERY == MEASURED_EVERY - 1
    if number % RIGHT_EVERY:
        data = mutated(dice, case.answer, target.make(dice).answer)
        data = case.seal(data) if dice.random() < 0.5 else data
        return judged(target, case, pieces(dice, data), is_measured=is_measured)
    outcome, words = judged(target, case, pieces(dice, case.answer), is_measured=is_measured)
    if outcome == "refused":
        return "wrong", f"the right answer was refused: {case.answer.hex()}"
    return outcome, words


def judged(
    target: Target, case: Case, parts: Sequence[bytes], *, is_measured: bool = False
) -> tuple[str, str]:
    """Let a decoder take what came, and judge it; returns what :func:`attempt` does."""
    data = b"".join(parts)
    try:
        taken = _measured(case, parts) if is_measured else case.decode(parts)
    except target.refusals:
        taken = None
    except Exception as error:  # noqa: BLE001 - whichever it is, it is a finding
        return "wrong", f"{type(error).__name__}: {error} of {data.hex()}"
    if taken is None:
        return "refused", ""
    if _holds(case, data, taken):
        return "taken", ""
    return "wrong", f"{taken!r} was taken of {data.hex()}"


def _holds(case: Case, data: bytes, taken: Any) -> bool:
    try:
        return case.holds(data, taken)
    except (ValueError, LookupError):  # there is no such thing in these bytes
        return False


class _TooMuchError(Exception):
    """An input cost more than any may."""


def _measured(case: Case, parts: Sequence[bytes]) -> Any:
    with counted_cost() as spent_s:
        tracemalloc.start()
        try:
            taken = case.decode(parts)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    took = spent_s()
    if most > MOST_BYTES or took > MOST_S:
        raise _TooMuchError(f"{most} bytes and {took:.1f} s")
    return taken
