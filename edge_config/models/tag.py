"""What a factory writes of one tag: where it is read and what becomes of its value."""

import math
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated, Any, Literal, NoReturn

from edge_config.models import ledger_number
from edge_config.models.base import pattern
from edge_config.models.limits import RESERVED_TAGS
from edge_config.models.settings import Exact, Field, Rule, Settings

MAX_TAG_NAME = 63
TAG_NAME = pattern(
    r"^[A-Za-z][A-Za-z0-9_]{0,62}$",
    "must be a letter, then letters, digits and underscores, at most 63",
)
TagName = Annotated[str, Rule(pattern=TAG_NAME)]


AssetNo = Annotated[str, Rule(ledger_number.held, min_length=1)]
"""Number of a machine, as the ledger has it."""


Access = Literal["read", "read-write"]
"""What may be done with a tag."""


def _not_reserved(name: str) -> str:
    if name in RESERVED_TAGS:
        raise ValueError(f"{name!r} is a word of the stores; name the tag otherwise")
    return name


Codes = tuple[float, ...]
"""Whole numbers are ``int``; NaN stands for every NaN."""

_BETWEEN = re.compile(r"[\s,;、，；]+")
_WRITE = "write raw numbers such as 32768, 0x8000 or nan, several as a list"


def _codes(written: Any) -> Codes | None:
    if written is None:
        return None
    parts: list[Any] = []
    for one in written if isinstance(written, list | tuple) else (written,):
        parts += _BETWEEN.split(one.strip()) if isinstance(one, str) else [one]
    if not parts:
        _refuse(written)
    return tuple(dict.fromkeys(_code(part) for part in parts))


def _code(part: Any) -> float:
    is_number = isinstance(part, int | float) and not isinstance(part, bool)
    number = part if is_number else _number(str(part))
    if isinstance(number, float) and number.is_integer():
        return int(number)
    if isinstance(number, float) and math.isinf(number):
        _refuse(part)
    return number


def _number(text: str) -> float:
    with suppress(ValueError):
        return int(text, 0)
    with suppress(ValueError):
        return float(text)
    return _refuse(text)


def _refuse(part: Any) -> NoReturn:
    raise ValueError(f"{part!r} is no raw number; {_WRITE}")


NoValue = Annotated[Any, Rule(_codes)]
"""Validated: :data:`Codes`, or None."""


LONGEST_LABEL = 64
"""Characters of a label."""


class TagConfig(Settings):
    """One measured quantity of a machine."""

    name: Annotated[TagName, Rule(_not_reserved)] = Field(
        description="field name in the store, unique within the machine"
    )
    address: Any = Field(description="where the driver finds it; see the driver's page")
    unit: str = Field(default="", max_length=32, description="unit of the scaled value")
    role: Literal["value", "state", "counter", "alarm"] = Field(
        default="value", description="what it is"
    )
    label_zh: str = Field(
        default="", max_length=LONGEST_LABEL, description="name for Chinese readers"
    )
    label_en: str = Field(
        default="", max_length=LONGEST_LABEL, description="name for English readers"
    )
    scale: float | None = Field(
        default=None,
        description="value = raw × scale + offset; result is a float, exact in its decimals",
    )
    offset: float = Field(default=0.0, description="see scale")
    minimum: Annotated[float, Exact()] | None = Field(
        default=None, description="a scaled value below is BAD (range)"
    )
    maximum: Annotated[float, Exact()] | None = Field(
        default=None, description="a scaled value above is BAD (range)"
    )
    no_value: NoValue = Field(
        default=None,
        title_zh="无效码",
        title_en="no-value codes",
        description="raw numbers by which the device says that it has no value: BAD (no_value); "
        "0x8000, nan or a list; default: the profile's for its type",
    )
    access: Access = Field(
        default="read",
        title_zh="读写",
        title_en="access",
        description="read-write: people and the city may write it, if `commands` are enabled",
    )
    write_minimum: Annotated[float, Exact()] | None = Field(
        default=None,
        title_zh="写下限",
        title_en="least to write",
        description="a lower scaled value is never written; default: minimum",
    )
    write_maximum: Annotated[float, Exact()] | None = Field(
        default=None,
        title_zh="写上限",
        title_en="most to write",
        description="a higher scaled value is never written; default: maximum",
    )
    deadband: float = Field(
        default=0.0, ge=0, description="send when the value moved by more than this"
    )
    max_silence_ms: int = Field(
        default=60_000,
        ge=1_000,
        le=86_400_000,
        description="send at least this often, changed or not",
    )
    asset_no: AssetNo | None = Field(
        default=None, description="machine it belongs to, if not the device's"
    )

    def __post_init__(self) -> None:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum:g} is above maximum {self.maximum:g}")
        if self.scale == 0:
            raise ValueError("scale 0 would make every value the same; leave it out for raw values")
        for wrong in self._unwritable():
            raise ValueError(wrong)

    def _unwritable(self) -> Iterator[str]:
        """What contradicts itself in the limits of writing."""
        least, most = self.write_limits
        if self.access == "read" and (self.write_minimum, self.write_maximum) != (None, None):
            yield "write_minimum and write_maximum are for tags with 'access: read-write'"
        if least is not None and most is not None and least > most:
            yield f"nothing could be written: the least is {least:g}, the most {most:g}"
        if self.minimum is not None and least is not None and least < self.minimum:
            yield f"write_minimum {least:g} is below minimum {self.minimum:g}, and would be BAD"
        if self.maximum is not None and most is not None and most > self.maximum:
            yield f"write_maximum {most:g} is above maximum {self.maximum:g}, and would be BAD"

    @property
    def write_limits(self) -> tuple[float | None, float | None]:
        """Least and greatest scaled value that may be written; None: whatever fits."""
        least = self.minimum if self.write_minimum is None else self.write_minimum
        most = self.maximum if self.write_maximum is None else self.write_maximum
        return least, most
