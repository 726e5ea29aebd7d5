"""Machines whose controllers are asked in their own protocols: MELSEC and SIMATIC."""

# ruff: noqa: E501 - a point table reads best with one tag a line
# fmt: off

from simulators.behaviour import Machine, Rhythm
from simulators.machines.common import (
    INVENTED,
    cycle_time,
    cycles,
    energy_kwh,
    fault,
    good,
    rejects,
    running,
    state,
)
from simulators.manual import Cell, Entry, Manual, SoftDevice
from simulators.signals import held, per_part, spinning, working, wrapped


def _word(number: int, type_: str = "int16", length: int | None = None) -> SoftDevice:
    return SoftDevice("D", number, type_, length)


def _data(start: int, type_: str, bit: int | None = None, length: int | None = None) -> Cell:
    return Cell("DB10", start, type_, bit, length)


def _batch(machine: Machine) -> str:
    return f"B{machine.cycles // 500:07d}"


Q_PRESS = Manual(
    "melsec_press", "闭式冲床（三菱 Q）", "Straight-side press (MELSEC Q)", Rhythm(4, 4, 25, reject_share=0.004, tool_life=40000), 55,
    (
        Entry("unit_state", "设备状态", "State", _word(100), state, role="state", minimum=0, maximum=7),
        Entry("alarm_no", "报警号", "Alarm number", _word(101), fault, role="alarm"),
        Entry("parts_ok", "合格件数", "Good parts", _word(102, "uint32"), good, "pcs", role="counter"),
        Entry("parts_ng", "不合格件数", "Rejects", _word(104, "uint16"), wrapped(rejects), "pcs", role="counter"),
        Entry("tonnage", "冲压力", "Force", _word(110, "float32"), per_part(1420, 12, 40), "kN", minimum=0, maximum=3000, deadband=5),
        Entry("strokes", "行程次数", "Strokes per minute", _word(112), spinning(15, 0.05), "1/min", 0.1, minimum=0, maximum=200),
        Entry("oil_temp", "润滑油温", "Oil temperature", _word(113), working(28, 44, 120, 0.1), "°C", 0.1, minimum=-20, maximum=120, deadband=0.3),
        Entry("die_hits", "模具冲次", "Die hits", _word(114, "uint32"), cycles, role="counter"),
        Entry("recipe", "模具号", "Die number", _word(120, "string", 8), lambda _m: "M-1042"),
        Entry("energy", "电能", "Energy", _word(600, "uint32"), energy_kwh, "kWh", 0.1, "counter", deadband=0.02),
        Entry("guard_closed", "护栏关闭", "Guard closed", SoftDevice("X", 0x2A, "bool"), running),
        Entry("running", "运行", "Running", SoftDevice("M", 100, "bool"), running),
    ),
    INVENTED + " (Mitsubishi Q06UDEH, low word first)", controller="Q06UDEH",
)
S7_PACKER = Manual(
    "s7_packer", "立式包装机（S7-1200）", "Vertical packaging machine (S7-1200)", Rhythm(2.2, 5, 30, reject_share=0.008, tool_life=60000), 6,
    (
        Entry("unit_state", "设备状态", "State", _data(0, "int16"), state, role="state", minimum=0, maximum=7),
        Entry("alarm_no", "报警号", "Alarm number", _data(2, "uint16"), fault, role="alarm"),
        Entry("bags_ok", "合格包数", "Good bags", _data(4, "uint32"), good, "pcs", role="counter"),
        Entry("bags_ng", "不合格包数", "Rejects", _data(8, "uint32"), rejects, "pcs", role="counter"),
        Entry("mass", "净含量", "Net mass", _data(12, "float32"), per_part(500.6, 1.4), "g", minimum=0, maximum=5000),
        Entry("seal_temp", "封口温度", "Sealing temperature", _data(16, "float32"), held(168, 0.5, 60), "°C", minimum=0, maximum=300, deadband=0.3),
        Entry("film_speed", "拉膜速度", "Film speed", _data(20, "int16"), spinning(210, 0.8), "mm/s", minimum=0, maximum=1000, deadband=2),
        Entry("cycle_time", "节拍", "Cycle time", _data(22, "uint16"), cycle_time, "s", 0.001, minimum=0, maximum=60),
        Entry("running", "运行", "Running", _data(24, "bool", 0), running),
        Entry("door_closed", "门关闭", "Door closed", _data(24, "bool", 3), lambda _m: True),
        Entry("batch", "批号", "Batch", _data(26, "string", None, 16), _batch),
        Entry("energy", "电能", "Energy", _data(44, "float64"), energy_kwh, "kWh", role="counter", deadband=0.02),
        Entry("auto_mode", "自动模式", "Automatic mode", Cell("M", 10, "bool", 2), lambda _m: True),
    ),
    INVENTED + " (Siemens S7-1214C, block without optimised access)", controller="S7-1214C",
)
MANUALS = (Q_PRESS, S7_PACKER)
