"""Which requests a fault strikes: a script, as a person writes it. Pure.

::

    seed: 7
    faults:
      - {do: late, ms: [200, 900], chance: 0.05}   # one answer in twenty
      - {do: silent, units: [3], from_s: 10, to_s: 20}
      - {do: wrong_tid, at: [5, 9]}                # of the 5th and 9th request of each unit
      - {do: moved_registers, by: 2, first: 500}   # a firmware update before the 500th
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import yaml

from simulators.hostile.faults import CONNECTIONS, FAULTS, Arguments

_MEANT = frozenset({"moved_registers"})
_WHEN = ("units", "at", "every", "chance", "first", "last", "from_s", "to_s")


class ScriptError(Exception):
    """A script cannot be followed; the message names each mistake."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request on its way to the device.

    Attributes:
        unit: whom it is for.
        number: how many that unit was asked, this one included.
        second: since the plant was started.
    """

    unit: int
    number: int
    second: float


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a script. All that is given must hold for it to strike.

    Attributes:
        do: the kind of fault.
        given: arguments; of a pair a number between them is drawn.
        units: whose requests; empty: everybody's.
        at: the numbers of the requests; empty: any.
        every: each so many.
        chance: 0…1.
        first: no request before it.
        last: none after it.
        from_s: not before this second.
        to_s: not from this one on.
    """

    do: str
    given: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    units: frozenset[int] = frozenset()
    at: frozenset[int] = frozenset()
    every: int = 1
    chance: float = 1.0
    first: int = 1
    last: float = float("inf")
    from_s: float = 0.0
    to_s: float = float("inf")

    def holds(self, asked: Asked) -> bool:
        """Whether it may strike this request; chance decides after that."""
        return (
            (not self.units or asked.unit in self.units)
            and (not self.at or asked.number in self.at)
            and asked.number % self.every == 0
            and self.first <= asked.number <= self.last
            and self.from_s <= asked.second < self.to_s
        )

    def arguments(self, dice: Random) -> Arguments:
        """What it was given, and the rest as the kind has it."""
        drawn = {
            name: low if low == high or low != low else dice.uniform(low, high)  # noqa: PLR0124 - NaN
            for name, (low, high) in self.given.items()
        }
        return {**FAULTS[self.do].given, **drawn}


@dataclass(frozen=True, slots=True)
class Script:
    """What happens.

    Attributes:
        rules: in the order in which they strike, several one request if need be.
        seed: equal seeds give equal faults to equal requests.
    """

    rules: tuple[Rule, ...] = ()
    seed: int = 1

    def striking(self, asked: Asked, *, connections: bool = False) -> Iterator[tuple[Rule, Random]]:
        """The rules that strike a request (or a new connection), each with its dice.

        They depend on seed, rule, unit and number alone: neither on time, where no rule names
        it, nor on what others ask meanwhile.
        """
        for place, rule in enumerate(self.rules):
            if (rule.do in CONNECTIONS) is connections and rule.holds(asked):
                dice = Random(f"{self.seed}/{place}/{asked.unit}/{asked.number}")
                if dice.random() < rule.chance:
                    yield rule, dice


def everything(
    chance: float, seed: int, longest_ms: float = 400, without: Container[str] = _MEANT
) -> Script:
    """Every kind of fault, each with this chance.

    Args:
        chance: 0…1.
        seed: equal seeds give equal faults.
        longest_ms: the longest wait of an answer.
        without: kinds to leave out. Registers that move are: what they hold then is right, only
            not what was meant.
    """
    timed = {name: {"ms": (0.0, longest_ms)} for name in ("delay", "late", "coalesce", "twice")}
    rules = (Rule(name, timed.get(name, {}), chance=chance) for name in FAULTS)
    return Script(tuple(rule for rule in rules if rule.do not in without), seed)


def read(text: str) -> Script:
    """Read a script.

    Raises:
        ScriptError: with every mistake in it.
    """
    try:
        written = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ScriptError(f"no YAML: {error}") from error
    if not isinstance(written, Mapping) or not isinstance(written.get("faults"), list):
        raise ScriptError("a script is a mapping with a list 'faults:'")
    wrong = [f"unknown key {key!r}" for key in written if key not in ("seed", "faults")]
    if not isinstance(written.get("seed", 1), int):
        wrong.append(f"seed {written['seed']!r} is no whole number")
    rules: list[Rule] = []
    for place, one in enumerate(written["faults"], 1):
        mistakes = list(_mistakes(one))
        wrong += [f"fault {place}: {mistake}" for mistake in mistakes]
        if not mistakes:
            rules.append(_rule(one))
    if wrong:
        raise ScriptError("; ".join(wrong))
    return Script(tuple(rules), written.get("seed", 1))


def _mistakes(one: Any) -> Iterator[str]:
    if not isinstance(one, Mapping) or one.get("do") not in FAULTS:
        yield f"'do' must be one of {', '.join(FAULTS)}"
        return
    known = FAULTS[one["do"]].given
    for key, value in one.items():
        if key == "do":
            continue
        if key not in known and key not in _WHEN:
            yield f"{one['do']} has no {key!r}; it may have {', '.join((*known, *_WHEN))}"
        elif key in ("units", "at"):
            if not isinstance(value, list) or not all(_is_count(each) for each in value):
                yield f"{key} {value!r} is no list of whole numbers"
        elif not _is_number(value) and not (key in known and _is_pair(value)):
            yield f"{key} {value!r} is no number"
        elif key == "every" and not (_is_count(value) and value > 0):
            yield f"every {value!r} is no number from 1"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_pair(value: Any) -> bool:
    return isinstance(value, Sequence) and len(value) == 2 and all(map(_is_number, value))


def _rule(one: Mapping[str, Any]) -> Rule:
    when = {key: one[key] for key in _WHEN if key in one}
    for key in ("units", "at"):
        if key in when:
            when[key] = frozenset(when[key])
    given = {
        key: (float(value[0]), float(value[1])) if _is_pair(value) else (float(value),) * 2
        for key, value in one.items()
        if key in FAULTS[one["do"]].given
    }
    return Rule(one["do"], given, **when)
