"""What a person says a panel shows. Pure."""

import re
from typing import NamedTuple

from edge_config.models.wide import narrow

_NUMBER = re.compile(r"(?P<number>[-+]?[0-9][0-9,]*(?:\.(?P<decimals>[0-9]+))?)\s*(?P<unit>.*)")
_ON = frozenset({"on", "true", "yes", "开", "是", "运行", "合"})
_OFF = frozenset({"off", "false", "no", "关", "否", "停止", "分"})
_SIGNS = str.maketrans("−–", "--")


class Shown(NamedTuple):
    """One look at a panel.

    Attributes:
        number: what it shows; None: it shows a word.
        decimals: digits behind its point.
        unit: behind the number, may be empty.
        word: what it shows if it is no number.
    """

    number: float | None
    decimals: int
    unit: str
    word: str

    @property
    def truth(self) -> bool | None:
        """On or off, if that is what the word says."""
        word = self.word.casefold()
        return True if word in _ON else False if word in _OFF else None


def parse_shown(text: str) -> Shown:
    """``229.0 V``, ``１，２３４ kWh``, ``-5``, ``ON`` or a text.

    Raises:
        ValueError: it is empty, or has a comma where a point belongs.
    """
    plain = narrow(text).translate(_SIGNS).strip()
    if not plain:
        raise ValueError("what the panel shows is empty; write it as '229.0 V'")
    match = _NUMBER.fullmatch(plain)
    if match is None:
        return Shown(None, 0, "", plain)
    number = match["number"]
    if "," in number and not re.fullmatch(r"[-+]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?", number):
        raise ValueError(f"{text!r}: a decimal point is '.', not ','")
    digits = number.replace(",", "")
    return Shown(float(digits), len(match["decimals"] or ""), match["unit"].strip(), "")
