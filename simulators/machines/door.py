"""Machines of a wooden door line: kiln, presses, edge banding, sanding, coating."""

# ruff: noqa: E501 - a point table reads best with one tag a line
# fmt: off

import math

from simulators.behaviour import DAY_SHIFT, Machine, Rhythm, UnitState
from simulators.machines.common import (
    INVENTED,
    cycle_time,
    cycles,
    energy,
    good,
    holding,
    machinery_head,
    plc_head,
    power_kw,
    rejects,
)
from simulators.manual import Entry, Manual, Node, Register
from simulators.signals import Lagged, held, per_part, spinning, working

_CHARGE_S = 12 * 86400


def _drying(machine: Machine) -> float:
    """Moisture of the wood: each charge of twelve days dries from 45 % towards 8 %."""
    return 8 + 37 * math.exp(-4 * (machine.running_s % _CHARGE_S) / _CHARGE_S)


KILN = Manual(
    "wood_kiln", "木材干燥窑", "Wood drying kiln", Rhythm(45, 0.3, 120, tool_life=90000, warm_up_s=300), 18,
    (
        Entry("unit_state", "设备状态", "State", holding(0), lambda m: int(m.state), role="state", maximum=7),
        Entry("alarm_no", "报警号", "Alarm number", holding(1), lambda m: m.fault_code, role="alarm"),
        Entry("dry_bulb", "干球温度", "Dry bulb", holding(2, "int16"), held(62, 0.2, 90), "°C", 0.1, minimum=-20, maximum=120, deadband=0.2),
        Entry("wet_bulb", "湿球温度", "Wet bulb", holding(3, "int16"), held(55, 0.2, 90), "°C", 0.1, minimum=-20, maximum=120, deadband=0.2),
        Entry("humidity", "相对湿度", "Relative humidity", holding(4), held(68, 0.5, 60), "%", 0.1, minimum=0, maximum=100, deadband=0.5),
        Entry("moisture", "木材含水率", "Wood moisture", holding(5), Lagged(_drying, 200, 0.05), "%", 0.1, minimum=0, maximum=100, deadband=0.1),
        Entry("fan_frequency", "风机频率", "Fan frequency", holding(6), held(38, 0.05, 10), "Hz", 0.01, minimum=0, maximum=60, deadband=0.1),
        Entry("heating_valve", "加热阀开度", "Heating valve", holding(7), working(10, 55, 30, 0.8), "%", 0.1, minimum=0, maximum=100, deadband=1),
    ),
    INVENTED + " (Delta DVP)", controller="DVP-ES3", interval_ms=5000,
)

_PRESS = Rhythm(90, 2, 60, tool_life=4000, reject_share=0.003, calendar=DAY_SHIFT)
COLD_PRESS = Manual(
    "cold_press", "冷压机", "Cold press", _PRESS, 7.5,
    (
        *plc_head(100),
        Entry("pressure", "压力", "Pressure", holding(110), working(0.4, 7.6, 6, 0.03), "MPa", 0.01, minimum=0, maximum=30, deadband=0.05),
        Entry("close_time", "保压时间", "Close time", holding(111), lambda m: m.in_cycle_s, "s", deadband=2),
        Entry("oil_temp", "液压油温", "Oil temperature", holding(112, "int16"), working(28, 41, 120, 0.1), "°C", 0.1, minimum=-20, maximum=100, deadband=0.3),
        Entry("closed", "已合模", "Platens closed", Register("coil", 4, "bool"), lambda m: m.state is UnitState.RUNNING),
        Entry("pump_on", "油泵运行", "Pump on", Register("coil", 0, "bool"), lambda m: m.state not in (UnitState.OFF, UnitState.STANDBY)),
    ),
    INVENTED + " (Delta AS, low word first)", controller="AS228T",
)
HOT_PRESS = Manual(
    "hot_press", "热压机", "Hot press", Rhythm(55, 2, 45, tool_life=4000, calendar=DAY_SHIFT), 45,
    (
        *plc_head(100),
        Entry("pressure", "压力", "Pressure", holding(110), working(0.5, 11.5, 4, 0.04), "MPa", 0.01, minimum=0, maximum=40, deadband=0.05),
        *(
            Entry(f"platen{index}_temp", f"{index}号热板温度", f"Platen {index} temperature", holding(111 + index, "int16"), held(108 + index, 0.4, 600, 25), "°C", 0.1, minimum=0, maximum=250, deadband=0.3)
            for index in (1, 2, 3)
        ),
        Entry("thickness", "门扇厚度", "Door thickness", holding(116), per_part(42, 0.08), "mm", 0.01, minimum=0, maximum=100),
        Entry("cycle_time", "节拍", "Cycle time", holding(117), cycle_time, "s", 0.1, minimum=0, maximum=3600),
        Entry("close_time", "闭合时间", "Close time", holding(118), lambda m: m.in_cycle_s, "s", deadband=2),
        energy(holding(120, "uint32", "CDAB"), 0.01),
    ),
    INVENTED + " (Inovance H5U, low word first)", controller="H5U",
)
WRAPPER = Manual(
    "profile_wrapper", "线条包覆机", "Profile wrapping machine", Rhythm(6, 5, 40, tool_life=6000, calendar=DAY_SHIFT), 12,
    (
        *plc_head(0, "ABCD"),
        Entry("feed_speed", "送料速度", "Feed speed", holding(10, "float32", "BADC"), spinning(22, 0.08), "m/min", minimum=0, maximum=80, deadband=0.2),
        Entry("glue_temp", "胶锅温度", "Glue pot temperature", holding(12, "float32", "BADC"), held(186, 0.5, 300, 25), "°C", minimum=0, maximum=300, deadband=0.5),
        Entry("length", "累计米数", "Length run", holding(14, "uint32", "DCBA"), lambda m: m.cycles * 2.4, "m", role="counter"),
    ),
    INVENTED + " (byte-swapped floats, a fully reversed counter, as met on panel builders' PLCs)", controller="Kinco",
)
UV_COATER = Manual(
    "uv_coater", "UV 辊涂线", "UV roller coating line", Rhythm(18, 4, 35, tool_life=2500, calendar=DAY_SHIFT), 30,
    (
        *plc_head(0),
        Entry("conveyor_speed", "输送速度", "Conveyor speed", holding(10), spinning(12.5, 0.05), "m/min", 0.01, minimum=0, maximum=60, deadband=0.1),
        Entry("coat_weight", "涂布量", "Coat weight", holding(11), per_part(35, 0.9), "g/m²", 0.1, minimum=0, maximum=200),
        Entry("lamp_power", "灯功率", "Lamp power", holding(12), working(20, 88, 5, 0.4), "%", 0.1, minimum=0, maximum=120, deadband=1),
        Entry("lamp_hours", "灯管时间", "Lamp hours", holding(13), lambda m: int(m.running_s // 3600) % 2000, "h", role="counter"),
        Entry("uv_dose", "UV 能量", "UV dose", holding(14), per_part(420, 9, -90, 1), "mJ/cm²", minimum=0, maximum=2000),
        Entry("booth_temp", "涂装间温度", "Booth temperature", holding(15, "int16"), held(23.5, 0.1, 120), "°C", 0.1, minimum=-10, maximum=60, deadband=0.2),
        Entry("booth_humidity", "涂装间湿度", "Booth humidity", holding(16), held(56, 0.5, 120), "%", 0.1, minimum=0, maximum=100, deadband=0.5),
        Entry("voc", "VOC 浓度", "VOC", holding(17), working(8, 34, 40, 1), "ppm", 0.1, minimum=0, maximum=2000, deadband=1),
        Entry("oven_temp", "烘道温度", "Oven temperature", holding(18, "int16"), held(48, 0.3, 300, 25), "°C", 0.1, minimum=-10, maximum=150, deadband=0.3),
    ),
    INVENTED + " (Mitsubishi FX5U, low word first)", controller="FX5U",
)
PACKER = Manual(
    "door_packer", "成品包装分拣线", "Packing and sorting line", Rhythm(34, 4, 30, tool_life=20000, calendar=DAY_SHIFT), 5.5,
    (
        *plc_head(0),
        Entry("takt", "节拍", "Takt", holding(10), cycle_time, "s", 0.01, minimum=0, maximum=600),
        Entry("order_no", "订单号", "Order number", Register("holding", 20, "string", length=8), lambda m: f"MM-2026-{m.cycles // 60:06d}"),
    ),
    INVENTED + " (Omron CP2E, order number as text)", controller="CP2E",
)

_STATE = {UnitState.RUNNING: 3, UnitState.IDLE: 2, UnitState.SETUP: 2, UnitState.STANDBY: 1, UnitState.FAULT: 4}
_MODE = {UnitState.SETUP: 4, UnitState.STANDBY: 5, UnitState.FAULT: 3}


def _running_ms(machine: Machine) -> int:
    return int(machine.running_s * 1000)


def _woodworking(name: str, zh: str, en: str, rhythm: Rhythm, feed: float, rated_kw: float, *more: Entry) -> Manual:
    """A woodworking machine as OPC 40550-1 shows it."""

    def value(path: str, type_: str) -> Node:
        return Node(f"ww:State/Machine/{path}", type_)

    values = "Values"
    return Manual(
        name, zh, en, rhythm, rated_kw,
        (
            *machinery_head(),
            Entry("state", "状态", "State", value("Overview/CurrentState", "int32"), lambda m: _STATE.get(m.state, 0), role="state", minimum=0, maximum=4),
            Entry("ww_mode", "木工机械模式", "Woodworking mode", value("Overview/CurrentMode", "int32"), lambda m: _MODE.get(m.state, 1), role="state", minimum=0, maximum=5),
            Entry("feed_speed", "进给速度", "Feed speed", value(f"{values}/FeedSpeed", "float64"), spinning(feed, feed * 0.004), "m/min", minimum=0, maximum=120, deadband=feed * 0.01),
            Entry("pieces_in", "进料件数", "Pieces in", value(f"{values}/AbsolutePiecesIn", "uint64"), lambda m: m.cycles + 1, "pcs", role="counter"),
            Entry("pieces_out", "出料件数", "Pieces out", value(f"{values}/AbsolutePiecesOut", "uint64"), cycles, "pcs", role="counter"),
            Entry("runs_good", "合格次数", "Runs good", value(f"{values}/AbsoluteRunsGood", "uint64"), good, role="counter"),
            Entry("runs_aborted", "中止次数", "Runs aborted", value(f"{values}/AbsoluteRunsAborted", "uint64"), rejects, role="counter"),
            Entry("working_ms", "累计工作时间", "Working time", value(f"{values}/AbsoluteWorkingTime", "uint64"), _running_ms, "ms", role="counter", deadband=5000),
            Entry("power", "功率", "Power", _own("Energy/Power"), power_kw, "kW", minimum=0, maximum=300, deadband=0.1),
            *more,
        ),
        "OPC 40550-1 Woodworking and OPC 40001-1 Machinery browse names; node ids of the simulator",
        controller="OPC UA",
    )


def _own(path: str, type_: str = "float64") -> Node:
    return Node(f"own:{path}", type_)


_BOARD = Rhythm(22, 4, 35, reject_share=0.01, tool_life=900, changeover_s=70, calendar=DAY_SHIFT)
PANEL_SAW = _woodworking(
    "panel_saw", "裁板锯", "Panel saw", _BOARD, 36, 15,
    Entry("saw_current", "主锯电流", "Saw current", _own("Saw/Current"), working(7, 34, 1.5, 0.4), "A", minimum=0, maximum=150, deadband=0.5),
    Entry("cuts", "锯切次数", "Cuts", _own("Saw/Cuts", "uint32"), lambda m: 6 * m.cycles, role="counter"),
    Entry("program", "裁切程序", "Cutting program", _own("Program", "string"), lambda _m: "门扇_2040x900"),
    Entry("saw_speed", "锯片转速", "Saw speed", _own("Saw/Speed"), spinning(4200, 3), "r/min", minimum=0, maximum=10000, deadband=10),
)
EDGEBANDER = _woodworking(
    "edgebander", "封边机", "Edgebander", Rhythm(14, 5, 30, reject_share=0.012, tool_life=1200, calendar=DAY_SHIFT), 20, 14,
    Entry("glue_temp", "胶锅温度", "Glue temperature", _own("Glue/Temperature"), held(192, 0.5, 300, 25), "°C", minimum=0, maximum=300, deadband=0.5),
    Entry("premill_current", "预铣电流", "Pre-mill current", _own("PreMill/Current"), working(2, 9.5, 1.5, 0.15), "A", minimum=0, maximum=60, deadband=0.2),
)
SANDER = _woodworking(
    "belt_sander", "宽带砂光机", "Wide-belt sander", Rhythm(16, 3, 30, tool_life=500, changeover_s=80, calendar=DAY_SHIFT), 12, 55,
    Entry("belt_current", "砂带电流", "Belt current", _own("Belt/Current"), working(18, 72, 2, 0.8), "A", minimum=0, maximum=250, deadband=1),
    Entry("thickness", "砂光厚度", "Thickness", _own("Thickness"), per_part(42, 0.04, 0.1), "mm", minimum=0, maximum=120),
    Entry("belt_hours", "砂带使用时间", "Belt hours", _own("Belt/Hours"), lambda m: m.wear * m.rhythm.tool_life * m.rhythm.cycle_s / 3600, "h", minimum=0, maximum=100, deadband=0.01),
    Entry("dust_dp", "除尘压差", "Dust filter pressure drop", _own("Dust/PressureDrop"), lambda m: 620 + 500 * m.wear + m.dice.gauss(0, 4), "Pa", minimum=0, maximum=5000, deadband=10),
)
ROUTER = _woodworking(
    "cnc_router", "数控锁孔铣", "CNC door router", Rhythm(58, 3, 40, tool_life=300, calendar=DAY_SHIFT), 8, 18,
    Entry("spindle_speed", "主轴转速", "Spindle speed", _own("Spindle/Speed"), spinning(18000, 12), "r/min", minimum=0, maximum=40000, deadband=40),
    Entry("program", "加工程序", "Program", _own("Program", "string"), lambda _m: "LOCK_HINGE_L"),
    Entry("tool_no", "刀号", "Tool number", _own("Spindle/ToolNumber", "uint16"), lambda m: 1 + int(m.in_cycle_s / 12) % 6, minimum=0, maximum=99),
    Entry("vacuum", "真空度", "Vacuum", _own("Vacuum"), working(-8, -76, 3, 0.4), "kPa", minimum=-101, maximum=10, deadband=0.5),
)

MANUALS: tuple[Manual, ...] = (
    KILN, COLD_PRESS, HOT_PRESS, WRAPPER, UV_COATER, PACKER, PANEL_SAW, EDGEBANDER, SANDER, ROUTER,
)  # fmt: skip
"""Types of machines of a door line."""
