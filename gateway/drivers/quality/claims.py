"""What a driver claims of itself, in ``quality.yaml`` beside it, and the rules of the tiers."""

import sys
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Literal

from edge_config.files.yaml_file import read_document
from edge_config.mistakes.problems import ConfigError
from edge_config.models.settings import Field, Settings
from edge_config.models.validation import validated
from gateway.drivers.spec import DriverSpec

FILE = "quality.yaml"
TIERS_FILE = Path(__file__).with_name("tiers.yaml")


class Tier(StrEnum):
    """How much a driver has proven; each tier holds those before it."""

    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"

    def holds(self, other: "Tier") -> bool:
        """Whether what the other tier asks for is asked for here."""
        return list(Tier).index(other) <= list(Tier).index(self)


class TierRule(Settings):
    """What a driver of a tier proves."""

    id: str = Field(description="word for it in claims")
    tier: Tier = Field(description="the first tier that asks for it")
    title_zh: str = Field(description="what is proven, in Chinese")
    title_en: str = Field(description="what is proven, in English")
    proof: Literal["kit", "test", "page", "profile", "sample", "hardware", "spec", "run"] = Field(
        description="how evidence is looked at"
    )
    classes: tuple[str, ...] = Field(default=(), description="kit: one of these is inherited")
    word: str = Field(default="", description="test: stands in the file")

    @property
    def needs_evidence(self) -> bool:
        """Whether a claim has to name where it is proven."""
        return self.proof not in {"spec", "run"}


class Claim(Settings):
    """What a driver says of its own quality."""

    tier: Tier = Field(description="bronze, silver or gold")
    transports: tuple[str, ...] = Field(min_length=1, description="how devices are reached")
    functions: tuple[str, ...] = Field(min_length=1, description="what of the protocol it speaks")
    evidence: dict[str, str | tuple[str, ...]] = Field(
        default_factory=dict, description="rule of a tier: where it is proven"
    )
    exempt: dict[str, str] = Field(
        default_factory=dict, description="rule of a tier or of the kit (D-16): why it is not kept"
    )

    def places(self, rule: str) -> tuple[str, ...]:
        """Where a rule of a tier is proven."""
        named = self.evidence.get(rule, ())
        return (named,) if isinstance(named, str) else named


@cache
def tier_rules() -> tuple[TierRule, ...]:
    """The rules of all tiers, bronze first."""
    return tuple(validated(TierRule, rule) for rule in _content(TIERS_FILE))


def folder_of(spec: DriverSpec) -> Path:
    """The folder of a driver's package."""
    return Path(str(sys.modules[spec.make.__module__].__file__)).parent


def claim_of(spec: DriverSpec) -> Claim | None:
    """The claim of a driver, or None if it makes none.

    Raises:
        ValueError: its file cannot be understood.
    """
    path = folder_of(spec) / FILE
    return _claim(path) if path.exists() else None


def exempt_rules(spec: DriverSpec) -> Mapping[str, str]:
    """Why a driver need not keep some rules, by their ids; nothing without a claim."""
    claim = claim_of(spec)
    return claim.exempt if claim else {}


@cache
def _claim(path: Path) -> Claim:
    return validated(Claim, _content(path))


def _content(path: Path) -> Any:
    try:
        document = read_document(path)
    except ConfigError as error:
        raise ValueError(str(error)) from error
    if document.problems:
        raise ValueError("; ".join(str(problem) for problem in document.problems))
    return document.data
