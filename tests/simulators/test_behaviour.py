import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.behaviour import DAY_SHIFT, TWO_SHIFTS, Machine, Rhythm, UnitState
from simulators.machines import MANUALS
from simulators.manual import Unit
from simulators.signals import Lagged, held, per_part, spinning, working, wrapped

MANUAL = st.sampled_from(list(MANUALS.values()))
SEED = st.integers(0, 10_000)


def _unit(name: str, seed: int = 1, clock_s: float = 9 * 3600) -> Unit:
    manual = MANUALS[name]
    return Unit.of(manual, Machine(manual.rhythm, seed, manual.rated_kw, 180, clock_s))


@settings(max_examples=60)
@given(MANUAL, SEED, st.lists(st.floats(0.05, 600), min_size=1, max_size=60))
def test_counts_and_energy_only_grow_and_parts_add_up(manual, seed, steps) -> None:
    machine = Machine(manual.rhythm, seed, manual.rated_kw)
    for seconds in steps:
        before = (machine.cycles, machine.good, machine.rejects, machine.energy_kwh)
        machine.step(seconds)
        after = (machine.cycles, machine.good, machine.rejects, machine.energy_kwh)
        assert all(new >= old for old, new in zip(before, after, strict=True))
        assert machine.energy_kwh > before[3]
        assert machine.good + machine.rejects == machine.cycles
        assert machine.state in UnitState
        assert (machine.fault_code != 0) == (machine.state is UnitState.FAULT)


@settings(max_examples=80)
@given(MANUAL, SEED, st.floats(0, 86_400), st.integers(1, 120))
def test_every_value_is_within_its_range(manual, seed, clock_s, steps) -> None:
    unit = Unit.of(manual, Machine(manual.rhythm, seed, manual.rated_kw, 180, clock_s))
    for _ in range(steps):
        unit.step(2.0)
    for entry in manual.entries:
        value = entry.signal(unit.machine)
        if isinstance(value, str):
            continue
        assert entry.minimum is None or value >= entry.minimum, entry.name
        assert entry.maximum is None or value <= entry.maximum, entry.name


def test_equal_seeds_give_equal_machines_and_others_differ() -> None:
    one, same, other = (_unit("raceway_grinder", seed) for seed in (7, 7, 8))
    for unit in (one, same, other):
        for _ in range(600):
            unit.step(1.0)

    def shown(unit):
        return [unit.raw(entry) for entry in unit.manual.entries]

    assert shown(one) == shown(same)
    assert shown(one) != shown(other)


def test_a_line_starts_in_varied_states() -> None:
    states = {Machine(Rhythm(10), seed).state for seed in range(100)}
    assert {UnitState.RUNNING, UnitState.IDLE} <= states
    assert len({Machine(Rhythm(10), seed).cycles for seed in range(100)}) > 90


@pytest.mark.parametrize("hour", [8, 13, 23])
def test_three_shifts_never_close(hour: int) -> None:
    machine = Machine(Rhythm(10), 3, clock_s=hour * 3600)
    for _ in range(2000):
        machine.step(5)
        assert machine.state not in (UnitState.OFF, UnitState.STANDBY)


def test_the_day_shift_breaks_at_noon_and_ends_in_the_evening() -> None:
    assert DAY_SHIFT.state(9 * 3600) is None
    assert DAY_SHIFT.state(12 * 3600) is UnitState.STANDBY
    assert DAY_SHIFT.state(22 * 3600) is UnitState.OFF
    assert DAY_SHIFT.state(24 * 3600 + 9 * 3600) is None


def test_the_night_shift_passes_midnight() -> None:
    assert TWO_SHIFTS.state(2 * 3600) is None
    assert TWO_SHIFTS.state(4.2 * 3600) is UnitState.STANDBY
    assert TWO_SHIFTS.state(7.9 * 3600) is None


def test_after_a_break_a_machine_warms_up_before_it_runs() -> None:
    machine = Machine(Rhythm(10, warm_up_s=60, calendar=DAY_SHIFT), 1, clock_s=11.4 * 3600)
    seen = []
    for _ in range(3 * 3600):
        machine.step(1)
        if not seen or seen[-1] is not machine.state:
            seen.append(machine.state)
    at = seen.index(UnitState.STANDBY)
    assert seen[at + 1] is UnitState.SETUP
    assert seen[at + 2] is UnitState.RUNNING


def test_micro_stops_come_as_often_as_the_rhythm_says() -> None:
    stops = hours = 0.0
    for seed in range(20):
        machine = Machine(Rhythm(10, stops_per_h=4, tool_life=10**9), seed)
        before = machine.state
        for _ in range(3600):
            machine.step(4)
            hours += 4 / 3600 if machine.state is UnitState.RUNNING else 0
            stops += before is UnitState.RUNNING and machine.state is UnitState.IDLE
            before = machine.state
    assert 3.0 < stops / hours < 5.0


def test_faults_happen_and_are_repaired() -> None:
    machine = Machine(Rhythm(10, hours_between_faults=1), 5)
    states = []
    for _ in range(24 * 360):
        machine.step(10)
        states.append(machine.state)
    at = states.index(UnitState.FAULT)
    assert UnitState.RUNNING in states[at:]


def test_a_worn_tool_takes_more_power_and_is_changed() -> None:
    machine = Machine(Rhythm(1, stops_per_h=0.001, hours_between_faults=1e6, tool_life=100), 1)
    machine.state, machine.wear = UnitState.RUNNING, 0.1
    fresh = machine.load
    machine.wear = 0.9
    assert machine.load > fresh
    wears = []
    for _ in range(2000):
        machine.step(1)
        wears.append(machine.wear)
    assert max(wears) >= 1
    assert min(wears[wears.index(max(wears)) :]) < 0.1


@given(st.integers(0, 10**9))
def test_a_counter_of_sixteen_bits_wraps(count: int) -> None:
    machine = Machine(Rhythm(10), 1)
    assert wrapped(lambda _m: float(count))(machine) == count % 65536


def test_the_controllers_reject_counter_wraps_to_zero() -> None:
    unit = _unit("raceway_grinder")
    entry = next(e for e in unit.manual.entries if e.name == "parts_ng")
    unit.machine.rejects = 65535
    assert unit.raw(entry) == 65535
    unit.machine.rejects += 1
    assert unit.raw(entry) == 0


def test_a_lagging_quantity_nears_its_target_without_passing_it() -> None:
    quantity = Lagged(lambda m: 100.0 if m.state is UnitState.RUNNING else 0.0, lag_s=10)
    machine = Machine(Rhythm(10), 1)
    machine.state = UnitState.OFF
    quantity.step(machine, 1)
    machine.state = UnitState.RUNNING
    readings = []
    for _ in range(60):
        quantity.step(machine, 1)
        readings.append(quantity(machine))
    assert readings == sorted(readings)
    assert readings[9] == pytest.approx(100 * (1 - 0.9**10))
    assert 99 < readings[-1] < 100


def test_speeds_stop_with_the_machine_and_set_points_hold() -> None:
    machine = Machine(Rhythm(10), 1, setpoint=172)
    speed, current, temperature = spinning(900, 0), working(2, 10), held(None, 0)
    machine.state = UnitState.STANDBY
    assert speed(machine) == 0
    assert current(machine) < 3
    assert temperature(machine) == 172


def test_a_measured_part_stands_still_until_the_next_part() -> None:
    machine = Machine(Rhythm(10, stops_per_h=0.001, hours_between_faults=1e6), 1)
    machine.state, machine.in_cycle_s, machine.wear = UnitState.RUNNING, 0.0, 0.0
    measured = per_part(5, 1)
    first = measured(machine)
    machine.step(2)
    assert measured(machine) == first
    machine.step(10)
    assert measured(machine) != first


def test_a_frozen_machine_shows_the_same_for_ever() -> None:
    unit = _unit("superfinisher")
    before = unit.machine.cycles, unit.machine.energy_kwh
    unit.frozen = True
    for _ in range(100):
        unit.step(10)
    assert (unit.machine.cycles, unit.machine.energy_kwh) == before


def test_a_press_cools_down_at_night_and_is_hot_when_work_begins() -> None:
    manual = MANUALS["hot_press"]
    unit = Unit.of(manual, Machine(manual.rhythm, 1, clock_s=17 * 3600))
    platen = next(entry for entry in manual.entries if entry.name == "platen1_temp")
    seen = {}
    for _ in range(17 * 60):
        unit.step(60)
        seen[unit.machine.clock_s // 3600 % 24] = unit.raw(platen) * 0.1
    assert min(seen[17], seen[9]) > 100
    assert seen[4] < 40


def test_the_wood_in_a_kiln_dries() -> None:
    manual = MANUALS["wood_kiln"]
    unit = Unit.of(manual, Machine(manual.rhythm, 1))
    unit.machine.running_s = 0
    moisture = next(entry for entry in manual.entries if entry.name == "moisture")
    days = []
    for _ in range(11):
        for _ in range(24 * 12):
            unit.step(300)
        days.append(unit.raw(moisture) * 0.1)
    assert days == sorted(days, reverse=True)
    assert days[0] > 30
    assert days[-1] < 15
