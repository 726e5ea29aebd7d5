"""What a factory writes of one tag: where it is read and what becomes of its value."""

from typing import Annotated, Any, Literal

from edge_config.models import ledger_number
from edge_config.models.base import pattern
from edge_config.models.limits import RESERVED_TAGS
from edge_config.models.settings import Field, Rule, Settings

MAX_TAG_NAME = 63
TAG_NAME = pattern(
    r"^[A-Za-z][A-Za-z0-9_]{0,62}$",
    "must be a letter, then letters, digits and underscores, at most 63",
)
TagName = Annotated[str, Rule(pattern=TAG_NAME)]


AssetNo = Annotated[str, Rule(ledger_number.held, min_length=1)]
"""Number of a machine, as the ledger has it."""


def _not_reserved(name: str) -> str:
    if name in RESERVED_TAGS:
        raise ValueError(f"{name!r} is a word of the stores; name the tag otherwise")
    return name


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
    label_zh: str = Field(default="", max_length=64, description="name for Chinese readers")
    label_en: str = Field(default="", max_length=64, description="name for English readers")
    scale: float | None = Field(
        default=None,
        description="value = raw × scale + offset; result is a float, exact in its decimals",
    )
    offset: float = Field(default=0.0, description="see scale")
    minimum: float | None = Field(default=None, description="a scaled value below is BAD (range)")
    maximum: float | None = Field(default=None, description="a scaled value above is BAD (range)")
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
