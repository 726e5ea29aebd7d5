"""Code lists of the ledger with their Chinese and English names. Pure.

Sources: GB/T 2260 (regions), GB/T 4754-2017 (industries).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Name:
    """A code's name for Chinese and for English readers."""

    zh: str
    en: str


CITY = "330800"

COUNTIES = {
    "330801": Name("市辖区", "Municipal districts"),
    "330802": Name("柯城区", "Kecheng"),
    "330803": Name("衢江区", "Qujiang"),
    "330822": Name("常山县", "Changshan"),
    "330824": Name("开化县", "Kaihua"),
    "330825": Name("龙游县", "Longyou"),
    "330881": Name("江山市", "Jiangshan"),
}
"""GB/T 2260: the counties of Quzhou (330800)."""


@dataclass(frozen=True, slots=True)
class FormerCounty:
    """A county that GB/T 2260 has given up.

    Attributes:
        name: which it had.
        now: codes of the counties in which its places are now.
    """

    name: Name
    now: tuple[str, ...]


FORMER_COUNTIES = {
    "330821": FormerCounty(Name("衢县", "Qu County"), ("330802", "330803")),
    "330823": FormerCounty(Name("江山县", "Jiangshan County"), ("330881",)),
}
"""衢县 was parted between 柯城区 and 衢江区 in 2001, 江山县 became 江山市 in 1987."""

FUNCTIONAL_AREAS = {
    "QZ-ZZXC": Name("智造新城", "Intelligent Manufacturing New Town"),
    "QZ-ZHXC": Name("智慧新城", "Smart New Town"),
}
"""No GB/T 2260 codes; they overlap Kecheng and Qujiang and are never added to the counties."""

EQUIPMENT_CLASSES = {
    "production": Name("生产设备", "Production equipment"),
    "aux": Name("辅助设备", "Auxiliary equipment"),
    "test": Name("检测设备", "Test equipment"),
}

STATUSES = {
    "in_use": Name("在用", "In use"),
    "standby": Name("备用", "Standby"),
    "idle": Name("闲置", "Idle"),
    "sealed": Name("封存", "Sealed"),
    "scrapped": Name("报废", "Scrapped"),
    "building": Name("在建", "Under construction"),
    "leased_out": Name("租出", "Leased out"),
    "withdrawn": Name("误录撤销", "Entered by mistake"),
}

WITHDRAWN = "withdrawn"
"""The row was a mistake: there never was such a machine, so it holds since ever."""

IN_SERVICE = frozenset({"in_use", "standby"})
"""Statuses that count; the others do not."""

INDUSTRY_EDITION = "GB/T 4754-2017"

INDUSTRIES = {
    "2021": Name("胶合板制造", "Plywood"),
    "2022": Name("纤维板制造", "Fibreboard"),
    "2023": Name("刨花板制造", "Particle board"),
    "2031": Name("建筑用木料及木材组件加工", "Building timber and components"),
    "2032": Name("木门窗制造", "Wooden doors and windows"),
    "2033": Name("木楼梯制造", "Wooden stairs"),
    "2034": Name("木地板制造", "Wooden flooring"),
    "2110": Name("木质家具制造", "Wooden furniture"),
    "2211": Name("木竹浆制造", "Wood and bamboo pulp"),
    "2212": Name("非木竹浆制造", "Other pulp"),
    "2221": Name("机制纸及纸板制造", "Machine-made paper and board"),
    "2222": Name("手工纸制造", "Hand-made paper"),
    "2223": Name("加工纸制造", "Converted paper"),
    "2239": Name("其他纸制品制造", "Other paper products"),
    "3311": Name("金属结构制造", "Metal structures"),
    "3312": Name("金属门窗制造", "Metal doors and windows"),
    "3332": Name("金属压力容器制造", "Metal pressure vessels"),
    "3353": Name("安全、消防用金属制品制造", "Metal products for safety and fire protection"),
    "3421": Name("金属切削机床制造", "Metal-cutting machine tools"),
    "3441": Name("泵及真空设备制造", "Pumps and vacuum equipment"),
    "3442": Name("气体压缩机械制造", "Gas compressors"),
    "3443": Name("阀门和旋塞制造", "Valves and cocks"),
    "3446": Name("气压动力机械及元件制造", "Pneumatic machinery and components"),
    "3451": Name("滚动轴承制造", "Rolling bearings"),
    "3452": Name("滑动轴承制造", "Plain bearings"),
    "3453": Name("齿轮及齿轮减、变速箱制造", "Gears and gearboxes"),
    "3459": Name("其他传动部件制造", "Other transmission parts"),
    "3465": Name("风动和电动工具制造", "Pneumatic and electric tools"),
    "3491": Name("工业机器人制造", "Industrial robots"),
    "3524": Name("木竹材加工机械制造", "Wood and bamboo working machinery"),
    "3541": Name("制浆和造纸专用设备制造", "Pulp and paper machinery"),
    "3595": Name("社会公共安全设备及器材制造", "Public safety equipment"),
    "3821": Name("变压器、整流器和电感器制造", "Transformers, rectifiers and inductors"),
    "3822": Name("电容器及其配套设备制造", "Capacitors"),
    "3823": Name("配电开关控制设备制造", "Switchgear and control gear"),
    "3824": Name("电力电子元器件制造", "Power electronic components"),
    "3825": Name("光伏设备及元器件制造", "Photovoltaic equipment and components"),
    "3829": Name("其他输配电及控制设备制造", "Other power distribution equipment"),
    "3831": Name("电线、电缆制造", "Wire and cable"),
    "3841": Name("锂离子电池制造", "Lithium-ion batteries"),
    "3871": Name("电光源制造", "Electric light sources"),
    "3872": Name("照明灯具制造", "Lighting fittings"),
    "3874": Name("智能照明器具制造", "Smart lighting"),
    "3879": Name("灯用电器附件及其他照明器具制造", "Lamp accessories and other lighting"),
    "3972": Name("半导体分立器件制造", "Discrete semiconductors"),
    "3973": Name("集成电路制造", "Integrated circuits"),
    "3975": Name("半导体照明器件制造", "Semiconductor lighting devices"),
    "3976": Name("光电子器件制造", "Optoelectronic devices"),
    "3985": Name("电子专用材料制造", "Electronic materials"),
    "4011": Name("工业自动控制系统装置制造", "Industrial automation systems"),
}
"""Classes used by the city's clusters; any other four digits are allowed too."""

_GROUPS = {
    "202": Name("人造板制造", "Wood-based panels"),
    "203": Name("木质制品制造", "Wood products"),
    "211": Name("木质家具制造", "Wooden furniture"),
    "221": Name("纸浆制造", "Pulp"),
    "222": Name("造纸", "Paper"),
    "223": Name("纸制品制造", "Paper products"),
    "331": Name("结构性金属制品制造", "Structural metal products"),
    "333": Name("集装箱及金属包装容器制造", "Containers and metal packaging"),
    "335": Name("建筑、安全用金属制品制造", "Metal products for building and safety"),
    "342": Name("金属加工机械制造", "Metalworking machinery"),
    "344": Name("泵、阀门、压缩机及类似机械制造", "Pumps, valves, compressors"),
    "345": Name("轴承、齿轮和传动部件制造", "Bearings, gears, transmissions"),
    "346": Name("烘炉、风机、包装等设备制造", "Ovens, fans, packaging and similar equipment"),
    "349": Name("其他通用设备制造业", "Other general machinery"),
    "382": Name("输配电及控制设备制造", "Power distribution and control"),
    "383": Name("电线、电缆、光缆及电工器材制造", "Wire, cable, electrical materials"),
    "384": Name("电池制造", "Batteries"),
    "387": Name("照明器具制造", "Lighting"),
    "397": Name("电子器件制造", "Electronic devices"),
    "398": Name("电子元件及电子专用材料制造", "Electronic components and materials"),
}

_DIVISIONS = {
    "13": Name("农副食品加工业", "Processing of food from agriculture"),
    "14": Name("食品制造业", "Food"),
    "15": Name("酒、饮料和精制茶制造业", "Liquor, beverages and refined tea"),
    "16": Name("烟草制品业", "Tobacco"),
    "17": Name("纺织业", "Textiles"),
    "18": Name("纺织服装、服饰业", "Clothing"),
    "19": Name("皮革、毛皮、羽毛及其制品和制鞋业", "Leather, fur, feather and footwear"),
    "20": Name("木材加工和木、竹、藤、棕、草制品业", "Wood, bamboo, rattan, palm and straw"),
    "21": Name("家具制造业", "Furniture"),
    "22": Name("造纸和纸制品业", "Paper and paper products"),
    "23": Name("印刷和记录媒介复制业", "Printing and recorded media"),
    "24": Name("文教、工美、体育和娱乐用品制造业", "Culture, crafts, sports and toys"),
    "25": Name("石油、煤炭及其他燃料加工业", "Petroleum, coal and other fuels"),
    "26": Name("化学原料和化学制品制造业", "Chemicals"),
    "27": Name("医药制造业", "Medicines"),
    "28": Name("化学纤维制造业", "Chemical fibres"),
    "29": Name("橡胶和塑料制品业", "Rubber and plastics"),
    "30": Name("非金属矿物制品业", "Non-metallic mineral products"),
    "31": Name("黑色金属冶炼和压延加工业", "Ferrous metals"),
    "32": Name("有色金属冶炼和压延加工业", "Non-ferrous metals"),
    "33": Name("金属制品业", "Metal products"),
    "34": Name("通用设备制造业", "General machinery"),
    "35": Name("专用设备制造业", "Special machinery"),
    "36": Name("汽车制造业", "Motor vehicles"),
    "37": Name("铁路、船舶、航空航天和其他运输设备制造业", "Other transport equipment"),
    "38": Name("电气机械和器材制造业", "Electrical machinery"),
    "39": Name("计算机、通信和其他电子设备制造业", "Computers and electronics"),
    "40": Name("仪器仪表制造业", "Instruments"),
    "41": Name("其他制造业", "Other manufacturing"),
    "42": Name("废弃资源综合利用业", "Recycling"),
    "43": Name("金属制品、机械和设备修理业", "Repair of machinery"),
}
_SECTIONS = {
    "B": (range(6, 13), Name("采矿业", "Mining")),
    "C": (range(13, 44), Name("制造业", "Manufacturing")),
    "D": (
        range(44, 47),
        Name("电力、热力、燃气及水生产和供应业", "Electricity, heat, gas and water supply"),
    ),
}
"""Sections (门类) of industry, by the divisions that are in them."""

_INDUSTRY_DIGITS = 4
_DIVISION_DIGITS = 2


def is_industry(code: str) -> bool:
    """Whether a text has the form of a GB/T 4754 class: four digits."""
    return len(code) == _INDUSTRY_DIGITS and code.isascii() and code.isdigit()


def industry_group(code: str) -> str:
    """The group (three digits) that a class belongs to."""
    return code[:3]


def industry_section(code: str) -> str:
    """The section (a letter) that a class belongs to; empty: none of industry."""
    division = code[:_DIVISION_DIGITS]
    if not division.isdecimal():
        return ""
    return next((key for key, (of, _) in _SECTIONS.items() if int(division) in of), "")


def area_name(code: str) -> Name:
    """A functional area's name; an unknown code names itself."""
    return FUNCTIONAL_AREAS.get(code, Name(code, code))


def county_name(code: str) -> Name:
    """A county's name, also of one that stands in old months only; an unknown code names itself."""
    former = FORMER_COUNTIES.get(code)
    return former.name if former else COUNTIES.get(code, Name(code, code))


def industry_name(code: str) -> Name:
    """The name of a class, group, division or section.

    Of an unlisted class it is the name of its group; of what is not listed at all its code.
    """
    listed = INDUSTRIES.get(code) or _GROUPS.get(code) or _DIVISIONS.get(code)
    if listed is not None:
        return listed
    if code in _SECTIONS:
        return _SECTIONS[code][1]
    group = _GROUPS.get(industry_group(code))
    if group is None:
        return Name(f"行业 {code}", f"Industry {code}")
    return Name(f"{group.zh}（{code}）", f"{group.en} ({code})")
