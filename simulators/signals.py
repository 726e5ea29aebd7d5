"""What a machine shows: quantities that follow from its state, its load, its parts. Pure."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from simulators.behaviour import Machine, UnitState

Signal = Callable[[Machine], float | int | bool | str]
"""What a machine shows: computed from the machine at the time of asking."""


@dataclass(frozen=True, eq=False, slots=True)
class Lagged:
    """A quantity that follows a target with a first-order lag and noise.

    Attributes:
        target: where it goes, from the machine.
        lag_s: time constant.
        noise: standard deviation of the reading.
        floor: the instrument reads no less.
    """

    target: Callable[[Machine], float]
    lag_s: float = 3.0
    noise: float = 0.0
    floor: float = -math.inf

    def step(self, machine: Machine, seconds: float) -> None:
        """Move towards the target."""
        goal = self.target(machine)
        # Kept in the machine: all machines of a type share one manual, and this object with it.
        now = machine.lagging.get(self, goal)
        machine.lagging[self] = now + (goal - now) * min(1.0, seconds / self.lag_s)

    def __call__(self, machine: Machine) -> float:
        """The reading now."""
        now = machine.lagging.get(self)
        # Asked before the first step, as when a server builds its values.
        exact = self.target(machine) if now is None else now
        return max(self.floor, exact + machine.dice.gauss(0, self.noise))


def working(idle: float, loaded: float, lag_s: float = 3.0, noise: float = 0.0) -> Lagged:
    """A quantity between its idle value and its value under rated load."""
    floor = 0.0 if idle >= 0 and loaded >= 0 else -math.inf
    return Lagged(lambda machine: idle + (loaded - idle) * machine.load, lag_s, noise, floor)


def held(
    setpoint: float | None, noise: float, lag_s: float = 20.0, off: float | None = None
) -> Lagged:
    """A controlled quantity: it keeps to its set point (None: the machine's own).

    While the machine is off it goes to ``off``, if given.
    """

    def target(machine: Machine) -> float:
        if off is not None and machine.state is UnitState.OFF:
            return off
        return machine.setpoint if setpoint is None else setpoint

    return Lagged(target, lag_s, noise)


def spinning(speed: float, noise: float) -> Lagged:
    """A speed: the set speed while running or being set up, zero otherwise."""
    turning = (UnitState.RUNNING, UnitState.SETUP)
    return Lagged(lambda machine: speed if machine.state in turning else 0.0, 1.5, noise, 0.0)


def wrapped(counter: Callable[[Machine], float], bits: int = 16) -> Signal:
    """A counter as a controller keeps it: a whole number that wraps."""
    return lambda machine: int(counter(machine)) % (1 << bits)


def per_part(centre: float, sigma: float, drift: float = 0.0, die: int = 0) -> Signal:
    """A quantity measured at each part: it stands still until the next one.

    Args:
        centre: value with a new tool.
        sigma: standard deviation from part to part.
        drift: added by a worn tool.
        die: 0 … 3; quantities of one machine with different dice are independent.
    """
    return lambda machine: centre + drift * machine.wear + sigma * machine.part[die]
