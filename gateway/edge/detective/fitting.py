"""How well the tags of a known machine fit what a device gives. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edge_config.loading.resolved import ResolvedTag
from edge_config.models.tag import TagConfig
from gateway.core.values.plausible import Value, plausibility

LIKELY = 0.8
"""Score from which a machine is proposed without being asked."""

_ENOUGH = 3.0
"""So much evidence is no chance."""
_EVIDENCE: dict[type, float] = {float: 1.0, str: 0.5, int: 0.2, bool: 0.05}
"""What one value says that looks right: any bits are some whole number, few are a usual float."""
_NAMED = 0.2
"""On top where the device says a word of the machine's name."""
_LONG_WORD = 4


@dataclass(frozen=True, slots=True)
class Fit:
    """One machine profile, held against a device.

    Attributes:
        profile: its name.
        title: of the machine.
        tags: how many it has.
        given: how many of them the device gives.
        usual: how many of these look measured, and within the limits of their tags.
        score: 0 to 1; only the order of scores means something.
    """

    profile: str
    title: str
    tags: int
    given: int
    usual: int
    score: float


def fit(
    profile: str,
    title: str,
    tags: Sequence[ResolvedTag],
    values: Sequence[Value | None],
    said: Iterable[str] = (),
) -> Fit:
    """Hold the tags of a profile against what a device gave for them.

    Args:
        profile: its name.
        title: of the machine.
        tags: of the profile; at least one.
        values: raw, one a tag; None: the device gave none.
        said: what the device says of itself.
    """
    given = [
        (tag.config, value) for tag, value in zip(tags, values, strict=True) if value is not None
    ]
    scores = [_score(tag, value) for tag, value in given]
    evidence = sum(
        score * _EVIDENCE[type(value)] for score, (_, value) in zip(scores, given, strict=True)
    )
    share = sum(scores) / len(tags) * min(1.0, evidence / _ENOUGH)
    is_named = bool(_words(title) | _words(profile)) and any(
        word in text.casefold() for word in _words(title) | _words(profile) for text in said
    )
    usual = sum(score > 0.5 for score in scores)  # noqa: PLR2004 - more than a zero says
    score = min(1.0, share + _NAMED * is_named * bool(scores))
    return Fit(profile, title, len(tags), len(scores), usual, score)


def _score(tag: TagConfig, raw: Value) -> float:
    if isinstance(raw, bool | str):
        return plausibility(raw)
    value = raw * (1.0 if tag.scale is None else tag.scale) + tag.offset
    is_below = tag.minimum is not None and value < tag.minimum
    is_above = tag.maximum is not None and value > tag.maximum
    return 0.0 if is_below or is_above else plausibility(value)


def _words(text: str) -> set[str]:
    """Words of a name that tell one maker's machine from another's: with digits, or long."""
    words = re.findall(r"[a-z]*[0-9]+[a-z0-9]*", text.casefold())
    return {word for word in words if len(word) >= _LONG_WORD}
