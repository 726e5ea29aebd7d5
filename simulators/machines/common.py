"""What the manuals of several machines share."""

# ruff: noqa: E501 - a point table reads best with one tag a line
# fmt: off

from simulators.behaviour import Machine, Rhythm, UnitState
from simulators.manual import Entry, Manual, Node, Register
from simulators.signals import held, working, wrapped

INVENTED = "invented for the simulators, as a PLC programmer lays out a data block"

MACHINERY_ITEM_STATE = {
    UnitState.RUNNING: 3,
    UnitState.IDLE: 2,
    UnitState.STANDBY: 2,
    UnitState.SETUP: 3,
    UnitState.FAULT: 1,
    UnitState.MAINTENANCE: 1,
    UnitState.OFF: 0,
    UnitState.UNKNOWN: 0,
}
"""OPC 40001-1 MachineryItemState: 0 not available, 1 out of service, 2 not executing, 3 executing."""

OPERATION_MODE = {UnitState.SETUP: 2, UnitState.RUNNING: 3, UnitState.IDLE: 3}
"""OPC 40001-1 MachineryOperationMode: 0 none, 1 maintenance, 2 setup, 3 processing."""


def state(machine: Machine) -> int:
    """The normal state as a number."""
    return int(machine.state)


def fault(machine: Machine) -> int:
    """Number of the present fault, 0 if none."""
    return machine.fault_code


def running(machine: Machine) -> bool:
    """Whether it runs."""
    return machine.state is UnitState.RUNNING


def good(machine: Machine) -> int:
    """Good parts."""
    return machine.good


def rejects(machine: Machine) -> int:
    """Bad parts."""
    return machine.rejects


def cycles(machine: Machine) -> int:
    """Parts, good and bad."""
    return machine.cycles


def energy_kwh(machine: Machine) -> float:
    """Energy used in all, kWh."""
    return machine.energy_kwh


def cycle_time(machine: Machine) -> float:
    """Length of the last cycle, s."""
    return machine.last_cycle_s


def hours(machine: Machine) -> int:
    """Whole hours run."""
    return int(machine.running_s // 3600)


def power_kw(machine: Machine) -> float:
    """Power taken now, kW."""
    return machine.rated_kw * machine.load * machine.dice.uniform(0.97, 1.03)


def holding(register: int, type_: str = "uint16", order: str = "ABCD") -> Register:
    """A holding register."""
    return Register("holding", register, type_, order)


def plc_head(base: int, order: str = "CDAB") -> tuple[Entry, ...]:
    """The block with which our fictitious PLC programs begin: state, alarm, counters.

    Args:
        base: first holding register.
        order: word order of the 32-bit counter.
    """
    counter = holding(base + 2, "uint32", order)
    bad = holding(base + 4)
    return (
        Entry("unit_state", "设备状态", "State", holding(base), state, role="state", maximum=7),
        Entry("alarm_no", "报警号", "Alarm number", holding(base + 1), fault, role="alarm"),
        Entry("parts_ok", "合格件数", "Good parts", counter, good, "pcs", role="counter"),
        Entry("parts_ng", "不合格件数", "Rejects", bad, wrapped(rejects), "pcs", role="counter"),
    )


def _item_state(machine: Machine) -> int:
    return MACHINERY_ITEM_STATE[machine.state]


def _operation_mode(machine: Machine) -> int:
    return OPERATION_MODE.get(machine.state, 0)


def machinery_head() -> tuple[Entry, ...]:
    """What OPC UA for Machinery says of every machine, and an alarm number."""
    number = "core:CurrentState/Number"
    item = Node(f"machinery:MachineryBuildingBlocks/MachineryItemState/{number}", "uint32")
    mode = Node(f"machinery:MachineryBuildingBlocks/MachineryOperationMode/{number}", "uint32")
    alarm = Node("own:Alarm/Number", "uint16")
    return (
        Entry("item_state", "设备状态", "Item state", item, _item_state, role="state", maximum=3),
        Entry("mode", "运行模式", "Operation mode", mode, _operation_mode, role="state", maximum=3),
        Entry("alarm_no", "报警号", "Alarm number", alarm, fault, role="alarm"),
    )


def energy(place: Register | Node, scale: float | None = None) -> Entry:
    """The energy counter that most machines have."""
    return Entry(
        "energy", "电能", "Energy", place, energy_kwh, "kWh", scale, "counter", deadband=0.02
    )


def _power_w(machine: Machine) -> float:
    return 1000 * power_kw(machine)


def _volts(machine: Machine) -> float:
    return machine.dice.gauss(228.5, 0.8)


def _amperes(machine: Machine) -> float:
    return _power_w(machine) / 3 / 228.5 / 0.86


def _frequency(machine: Machine) -> float:
    return machine.dice.gauss(50, 0.01)


def _sdm630() -> Manual:
    def meter(register: int) -> Register:
        return Register("input", register, "float32")

    return Manual(
        "meter_sdm630",
        "外接电表 SDM630",
        "Clamp-on power meter SDM630",
        Rhythm(20),
        7.5,
        (
            Entry("voltage_l1", "A相电压", "Voltage L1", meter(0x0000), _volts, "V", deadband=0.5),
            Entry("voltage_l2", "B相电压", "Voltage L2", meter(0x0002), _volts, "V", deadband=0.5),
            Entry("voltage_l3", "C相电压", "Voltage L3", meter(0x0004), _volts, "V", deadband=0.5),
            Entry("current_l1", "A相电流", "Current L1", meter(0x0006), _amperes, "A", deadband=0.1),
            Entry("power", "总有功功率", "Total active power", meter(0x0034), _power_w, "W", deadband=20),
            Entry("frequency", "频率", "Frequency", meter(0x0046), _frequency, "Hz", minimum=45, maximum=55, deadband=0.02),
            Entry("energy", "正向有功电能", "Imported energy", meter(0x0048), energy_kwh, "kWh", role="counter"),
        ),
        "Eastron SDM630 protocol: input registers, float32, high word first",
        "sensor",
        "SDM630",
    )


def _adl400() -> Manual:
    return Manual(
        "meter_adl400",
        "外接电表 ADL400",
        "Clamp-on power meter ADL400",
        Rhythm(20),
        7.5,
        (
            Entry("energy", "总有功电能", "Total active energy", holding(0x0000, "int32"), energy_kwh, "kWh", 0.01, "counter"),
            Entry("current_l1", "A相电流", "Current L1", holding(0x0064, "int16"), _amperes, "A", 0.01, deadband=0.1),
            Entry("frequency", "频率", "Frequency", holding(0x0077), _frequency, "Hz", 0.01, minimum=45, maximum=55, deadband=0.02),
            Entry("power", "总有功功率", "Total active power", holding(0x016A, "int32"), power_kw, "kW", 0.001, deadband=0.02),
        ),
        "Acrel ADL400 protocol: holding registers, int32, high word first",
        "sensor",
        "ADL400",
    )


def _setpoint(machine: Machine) -> float:
    return machine.setpoint


_temperature = held(None, 0.4)
_heating = working(15, 62, 8, 1.5)


def _e5cc_status(machine: Machine) -> int:
    return 1 << 24 if machine.state is UnitState.OFF else 0


def _e5cc() -> Manual:
    pv, sp = holding(0x2000, "int16"), holding(0x2103, "int16")
    mv, status = holding(0x2004, "int16"), holding(0x2406, "uint32", "CDAB")
    return Manual(
        "oven_e5cc",
        "烘箱（E5CC 温控器）",
        "Oven with an E5CC controller",
        Rhythm(60, stops_per_h=1),
        36,
        (
            Entry("temperature", "温度", "Temperature", pv, _temperature, "°C", 0.1, minimum=-50, maximum=1300, deadband=0.3),
            Entry("setpoint", "设定温度", "Set point", sp, _setpoint, "°C", 0.1),
            Entry("heating", "加热输出", "Heating output", mv, _heating, "%", 0.1, minimum=-5, maximum=105, deadband=0.5),
            Entry("status", "状态字", "Status word", status, _e5cc_status, role="alarm"),
        ),
        "Omron E5CC, 2-byte mode addresses (manual H175); one decimal place set",
        controller="E5CC",
    )


def _vfd_state(machine: Machine) -> int:
    return 1 if machine.state in (UnitState.RUNNING, UnitState.SETUP) else 3


def _rpm(machine: Machine) -> float:
    return machine.lagging.get(_hertz, 0.0) * 29.2


_hertz = working(0, 42, 2.5)
_vfd_amperes = working(0.2, 14, 1.5, 0.1)
_torque = working(0, 70, 1.5, 0.6)


def _vfd() -> Manual:
    return Manual(
        "drive_md380",
        "变频器驱动设备（MD380 系列）",
        "Machine on an MD380-family drive",
        Rhythm(25),
        7.5,
        (
            Entry("run_state", "运行状态", "Run state", holding(0x3000), _vfd_state, role="state", minimum=1, maximum=3),
            Entry("fault_no", "故障码", "Fault code", holding(0x8000), fault, role="alarm"),
            Entry("frequency", "运行频率", "Output frequency", holding(0x1001), _hertz, "Hz", 0.01, minimum=0, maximum=400, deadband=0.1),
            Entry("bus_voltage", "母线电压", "DC bus voltage", holding(0x1002), held(538, 1.2), "V", 0.1, deadband=2),
            Entry("current", "输出电流", "Output current", holding(0x1004), _vfd_amperes, "A", 0.01, minimum=0, deadband=0.1),
            Entry("power", "输出功率", "Output power", holding(0x1005), power_kw, "kW", 0.1, deadband=0.1),
            Entry("torque", "输出转矩", "Torque", holding(0x1006), _torque, "%", 0.1, deadband=1),
            Entry("speed", "运行转速", "Speed", holding(0x1007), _rpm, "r/min", deadband=5),
        ),
        "MD380 drive family: 3000H state, 8000H fault, 1001H… monitors; 1002H… from a clone's manual",
        controller="MD380",
    )


MANUALS = (_sdm630(), _adl400(), _e5cc(), _vfd())
"""Types of machines that several lines have."""
