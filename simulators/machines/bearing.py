"""Machines of a bearing ring line: grinding, superfinishing, heat treatment, assembly."""

# ruff: noqa: E501 - a point table reads best with one tag a line
# fmt: off

from simulators.behaviour import TWO_SHIFTS, Machine, Rhythm, UnitState
from simulators.machines.common import (
    INVENTED,
    cycle_time,
    energy,
    good,
    holding,
    hours,
    machinery_head,
    plc_head,
    power_kw,
    running,
)
from simulators.manual import Entry, Manual, Node, Register
from simulators.signals import held, per_part, spinning, working

FACE_GRINDER = Manual(
    "face_grinder", "双端面磨床", "Double-disc face grinder",
    Rhythm(1.8, 3, 20, reject_share=0.004, tool_life=1500, changeover_s=45, calendar=TWO_SHIFTS), 22,
    (
        *plc_head(100),
        Entry("wheel_speed", "砂轮转速", "Wheel speed", holding(110), spinning(860, 1.5), "r/min", minimum=0, maximum=2000, deadband=3),
        Entry("motor_current", "主电机电流", "Main motor current", holding(111), working(9, 48, 2, 0.4), "A", 0.1, minimum=0, maximum=150, deadband=0.5),
        Entry("infeed", "进给量", "Infeed", holding(112, "int16"), per_part(18, 2, 4), "µm", minimum=-500, maximum=500),
        Entry("thickness_dev", "厚度偏差", "Thickness deviation", holding(113, "int16"), per_part(0, 4, 7, 1), "µm", 0.1, minimum=-50, maximum=50),
        Entry("coolant_temp", "冷却液温度", "Coolant temperature", holding(114, "int16"), working(21, 25, 90, 0.05), "°C", 0.1, minimum=0, maximum=60, deadband=0.2),
        Entry("feed_rate", "送料速率", "Feed rate", holding(115), spinning(33, 0.2), "pcs/min", 0.1, minimum=0, maximum=300, deadband=0.5),
        energy(holding(120, "uint32", "CDAB"), 0.01),
    ),
    INVENTED + " (Mitsubishi FX5U, low word first)", controller="FX5U",
)

CENTRELESS_GRINDER = Manual(
    "centreless_grinder", "无心外圆磨床", "Centreless grinder",
    Rhythm(3.0, 3, 20, reject_share=0.005, tool_life=900, changeover_s=50, calendar=TWO_SHIFTS), 18,
    (
        *plc_head(0, "ABCD"),
        Entry("wheel_speed", "砂轮线速度", "Wheel speed", holding(10), spinning(45, 0.15), "m/s", 0.01, minimum=0, maximum=80, deadband=0.2),
        Entry("regulating_speed", "导轮转速", "Regulating wheel", holding(11), spinning(32, 0.1), "r/min", 0.1, minimum=0, maximum=120, deadband=0.3),
        Entry("power", "主轴功率", "Spindle power", holding(12), working(2.5, 17, 1.5, 0.2), "kW", 0.01, minimum=0, maximum=40, deadband=0.2),
        Entry("through_feed", "通过速度", "Through-feed", holding(13), spinning(1.9, 0.01), "m/min", 0.01, minimum=0, maximum=8, deadband=0.02),
        energy(holding(20, "float32"), None),
    ),
    INVENTED + " (Siemens S7-1200 Modbus block, high word first)", controller="S7-1200",
)

RACEWAY_GRINDER = Manual(
    "raceway_grinder", "滚道磨床", "Raceway grinder",
    Rhythm(11, 4, 25, reject_share=0.008, tool_life=220, changeover_s=35, calendar=TWO_SHIFTS), 9,
    (
        *plc_head(200),
        Entry("spindle_speed", "电主轴转速", "Spindle speed", holding(210, "uint32", "CDAB"), spinning(24000, 25), "r/min", minimum=0, maximum=80000, deadband=60),
        Entry("workhead_speed", "工件转速", "Workhead speed", holding(212), spinning(620, 1), "r/min", minimum=0, maximum=3000, deadband=3),
        Entry("spindle_power", "磨削功率", "Spindle power", holding(213), working(0.4, 6.2, 1.0, 0.1), "kW", 0.01, minimum=0, maximum=15, deadband=0.05),
        Entry("gauge", "主动测量值", "In-process gauge", holding(214, "int16"), per_part(2, 3, 6), "µm", 0.1, minimum=-100, maximum=500),
        Entry("cycle_time", "节拍", "Cycle time", holding(215), cycle_time, "s", 0.01, minimum=0, maximum=600),
        Entry("since_dress", "修整后件数", "Parts since dressing", holding(216), lambda m: int(m.wear * m.rhythm.tool_life) % 20, "pcs"),
        Entry("coolant_temp", "冷却液温度", "Coolant temperature", holding(217, "int16"), working(20, 24.5, 90, 0.05), "°C", 0.1, minimum=0, maximum=60, deadband=0.2),
        Entry("hydraulic", "液压压力", "Hydraulic pressure", holding(218), held(2.6, 0.01), "MPa", 0.01, minimum=0, maximum=10, deadband=0.03),
        Entry("air", "气源压力", "Air pressure", holding(219), held(0.52, 0.004), "MPa", 0.001, minimum=0, maximum=1.2, deadband=0.01),
        Entry("in_cycle", "循环中", "In cycle", Register("holding", 220, "bool", bit=0), running),
        Entry("doors_closed", "门已关", "Doors closed", Register("holding", 220, "bool", bit=3), lambda m: m.state is not UnitState.SETUP),
    ),
    INVENTED + " (Inovance H5U, low word first)", controller="H5U",
)

SUPERFINISHER = Manual(
    "superfinisher", "滚道超精机", "Raceway superfinisher",
    Rhythm(7, 3, 20, reject_share=0.004, tool_life=400, changeover_s=30, calendar=TWO_SHIFTS), 4,
    (
        *plc_head(300),
        Entry("stone_pressure", "油石压力", "Stone pressure", holding(310, "float32", "CDAB"), working(0.05, 0.31, 1, 0.003), "MPa", minimum=0, maximum=1, deadband=0.005),
        Entry("oscillation", "振荡频率", "Oscillation", holding(312, "float32", "CDAB"), spinning(11.5, 0.05), "Hz", minimum=0, maximum=60, deadband=0.1),
        Entry("work_speed", "工件转速", "Work speed", holding(314), spinning(3200, 4), "r/min", minimum=0, maximum=8000, deadband=10),
        Entry("stone_wear", "油石磨耗", "Stone wear", holding(315), lambda m: 8 * min(1.0, m.wear), "mm", 0.01, minimum=0, maximum=20, deadband=0.02),
        Entry("cycle_time", "节拍", "Cycle time", holding(316), cycle_time, "s", 0.01, minimum=0, maximum=600),
    ),
    INVENTED + " (Xinje XD, low word first)", controller="XD5",
)

FURNACE = Manual(
    "belt_furnace", "网带淬火炉", "Mesh-belt hardening furnace",
    Rhythm(4, 0.5, 60, 60, 300, 0.002, 50000, 60, 300), 160,
    (
        *plc_head(0, "ABCD"),
        *(
            Entry(f"zone{zone}_temp", f"{zone}区温度", f"Zone {zone} temperature", holding(8 + 2 * zone, "float32"), held(sp, 0.8, 60), "°C", minimum=0, maximum=1200, deadband=0.5)
            for zone, sp in enumerate((830, 842, 845, 840), 1)
        ),
        Entry("belt_speed", "网带速度", "Belt speed", holding(20), held(145, 0.5, 10), "mm/min", 0.1, minimum=0, maximum=600, deadband=1),
        Entry("carbon", "碳势", "Carbon potential", holding(21), held(0.92, 0.004, 90), "%", 0.001, minimum=0, maximum=2, deadband=0.005),
        Entry("gas_flow", "气体流量", "Gas flow", holding(22), held(11.5, 0.06, 8), "m³/h", 0.01, minimum=0, maximum=60, deadband=0.1),
        Entry("oil_temp", "淬火油温度", "Quench oil", holding(23), working(62, 76, 120, 0.1), "°C", 0.1, minimum=0, maximum=200, deadband=0.3),
        Entry("fan_on", "循环风机", "Circulation fan", Register("discrete", 0, "bool"), lambda m: m.state is not UnitState.OFF),
        Entry("flame_on", "火帘", "Flame curtain", Register("discrete", 2, "bool"), lambda m: m.state is not UnitState.OFF),
        energy(holding(30, "uint32"), 0.1),
    ),
    INVENTED + " (Siemens S7-1200, temperatures as float32)", controller="S7-1200", interval_ms=2000,
)


def _station(name: str, zh: str, en: str, cycle_s: float, *measured: Entry) -> Manual:
    """An assembly station: the common block, a takt, and what it measures at each part."""
    takt = Entry("takt", "节拍", "Takt", holding(10), cycle_time, "s", 0.01, minimum=0, maximum=600)
    rhythm = Rhythm(cycle_s, 5, 18, reject_share=0.012, tool_life=3000, changeover_s=30, calendar=TWO_SHIFTS)
    entries = (*plc_head(0), takt, *measured)
    return Manual(name, zh, en, rhythm, 2.2, entries, INVENTED + " (Inovance H3U, low word first)", controller="H3U")


RING_MATCHER = _station(
    "ring_matcher", "合套机", "Ring matching station", 4.6,
    Entry("clearance", "径向游隙", "Radial clearance", holding(11), per_part(12, 2), "µm", 0.1, minimum=0, maximum=60),
    Entry("ball_group", "钢球组别", "Ball group", holding(12, "int16"), lambda m: round(2 * m.part[2]), minimum=-20, maximum=20),
)
RIVETER = _station(
    "cage_riveter", "保持架铆合机", "Cage riveting station", 4.8,
    Entry("rivet_force", "铆合力", "Rivet force", holding(11), per_part(31, 0.8, 2), "kN", 0.01, minimum=0, maximum=100),
    Entry("rivet_travel", "铆合行程", "Rivet travel", holding(12), per_part(12.4, 0.03, 0.1, 1), "mm", 0.01, minimum=0, maximum=60),
)
GREASER = _station(
    "grease_sealer", "注脂压盖机", "Greasing and sealing station", 4.5,
    Entry("grease", "注脂量", "Grease", holding(11), per_part(1.25, 0.04), "g", 0.001, minimum=0, maximum=8),
    Entry("seal_force", "压盖力", "Seal force", holding(12), per_part(2.4, 0.1, 0.2, 1), "kN", 0.01, minimum=0, maximum=20),
)
VIBRATION_TESTER = _station(
    "vibration_tester", "振动检测机", "Vibration tester", 5.2,
    Entry("vibration_low", "振动低频", "Vibration 50–300 Hz", holding(11), per_part(38, 4, 6), "µm/s", 0.1, minimum=0, maximum=500),
    Entry("vibration_mid", "振动中频", "Vibration 300–1800 Hz", holding(12), per_part(25, 3, 5, 1), "µm/s", 0.1, minimum=0, maximum=500),
    Entry("vibration_high", "振动高频", "Vibration 1.8–10 kHz", holding(13), per_part(21, 3, 6, 2), "µm/s", 0.1, minimum=0, maximum=500),
    Entry("noise_level", "振动值", "Vibration level", holding(14), per_part(31, 1.2, 2, 3), "dB", 0.1, minimum=0, maximum=90),
)

_CHANNEL_STATE = {UnitState.RUNNING: 0, UnitState.SETUP: 1, UnitState.IDLE: 1, UnitState.FAULT: 2}
_CHANNEL_MODE = {UnitState.SETUP: 2, UnitState.FAULT: 2, UnitState.STANDBY: 2}
_MODE = {UnitState.SETUP: 2, UnitState.FAULT: 0, UnitState.STANDBY: 0}
_EARLIER_JOBS = 250_000
"""Parts made before the present job."""


def _override(machine: Machine) -> float:
    return 40.0 if machine.state is UnitState.SETUP else 100.0


def _rapid(machine: Machine) -> float:
    return 25.0 if machine.state is UnitState.SETUP else 100.0


def _is_faulty(machine: Machine) -> bool:
    return machine.state is UnitState.FAULT


def _cnc(name: str, zh: str, en: str, rhythm: Rhythm, speed: float, rated_kw: float, program: str, controller: str) -> Manual:
    """A CNC machine tool as OPC 40501-1 shows it; job and spindle are named by its builder."""
    machine, channel, spindle = "mt:Monitoring/MachineTool", "mt:Monitoring/own:Channel1/mt:", "mt:Monitoring/own:Spindle1/"
    job, lamps = "mt:Production/ProductionPlan/own:Job1/mt:", "mt:Monitoring/Stacklight/own:"
    return Manual(
        name, zh, en, rhythm, rated_kw,
        (
            *machinery_head(),
            Entry("machine_mode", "机床运行方式", "Machine operation mode", Node(f"{machine}/OperationMode", "int32"), lambda m: _MODE.get(m.state, 1), role="state", minimum=0, maximum=5),
            Entry("channel_state", "通道状态", "Channel state", Node(f"{channel}ChannelState", "int32"), lambda m: _CHANNEL_STATE.get(m.state, 2), role="state", minimum=0, maximum=2),
            Entry("channel_mode", "通道方式", "Channel mode", Node(f"{channel}ChannelMode", "int32"), lambda m: _CHANNEL_MODE.get(m.state, 0), role="state", minimum=0, maximum=7),
            Entry("feed_override", "进给倍率", "Feed override", Node(f"{channel}FeedOverride", "float64"), _override, "%", minimum=0, maximum=200),
            Entry("rapid_override", "快移倍率", "Rapid override", Node(f"{channel}RapidOverride", "float64"), _rapid, "%", minimum=0, maximum=200),
            Entry("power_on_h", "通电时间", "Power-on duration", Node(f"{machine}/PowerOnDuration", "uint32"), hours, "h", role="counter"),
            Entry("spindle_rotating", "主轴旋转", "Spindle rotating", Node(f"{spindle}mt:IsRotating", "bool"), running),
            Entry("spindle_override", "主轴倍率", "Spindle override", Node(f"{spindle}mt:Override", "float64"), lambda _m: 100.0, "%", minimum=0, maximum=200),
            Entry("spindle_speed", "主轴转速", "Spindle speed", Node(f"{spindle}own:ActualSpeed", "float64"), spinning(speed, speed * 0.001), "r/min", minimum=0, maximum=120000, deadband=speed * 0.003),
            Entry("spindle_load", "主轴负载", "Spindle load", Node(f"{spindle}own:Load", "float64"), working(3, 62, 2, 1.2), "%", minimum=0, maximum=200, deadband=1),
            Entry("red_lamp", "红色信号灯", "Red lamp", Node(f"{lamps}Red/ia:SignalOn", "bool"), _is_faulty, role="alarm"),
            Entry("green_lamp", "绿色信号灯", "Green lamp", Node(f"{lamps}Green/ia:SignalOn", "bool"), running, role="state"),
            Entry("power", "功率", "Power", Node("mt:Monitoring/own:Power", "float64"), power_kw, "kW", minimum=0, maximum=200, deadband=0.1),
            Entry("program", "当前程序", "Active program", Node("mt:Production/ActiveProgram/Name", "string"), lambda _m: program),
            Entry("parts_completed", "完成件数", "Parts completed", Node(f"{job}PartsCompleted", "uint32"), lambda m: m.cycles, "pcs", role="counter"),
            Entry("parts_good", "合格件数", "Parts good", Node(f"{job}PartsGood", "uint32"), good, "pcs", role="counter"),
            Entry("parts_in_lifetime", "累计件数", "Parts in its lifetime", Node("mt:Production/Statistics/PartsProducedInLifetime", "uint64"), lambda m: _EARLIER_JOBS + m.cycles, "pcs", role="counter"),
            energy(Node("own:Energy/Total", "float64")),
        ),
        "OPC 40501-1 MachineTool and OPC 40001-1 Machinery browse names; speed, load and power are the builder's own; node ids of the simulator",
        controller=controller,
    )


_CUTTING = Rhythm(24, 3, 40, reject_share=0.006, tool_life=160, changeover_s=60, calendar=TWO_SHIFTS)
_GRINDING = Rhythm(15, 4, 30, reject_share=0.007, tool_life=240, changeover_s=45, calendar=TWO_SHIFTS)
CNC_LATHE = _cnc("cnc_lathe", "数控车床", "CNC lathe", _CUTTING, 1850, 11, "O6204_OP10", "FANUC 0i-TF")
OUTER_GRINDER = _cnc("cnc_outer_grinder", "数控外圈滚道磨床", "CNC outer raceway grinder", _GRINDING, 18000, 13, "AUSSENRING_6204.MPF", "SINUMERIK 828D")
BORE_GRINDER = _cnc("cnc_bore_grinder", "数控内径磨床", "CNC bore grinder", _GRINDING, 36000, 9, "BORE_6204.MPF", "SINUMERIK 828D")

MANUALS: tuple[Manual, ...] = (
    FACE_GRINDER, CENTRELESS_GRINDER, RACEWAY_GRINDER, SUPERFINISHER, FURNACE,
    RING_MATCHER, RIVETER, GREASER, VIBRATION_TESTER, CNC_LATHE, OUTER_GRINDER, BORE_GRINDER,
)  # fmt: skip
"""Types of machines of a bearing line."""
