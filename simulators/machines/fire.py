"""Machines of a fire extinguisher line: drawing, welding, pressure test, coating, filling."""

# ruff: noqa: E501 - a point table reads best with one tag a line
# fmt: off

from simulators.behaviour import Rhythm
from simulators.machines.common import (
    INVENTED,
    cycle_time,
    cycles,
    energy,
    holding,
    machinery_head,
    plc_head,
    rejects,
    running,
)
from simulators.manual import Entry, Manual, Node, Register
from simulators.signals import held, per_part, spinning, working

DRAW_PRESS = Manual(
    "draw_press", "拉伸液压机", "Deep-drawing press", Rhythm(10, 4, 25, reject_share=0.006, tool_life=5000), 37,
    (
        *plc_head(0),
        Entry("tonnage", "压制力", "Force", holding(10), per_part(640, 8, 30), "kN", minimum=0, maximum=2000),
        Entry("stroke", "行程", "Stroke", holding(11), per_part(412, 0.4, 0, 1), "mm", 0.1, minimum=0, maximum=1500),
        Entry("die_hits", "模具冲次", "Die hits", holding(12, "uint32", "CDAB"), cycles, role="counter"),
        Entry("oil_temp", "油温", "Oil temperature", holding(14, "int16"), working(30, 46, 120, 0.1), "°C", 0.1, minimum=-20, maximum=120, deadband=0.3),
        Entry("cycle_time", "节拍", "Cycle time", holding(15), cycle_time, "s", 0.01, minimum=0, maximum=600),
    ),
    INVENTED + " (Mitsubishi FX3U with a Modbus adapter, low word first)", controller="FX3U",
)
WELDER = Manual(
    "ring_welder", "环缝自动焊机", "Ring seam welder", Rhythm(26, 5, 30, reject_share=0.012, tool_life=600), 15,
    (
        *plc_head(0),
        Entry("current", "焊接电流", "Welding current", holding(10), working(0, 226, 0.8, 2.5), "A", 0.1, minimum=-5, maximum=600, deadband=2),
        Entry("voltage", "焊接电压", "Welding voltage", holding(11), working(0, 24, 0.8, 0.25), "V", 0.1, minimum=-5, maximum=100, deadband=0.3),
        Entry("wire_feed", "送丝速度", "Wire feed", holding(12), spinning(7.2, 0.05), "m/min", 0.01, minimum=0, maximum=30, deadband=0.1),
        Entry("gas_flow", "气体流量", "Gas flow", holding(13), spinning(15.5, 0.1), "L/min", 0.1, minimum=0, maximum=60, deadband=0.2),
        Entry("seam_time", "焊缝时间", "Seam time", holding(14), per_part(17.5, 0.3), "s", 0.1, minimum=0, maximum=600),
        Entry("arc_on", "起弧", "Arc on", Register("holding", 15, "bool", bit=1), running),
    ),
    INVENTED + " (Xinje XC3, low word first)", controller="XC3",
)
HYDRO_BENCH = Manual(
    "hydro_bench", "水压试验台", "Hydrostatic test bench", Rhythm(38, 3, 30, reject_share=0.008, tool_life=20000), 5.5,
    (
        *plc_head(0, "ABCD"),
        Entry("pressure", "试验压力", "Test pressure", holding(10, "float32"), lambda m: (2.2 if running(m) and m.in_cycle_s > 4 else 0.1) + m.dice.gauss(0, 0.004), "MPa", minimum=-0.2, maximum=10, deadband=0.01),
        Entry("hold_time", "保压时间", "Hold time", holding(12), lambda m: max(0.0, m.in_cycle_s - 4), "s", deadband=1),
        Entry("result", "试验结果", "Passed", Register("coil", 16, "bool"), lambda m: m.part[0] > -2.4),
        Entry("serial", "气瓶编号", "Cylinder serial", Register("holding", 20, "string", length=6), lambda m: f"XF{m.cycles:08d}"),
    ),
    INVENTED + " (Siemens S7-200 SMART, high word first)", controller="S7-200 SMART", interval_ms=500,
)
LEAK_BENCH = Manual(
    "leak_bench", "气密检漏台", "Leak test bench", Rhythm(20, 3, 25, reject_share=0.01, tool_life=20000), 3,
    (
        *plc_head(0, "ABCD"),
        Entry("pressure", "检漏压力", "Test pressure", holding(10, "float32"), per_part(1.8, 0.004), "MPa", minimum=0, maximum=6),
        Entry("dp", "压差", "Differential pressure", holding(12, "float32"), per_part(6, 2, 1, 1), "Pa", minimum=-50, maximum=1000),
        Entry("helium", "氦漏率", "Helium leak rate", holding(14, "float32"), lambda m: 10 ** (-7.2 + 0.2 * m.part[2]), "Pa·m³/s", minimum=0, maximum=1),
    ),
    INVENTED + " (Siemens S7-200 SMART, high word first)", controller="S7-200 SMART",
)
POWDER_LINE = Manual(
    "powder_line", "喷粉固化线", "Powder coating and curing line", Rhythm(7, 2, 40, reject_share=0.01, tool_life=30000, warm_up_s=240), 85,
    (
        *plc_head(0),
        *(
            Entry(f"zone{zone}_temp", f"烘道{zone}区温度", f"Oven zone {zone}", holding(9 + zone, "int16"), held(sp, 0.6, 60), "°C", 0.1, minimum=0, maximum=350, deadband=0.4)
            for zone, sp in enumerate((182, 198, 202), 1)
        ),
        Entry("line_speed", "线速度", "Line speed", holding(15), spinning(2.6, 0.01), "m/min", 0.01, minimum=0, maximum=20, deadband=0.02),
        Entry("gun_voltage", "喷枪电压", "Gun voltage", holding(16), working(5, 72, 2, 0.4), "kV", 0.1, minimum=0, maximum=120, deadband=0.5),
        Entry("gun_current", "喷枪电流", "Gun current", holding(17), working(2, 38, 2, 0.6), "µA", 0.1, minimum=0, maximum=200, deadband=1),
        Entry("hooks", "挂钩计数", "Hooks", holding(18), lambda m: m.cycles % 65536, role="counter"),
        energy(holding(20, "uint32", "CDAB"), 0.1),
    ),
    INVENTED + " (Inovance H3U, low word first)", controller="H3U",
)
FILLER = Manual(
    "powder_filler", "干粉灌装机", "Powder filler", Rhythm(9, 4, 25, reject_share=0.01, tool_life=20000), 4,
    (
        *plc_head(0),
        Entry("target", "目标充装量", "Target mass", holding(10), lambda _m: 4000, "g"),
        Entry("actual", "实际充装量", "Actual mass", holding(11), per_part(4004, 14), "g", minimum=0, maximum=10000),
        Entry("nitrogen", "充氮压力", "Nitrogen pressure", holding(12), per_part(1.2, 0.02, 0, 1), "MPa", 0.001, minimum=0, maximum=4),
        Entry("ambient", "环境温度", "Ambient temperature", holding(13, "int16"), held(24, 0.1, 120), "°C", 0.1, minimum=-20, maximum=60, deadband=0.2),
    ),
    INVENTED + " (Delta DVP, low word first)", controller="DVP-ES3",
)
CHECKWEIGHER = Manual(
    "checkweigher", "动态检重秤", "Checkweigher", Rhythm(8, 4, 20, reject_share=0.01, tool_life=50000), 1.1,
    (
        *plc_head(0),
        Entry("weight", "总质量", "Gross mass", holding(10, "float32", "CDAB"), per_part(6320, 18), "g", minimum=0, maximum=60000),
        Entry("belt_speed", "皮带速度", "Belt speed", holding(12), spinning(32, 0.1), "m/min", 0.1, minimum=0, maximum=200, deadband=0.3),
    ),
    INVENTED + " (weighing terminal, float32 low word first)", controller="称重仪表",
)


_RESULT = "result:ResultManagement/Results/own:Latest"

TIGHTENER = Manual(
    "valve_tightener", "阀门拧紧机", "Valve tightening station", Rhythm(8.5, 4, 20, reject_share=0.008, tool_life=9000), 2.2,
    (
        *machinery_head(),
        Entry("torque", "拧紧力矩", "Torque", Node(f"{_RESULT}/Torque", "float64"), per_part(42, 0.8, 1), "N·m", minimum=0, maximum=200),
        Entry("angle", "拧紧角度", "Angle", Node(f"{_RESULT}/Angle", "float64"), per_part(612, 14, 0, 1), "°", minimum=0, maximum=7200),
        Entry("results", "拧紧次数", "Results", Node(f"{_RESULT}/result:ResultMetaData/ijt:SequenceNumber", "int64"), cycles, role="counter"),
        Entry("not_ok", "不合格次数", "Not OK", Node("own:Tightening/NotOk", "uint32"), rejects, role="counter"),
        Entry("program", "程序号", "Program", Node("own:Tightening/Program", "uint16"), lambda _m: 3),
    ),
    "Industrial Joining Technologies (IJT Base) and OPC 40001-1 Machinery browse names; torque and angle are the builder's own, where the model has a structure; node ids of the simulator",
    controller="OPC UA",
)

MANUALS: tuple[Manual, ...] = (
    DRAW_PRESS, WELDER, HYDRO_BENCH, LEAK_BENCH, POWDER_LINE, FILLER, CHECKWEIGHER, TIGHTENER,
)  # fmt: skip
"""Types of machines of a fire extinguisher line."""
