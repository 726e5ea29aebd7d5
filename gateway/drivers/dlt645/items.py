"""The data identifiers that are known: how their values are written, and what they are called.

Source: DL/T 645-2007, appendix A, tables A.1 to A.5. Pure.
"""

from typing import NamedTuple


class Item(NamedTuple):
    """What is known of a data identifier.

    Attributes:
        format: of its values.
        size: bytes of one, where something follows that is not read (the time of a demand).
    """

    format: str
    size: int = 0


_DEMAND = 8  # bytes: the demand, and when it was
_KNOWN = {
    # energies: combined ones have a sign
    "0000": Item("-XXXXXX.XX"),
    "0003": Item("-XXXXXX.XX"),
    "0004": Item("-XXXXXX.XX"),
    "00": Item("XXXXXX.XX"),
    # maximum demands
    "0103": Item("-XX.XXXX", _DEMAND),
    "0104": Item("-XX.XXXX", _DEMAND),
    "01": Item("XX.XXXX", _DEMAND),
    # what is measured now
    "0201": Item("XXX.X"),
    "0202": Item("-XXX.XXX"),
    "0203": Item("-XX.XXXX"),
    "0204": Item("-XX.XXXX"),
    "0205": Item("-XX.XXXX"),
    "0206": Item("-X.XXX"),
    "0207": Item("XXX.X"),
    "0208": Item("XX.XX"),
    "0209": Item("XX.XX"),
    "02800001": Item("-XXX.XXX"),
    "02800002": Item("XX.XX"),
    "02800003": Item("-XX.XXXX"),
    "02800004": Item("-XX.XXXX"),
    "02800005": Item("-XX.XXXX"),
    "02800006": Item("-XX.XXXX"),
    "02800007": Item("-XXX.X"),
    "02800008": Item("XX.XX"),
    "02800009": Item("XX.XX"),
    "0280000A": Item("XXXXXXXX"),
    # parameters
    "04000101": Item("date"),
    "04000102": Item("time"),
    "0400010C": Item("datetime"),
    "04000103": Item("XX"),
    "04000104": Item("XX"),
    "04000306": Item("XXXXXX"),
    "04000307": Item("XXXXXX"),
    "04000401": Item("NNNNNNNNNNNN"),
    "04000402": Item("NNNNNNNNNNNN"),
    "04000403": Item("ascii[32]"),
    "04000409": Item("XXXXXX"),
    "0400040A": Item("XXXXXX"),
    "040005": Item("word"),
}
"""By the first digits; the longest that fits counts."""


def known(identifier: str) -> Item | None:
    """What is known of an identifier of eight digits; None: nothing."""
    found = (_KNOWN.get(identifier[:length]) for length in (8, 6, 4, 2))
    return next((item for item in found if item is not None), None)


_PHASES = (("A相", "of phase A", "01"), ("B相", "of phase B", "02"), ("C相", "of phase C", "03"))
_TOTALS = (
    ("00000000", "组合有功总电能", "combined active energy"),
    ("00010000", "正向有功总电能", "forward active energy"),
    ("00010100", "正向有功尖电能", "forward active energy, tariff 1"),
    ("00010200", "正向有功峰电能", "forward active energy, tariff 2"),
    ("00010300", "正向有功平电能", "forward active energy, tariff 3"),
    ("00010400", "正向有功谷电能", "forward active energy, tariff 4"),
    ("00020000", "反向有功总电能", "reverse active energy"),
    ("00030000", "组合无功1总电能", "combined reactive energy 1"),
    ("00040000", "组合无功2总电能", "combined reactive energy 2"),
    ("01010000", "正向有功总最大需量", "maximum forward active demand"),
    ("02030000", "总有功功率", "active power"),
    ("02040000", "总无功功率", "reactive power"),
    ("02050000", "总视在功率", "apparent power"),
    ("02060000", "总功率因数", "power factor"),
    ("02800001", "零线电流", "neutral current"),
    ("02800002", "电网频率", "frequency"),
    ("02800007", "表内温度", "temperature"),
    ("04000101", "日期", "date"),
    ("04000102", "时间", "time"),
    ("04000401", "通信地址", "address"),
    ("04000402", "表号", "meter number"),
)
_BY_PHASE = (
    ("0201", "电压", "voltage"),
    ("0202", "电流", "current"),
    ("0203", "有功功率", "active power"),
    ("0204", "无功功率", "reactive power"),
    ("0205", "视在功率", "apparent power"),
    ("0206", "功率因数", "power factor"),
)
_TITLES = {identifier: (zh, en) for identifier, zh, en in _TOTALS} | {
    f"{first}{phase}00": (phase_zh + zh, f"{en} {phase_en}")
    for first, zh, en in _BY_PHASE
    for phase_zh, phase_en, phase in _PHASES
}
_IDENTIFIERS = {
    name.casefold(): identifier for identifier, names in _TITLES.items() for name in names
}


def titles(identifier: str) -> tuple[str, str]:
    """What an identifier is called in Chinese and in English; empty where it has no name."""
    return _TITLES.get(identifier, ("", ""))


def named(name: str) -> str | None:
    """The identifier of a name in either language; None: there is none."""
    return _IDENTIFIERS.get(" ".join(name.split()).casefold())
