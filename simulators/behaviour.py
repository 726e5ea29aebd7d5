"""How a machine behaves: shifts, cycles, stops, faults, wear. Pure: time and dice come in.

A machine runs through states; every quantity it shows follows from state, cycles and wear.
"""

import random
from collections.abc import Hashable
from dataclasses import dataclass
from enum import IntEnum


class UnitState(IntEnum):
    """One normal state for all machines."""

    UNKNOWN = 0
    OFF = 1
    STANDBY = 2
    IDLE = 3
    SETUP = 4
    RUNNING = 5
    FAULT = 6
    MAINTENANCE = 7


@dataclass(frozen=True, slots=True)
class Calendar:
    """When the shop works.

    Attributes:
        shifts: begin and end of each shift, in hours of the day; an end may pass midnight.
        breaks: begin and end of each break, in hours of the day.
    """

    shifts: tuple[tuple[float, float], ...] = ((0, 24),)
    breaks: tuple[tuple[float, float], ...] = ()

    def state(self, clock_s: float) -> "UnitState | None":
        """STANDBY in a break, OFF outside the shifts, None while people work."""
        hour = clock_s / 3600 % 24
        # A night shift that ends at 32 o'clock covers tomorrow's hours up to 8 as well.
        if not any(begin <= hour < end or hour + 24 < end for begin, end in self.shifts):
            return UnitState.OFF
        return UnitState.STANDBY if any(a <= hour < b for a, b in self.breaks) else None


TWO_SHIFTS = Calendar(((8, 20), (20, 32)), ((11.5, 12), (17.5, 18), (23.5, 24), (4, 4.5)))
"""2 × 12 hours with a half hour for each meal."""
THREE_SHIFTS = Calendar()
"""3 × 8 hours without a break: the relief takes over at the running machine."""
DAY_SHIFT = Calendar(((7.5, 18),), ((11.5, 12.5),))
"""1 × 10 hours with an hour at noon; off at night."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The times of a type of machine.

    Attributes:
        cycle_s: seconds for one part (or one record, where nothing is counted).
        stops_per_h: micro-stops in an hour of running.
        stop_s: mean length of a micro-stop.
        hours_between_faults: scale of the Weibull time between faults.
        repair_s: mean time to repair.
        reject_share: share of parts that are no good.
        tool_life: cycles until the tool (wheel, belt, blade) is changed.
        changeover_s: length of that change.
        warm_up_s: time from switching on to the first part.
        calendar: when the shop works.
    """

    cycle_s: float
    stops_per_h: float = 4.0
    stop_s: float = 25.0
    hours_between_faults: float = 14.0
    repair_s: float = 150.0
    reject_share: float = 0.01
    tool_life: int = 400
    changeover_s: float = 40.0
    warm_up_s: float = 60.0
    calendar: Calendar = THREE_SHIFTS


_WEIBULL_SHAPE = 1.5  # above 1: the longer without a fault, the sooner the next one
_IDLE_SHARE = 0.1
_STAGGER_S = 900
_PART_DICE = 4
_FAULT_CODES = (101, 102, 207, 311, 425)


class Machine:
    """One simulated machine; deterministic for a seed and a sequence of steps.

    Attributes:
        state: what it does now.
        cycles: parts made, good and bad.
        good: good parts.
        rejects: bad parts.
        part: dice of the last part, standard normal: what differs from part to part.
        setpoint: what its controller is set to, where the type leaves it open.
        clock_s: time of the plant, seconds since a midnight.
        lagging: where its quantities are that follow their targets slowly.
        wear: 0 (new tool) … 1 (to be changed).
        fault_code: number of the present fault, 0 if none.
        running_s: seconds run in all.
        energy_kwh: energy used in all.
    """

    def __init__(
        self,
        rhythm: Rhythm,
        seed: int,
        rated_kw: float = 7.5,
        setpoint: float = 0.0,
        clock_s: float = 9 * 3600,
    ) -> None:
        self.rhythm = rhythm
        self.rated_kw = rated_kw
        self.setpoint = setpoint
        self.dice = random.Random(seed)
        # Machines of one line do not begin a break in the same second.
        self.clock_s = clock_s + self.dice.uniform(0, _STAGGER_S)
        self._take_on_history()
        self.lagging: dict[Hashable, float] = {}
        self.part = self._part_dice()
        self.fault_code = 0
        self.in_cycle_s = self.dice.uniform(0, rhythm.cycle_s)
        self.last_cycle_s = rhythm.cycle_s
        # It has been running for a while: some of the time to its next fault is over.
        self._fault_in_s = self._weibull_s() * self.dice.random()
        idle = self.dice.random() < _IDLE_SHARE
        self._enter(
            rhythm.calendar.state(self.clock_s) or (UnitState.IDLE if idle else UnitState.RUNNING)
        )

    def _take_on_history(self) -> None:
        self.cycles = self.dice.randrange(200, 60_000)
        self.rejects = round(self.cycles * self.rhythm.reject_share)
        self.good = self.cycles - self.rejects
        self.wear = self.dice.random() * 0.9
        self.running_s = self.dice.uniform(1e5, 4e7)
        self.energy_kwh = self.dice.uniform(500, 90_000)

    def _part_dice(self) -> tuple[float, ...]:
        return tuple(self.dice.gauss(0, 1) for _ in range(_PART_DICE))

    @property
    def load(self) -> float:
        """How hard it works, 0 … 1.3: the state, and more with a worn tool."""
        if self.state is UnitState.RUNNING:
            return 0.75 + 0.35 * self.wear
        return {UnitState.IDLE: 0.18, UnitState.SETUP: 0.3, UnitState.STANDBY: 0.08}.get(
            self.state, 0.04
        )

    def step(self, seconds: float) -> None:
        """Let time pass."""
        self.clock_s += seconds
        self._left_s -= seconds
        self.energy_kwh += self.rated_kw * self.load * seconds / 3600
        if self.state is UnitState.RUNNING:
            self._run(seconds)
        closed = self.rhythm.calendar.state(self.clock_s)
        if closed is not None and closed is not self.state:
            self._enter(closed)
        elif closed is None and self._left_s <= 0:
            self._change_state()

    def _run(self, seconds: float) -> None:
        self.running_s += seconds
        self.in_cycle_s += seconds
        self._fault_in_s -= seconds
        while self.in_cycle_s >= self.last_cycle_s:
            self.in_cycle_s -= self.last_cycle_s
            self._finish_part()
        if self._fault_in_s <= 0:
            self._enter(UnitState.FAULT)
        elif self.wear >= 1:
            self._enter(UnitState.SETUP)

    def _finish_part(self) -> None:
        self.cycles += 1
        self.part = self._part_dice()
        self.wear += 1 / self.rhythm.tool_life
        # Over the life of a tool the share is the rhythm's own: wear is a half on average.
        worse = self.rhythm.reject_share * (0.5 + self.wear)
        if self.dice.random() < worse:
            self.rejects += 1
        else:
            self.good += 1
        self.last_cycle_s = self.rhythm.cycle_s * self.dice.uniform(0.95, 1.06)

    def _change_state(self) -> None:
        if self.state is UnitState.RUNNING:
            self._enter(UnitState.IDLE)
            return
        if self.state in (UnitState.OFF, UnitState.STANDBY):
            self._warm_up()
            return
        if self.state is UnitState.FAULT:
            self._fault_in_s = self._weibull_s()
        if self.wear >= 1:
            self.wear = 0.0
        self._enter(UnitState.RUNNING)

    def _warm_up(self) -> None:
        self._enter(UnitState.SETUP)
        # Over the changeover's time that entering has drawn.
        self._left_s = self.rhythm.warm_up_s

    def _enter(self, state: UnitState) -> None:
        self.state = state
        self.fault_code = self.dice.choice(_FAULT_CODES) if state is UnitState.FAULT else 0
        self._left_s = self._time_in(state)

    def _time_in(self, state: UnitState) -> float:
        mean = {
            UnitState.RUNNING: 3600 / self.rhythm.stops_per_h,
            UnitState.IDLE: self.rhythm.stop_s,
            UnitState.SETUP: self.rhythm.changeover_s,
            UnitState.FAULT: self.rhythm.repair_s,
        }.get(state)
        if mean is None:
            return 0.0  # the calendar ends it
        return self.dice.expovariate(1 / mean)

    def _weibull_s(self) -> float:
        return self.dice.weibullvariate(self.rhythm.hours_between_faults * 3600, _WEIBULL_SHAPE)
