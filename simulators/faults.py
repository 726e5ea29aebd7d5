"""Faults that a person switches on: a silent unit, values that stand still."""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass

KINDS = ("dead-unit", "frozen")


@dataclass(frozen=True, slots=True)
class Faults:
    """Which Modbus units misbehave.

    Attributes:
        dead: units that do not answer.
        frozen: units whose values stand still.
    """

    dead: frozenset[int] = frozenset()
    frozen: frozenset[int] = frozenset()

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, int]]) -> "Faults":
        """Collect what :func:`fault` read."""
        known = list(pairs)
        return cls(*(frozenset(unit for kind, unit in known if kind == name) for name in KINDS))


def fault(text: str) -> tuple[str, int]:
    """Read ``dead-unit:3`` or ``frozen:2``.

    Raises:
        argparse.ArgumentTypeError: it is neither.
    """
    kind, _, unit = text.partition(":")
    if kind not in KINDS or not unit.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no fault such as dead-unit:3 or frozen:2")
    return kind, int(unit)
