"""Sections of a specialty paper machine: stock, wet end, press, dryers, scanner, winder."""

# ruff: noqa: E501 - a point table reads best with one tag a line
# fmt: off

from simulators.behaviour import Machine, Rhythm, UnitState
from simulators.machines.common import (
    INVENTED,
    energy,
    holding,
    machinery_head,
    plc_head,
    power_kw,
)
from simulators.manual import Entry, Manual, Node, Register
from simulators.signals import Signal, held, per_part, spinning, working

_STEADY = Rhythm(12, 0.6, 50, 40, 200, 0.002, 100000, 60, 240)

PULPER = Manual(
    "pulper", "水力碎浆机", "Pulper", Rhythm(240, 1, 90, 60, 200, 0, 100000), 160,
    (
        *plc_head(0),
        Entry("level", "液位", "Level", holding(10), working(42, 74, 60, 0.3), "%", 0.1, minimum=0, maximum=100, deadband=0.5),
        Entry("consistency", "浆浓", "Consistency", holding(11), held(4.1, 0.02, 60), "%", 0.01, minimum=0, maximum=12, deadband=0.03),
        Entry("motor_current", "电机电流", "Motor current", holding(12), working(60, 262, 4, 2), "A", 0.1, minimum=0, maximum=600, deadband=3),
    ),
    INVENTED + " (Siemens S7-300 behind a gateway, low word first)", controller="S7-300",
)
REFINER = Manual(
    "refiner", "双盘磨浆机", "Double-disc refiner", _STEADY, 420,
    (
        Entry("unit_state", "设备状态", "State", holding(0), lambda m: int(m.state), role="state", maximum=7),
        Entry("alarm_no", "报警号", "Alarm number", holding(1), lambda m: m.fault_code, role="alarm"),
        Entry("power", "磨浆功率", "Refining power", holding(2, "float32"), power_kw, "kW", minimum=0, maximum=1500, deadband=3),
        Entry("specific_energy", "比能耗", "Specific energy", holding(4, "float32"), working(20, 132, 20, 0.8), "kWh/t", minimum=0, maximum=600, deadband=1),
        Entry("freeness", "打浆度", "Beating degree", holding(6, "float32"), held(38, 0.15, 120), "°SR", minimum=0, maximum=100, deadband=0.2),
        Entry("flow", "浆流量", "Stock flow", holding(8, "float32"), working(5, 92, 8, 0.6), "m³/h", minimum=0, maximum=400, deadband=1),
        energy(holding(10, "float64")),
    ),
    INVENTED + " (DCS gateway, float32 and float64, high word first)", controller="DCS 网关",
)
SIZE_PRESS = Manual(
    "size_press", "表面施胶机", "Size press", _STEADY, 55,
    (
        Entry("unit_state", "设备状态", "State", holding(0), lambda m: int(m.state), role="state", maximum=7),
        Entry("pick_up", "施胶量", "Pick-up", holding(10, "float32", "CDAB"), working(0.1, 2.9, 10, 0.03), "g/m²", minimum=0, maximum=20, deadband=0.05),
        Entry("solids", "胶液固含", "Solids", holding(12, "float32", "CDAB"), held(9.4, 0.03, 120), "%", minimum=0, maximum=60, deadband=0.05),
        Entry("size_temp", "胶液温度", "Size temperature", holding(14, "float32", "CDAB"), held(61, 0.2, 90), "°C", minimum=0, maximum=120, deadband=0.3),
    ),
    INVENTED + " (low word first)", controller="S7-1500",
)
CALENDER = Manual(
    "drive_acs580", "软压光机传动（ACS580）", "Soft calender on an ACS580 drive", _STEADY, 90,
    (
        Entry("status_word", "状态字", "Status word", holding(3), lambda m: 0x0637 if m.state is UnitState.RUNNING else 0x0631, role="state"),
        Entry("current", "电机电流", "Motor current", holding(106), working(8, 148, 3, 0.8), "A", 0.1, minimum=0, maximum=400, deadband=1),
        Entry("speed", "电机转速", "Motor speed", holding(20201, "int32", "CDAB"), spinning(1180, 1), "r/min", 0.01, minimum=-3000, maximum=3000, deadband=3),
        Entry("torque", "电机转矩", "Motor torque", holding(20219, "int32", "CDAB"), working(2, 58, 3, 0.5), "%", 0.1, minimum=-300, maximum=300, deadband=1),
    ),
    "ABB ACS580 embedded fieldbus: 16-bit parameters at 100·group+index, 32-bit at 20000+200·group+2·index, low word first; zero-based here",
    controller="ACS580",
)
REEL = Manual(
    "paper_reel", "卷纸机", "Reel", Rhythm(30, 0.6, 60, 40, 200, 0.002, 100000, 60), 75,
    (
        *plc_head(0, "ABCD"),
        Entry("speed", "车速", "Speed", holding(10, "float32"), spinning(468, 0.4), "m/min", minimum=0, maximum=1500, deadband=1),
        Entry("tension", "张力", "Tension", holding(12, "float32"), working(20, 285, 4, 2), "N/m", minimum=0, maximum=1000, deadband=4),
        Entry("diameter", "卷径", "Reel diameter", holding(14, "float32"), lambda m: 500 + 2000 * min(1.0, m.in_cycle_s / m.last_cycle_s), "mm", minimum=0, maximum=4000, deadband=20),
        Entry("sheet_breaks", "断纸次数", "Sheet breaks", holding(16), lambda m: m.rejects % 65536, role="counter"),
        Entry("break_now", "断纸", "Sheet break", Register("discrete", 8, "bool"), lambda m: m.state is UnitState.FAULT, role="alarm"),
    ),
    INVENTED + " (Siemens S7-1500, high word first)", controller="S7-1500",
)


def _quantity(name: str, zh: str, en: str, path: str, signal: Signal, unit: str, low: float, high: float, deadband: float) -> Entry:
    return Entry(name, zh, en, Node(f"own:{path}", "float64"), signal, unit, minimum=low, maximum=high, deadband=deadband)


def _section(name: str, zh: str, en: str, rated_kw: float, *quantities: Entry, interval_ms: int = 1000) -> Manual:
    """A section as the OPC UA server of the process control system shows it."""
    return Manual(
        name, zh, en, _STEADY, rated_kw, (*machinery_head(), *quantities),
        "OPC 40001-1 Machinery browse names; own names below, as no companion model fits; node ids of the simulator",
        controller="DCS", interval_ms=interval_ms,
    )


HEADBOX = _section(
    "headbox_wire", "流浆箱及网部", "Headbox and wire", 260,
    _quantity("jet_wire_ratio", "浆网速比", "Jet to wire ratio", "Headbox/JetWireRatio", held(0.992, 0.001), "", 0, 2, 0.002),
    _quantity("head", "静压头", "Head", "Headbox/Head", working(200, 3150, 10, 6), "mm", 0, 10000, 15),
    _quantity("consistency", "上网浓度", "Consistency", "Headbox/Consistency", held(0.34, 0.002, 60), "%", 0, 3, 0.004),
    _quantity("slice", "唇口开度", "Slice opening", "Headbox/Slice", held(18.4, 0.02, 30), "mm", 0, 100, 0.05),
    _quantity("wire_speed", "网速", "Wire speed", "Wire/Speed", spinning(465, 0.4), "m/min", 0, 1500, 1),
    _quantity("vacuum", "真空箱真空度", "Suction box vacuum", "Wire/Vacuum", working(-3, -32, 8, 0.3), "kPa", -101, 5, 0.5),
    _quantity("dosing", "湿强剂加入量", "Wet strength dosing", "Stock/Dosing", working(5, 148, 10, 1), "L/h", 0, 1000, 2),
    _quantity("ph", "pH", "pH", "Stock/PH", held(7.1, 0.02, 120), "", 0, 14, 0.03),
)
PRESS_SECTION = _section(
    "press_section", "压榨部", "Press section", 210,
    _quantity("nip_load", "线压力", "Nip load", "Press1/NipLoad", working(8, 86, 10, 0.3), "kN/m", 0, 400, 0.5),
    _quantity("drive_current", "传动电流", "Drive current", "Press1/Current", working(25, 190, 3, 1.2), "A", 0, 800, 2),
    _quantity("vibration", "轴承振动", "Bearing vibration", "Press1/Vibration", working(0.4, 2.6, 4, 0.05), "mm/s", 0, 50, 0.1),
    _quantity("felt_moisture", "毛布水分", "Felt moisture", "Press1/FeltMoisture", held(41, 0.3, 90), "%", 0, 100, 0.5),
)
DRYER_SECTION = _section(
    "dryer_section", "烘干部", "Dryer section", 180,
    *(
        entry
        for group, steam, surface in ((1, 0.12, 78), (2, 0.22, 94), (3, 0.31, 106))
        for entry in (
            _quantity(f"steam{group}", f"{group}组蒸汽压力", f"Steam pressure {group}", f"Group{group}/SteamPressure", held(steam, 0.001, 30), "MPa", 0, 2, 0.003),
            _quantity(f"surface{group}", f"{group}组缸面温度", f"Surface temperature {group}", f"Group{group}/SurfaceTemperature", held(surface, 0.2, 90), "°C", 0, 250, 0.3),
        )
    ),
    _quantity("steam_dp", "蒸汽压差", "Steam differential pressure", "Group3/DifferentialPressure", working(4, 31, 30, 0.3), "kPa", 0, 300, 0.5),
    _quantity("hood_temp", "气罩温度", "Hood temperature", "Hood/Temperature", held(84, 0.3, 120), "°C", 0, 200, 0.3),
    _quantity("hood_humidity", "气罩湿度", "Hood humidity", "Hood/Humidity", held(148, 1, 90), "g/kg", 0, 1000, 2),
    interval_ms=2000,
)
SCANNER = _section(
    "qcs_scanner", "QCS 扫描架", "QCS scanner", 6,
    _quantity("basis_weight", "定量", "Basis weight", "Scanner/BasisWeight", per_part(40, 0.25), "g/m²", 0, 500, 0),
    _quantity("moisture", "水分", "Moisture", "Scanner/Moisture", per_part(5.2, 0.12, 0, 1), "%", 0, 50, 0),
    _quantity("ash", "灰分", "Ash", "Scanner/Ash", per_part(11.5, 0.2, 0, 2), "%", 0, 80, 0),
    _quantity("caliper", "厚度", "Caliper", "Scanner/Caliper", per_part(54, 0.5, 0, 3), "µm", 0, 1000, 0),
    _quantity("weight_cd_spread", "定量横幅差", "Weight CD spread", "Scanner/BasisWeightCdSpread", per_part(0.9, 0.06, 0.1, 1), "g/m²", -5, 50, 0),
    _quantity("weight_2sigma", "定量 2σ", "Weight 2-sigma", "Scanner/BasisWeight2Sigma", per_part(0.42, 0.03, 0.1), "g/m²", -5, 50, 0),
)


def _set_length(machine: Machine) -> float:
    return 6000 * min(1.0, machine.in_cycle_s / machine.last_cycle_s)


WINDER = Manual(
    "paper_winder", "复卷机", "Winder", Rhythm(45, 3, 40, reject_share=0.01, tool_life=9000), 130,
    (
        *machinery_head(),
        _quantity("speed", "车速", "Speed", "Winder/Speed", spinning(1250, 2), "m/min", 0, 3000, 4),
        _quantity("length", "本卷米数", "Set length", "Winder/Length", _set_length, "m", 0, 100000, 50),
        Entry("sets", "卷数", "Sets", Node("own:Winder/Sets", "uint32"), lambda m: m.cycles, role="counter"),
        Entry("breaks", "断纸次数", "Breaks", Node("own:Winder/Breaks", "uint32"), lambda m: m.rejects, role="counter"),
        Entry("roll_id", "卷号", "Roll id", Node("own:Winder/RollId", "string"), lambda m: f"R{m.cycles:07d}"),
        energy(Node("own:Energy/Total", "float64")),
    ),
    "OPC 40001-1 Machinery browse names; own names below; node ids of the simulator",
    controller="S7-1500 OPC UA",
)

MANUALS: tuple[Manual, ...] = (
    PULPER, REFINER, SIZE_PRESS, CALENDER, REEL, HEADBOX, PRESS_SECTION, DRYER_SECTION, SCANNER, WINDER,
)  # fmt: skip
"""Sections of a paper machine."""
