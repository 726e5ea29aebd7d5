"""Find the declaration that a location in a file belongs to."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from edge_config.mistakes.problems import Loc
from edge_config.models.settings import Rule, Settings

EXACT = 1_000_000.0
"""Above this, ``:g`` would round."""

Models = list[type[Settings]]


@dataclass(frozen=True, slots=True)
class Declared:
    """One key of a class of settings.

    Attributes:
        type: its annotation, ``Annotated`` included.
        limits: ge, gt, le, lt and the like that stand beside it.
        default: its value if the key is absent; ``dataclasses.MISSING`` if it is required.
        description: what it means.
        title_zh: its name for Chinese readers; the key itself where none is given.
        title_en: the same for English readers.
    """

    type: Any
    limits: Mapping[str, Any]
    default: Any
    description: str
    title_zh: str
    title_en: str


def declared(model: type[Settings]) -> dict[str, Declared]:
    """The keys of a class of settings."""
    types = get_type_hints(model, include_extras=True)
    return {
        field.name: Declared(
            type=types[field.name],
            limits=field.metadata,
            default=field.default,
            description=field.metadata.get("description", ""),
            title_zh=field.metadata.get("title_zh") or field.name,
            title_en=field.metadata.get("title_en") or field.name,
        )
        for field in fields(model)
    }


def models_in(annotation: object) -> Models:
    """The models that an annotation mentions, through unions, tuples and ``Annotated``."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return [annotation]
    return [model for part in get_args(annotation) for model in models_in(part)]


def models_at(model: type[Settings], loc: Loc) -> Models:
    """Models that may stand at a location."""
    models: Models = [model]
    for step in loc:
        models = _descend(models, step)
    return models


def fields_at(model: type[Settings], loc: Loc) -> dict[str, Declared]:
    """Keys that may stand at a location."""
    return {name: key for one in models_at(model, loc) for name, key in declared(one).items()}


def field_at(model: type[Settings], loc: Loc) -> Declared | None:
    """The key at a location, or that of the list which its last index belongs to."""
    while loc and isinstance(loc[-1], int):
        loc = loc[:-1]
    return fields_at(model, loc[:-1]).get(str(loc[-1])) if loc else None


def _descend(models: Models, step: int | str) -> Models:
    if isinstance(step, int):
        return models
    inner = [
        found
        for model in models
        if step in declared(model)
        for found in models_in(declared(model)[step].type)
    ]
    return inner or [model for model in models if _is_tagged(model, step)]


def _is_tagged(model: type[Settings], tag: str) -> bool:
    """Whether a union's member is chosen by this tag (as ``type: influxdb1``)."""
    return any(
        get_origin(key.type) is Literal and get_args(key.type) == (tag,)
        for key in declared(model).values()
    )


def is_number(key: Declared | None) -> bool:
    """Whether a key holds numbers, perhaps or none."""
    return key is not None and any(part in {int, float} for part in _alternatives(key.type))


def _alternatives(annotation: Any) -> Iterator[Any]:
    """The types of a union, without what ``Annotated`` says of them."""
    if get_origin(annotation) is Annotated:
        yield from _alternatives(get_args(annotation)[0])
    elif get_origin(annotation) in {tuple, Literal} or not get_args(annotation):
        yield annotation
    else:
        for part in get_args(annotation):
            yield from _alternatives(part)


def is_required(key: Declared) -> bool:
    """Whether a key must be written."""
    return key.default is MISSING


def choices(key: Declared) -> tuple[str, ...]:
    """All that may be written, where that is a list of words; empty: it is none."""
    found: list[str] = []
    for part in _alternatives(key.type):
        if part is bool:
            found += ["true", "false"]
        elif isinstance(part, type) and issubclass(part, Enum):
            found += [str(member.value) for member in part]
        elif get_origin(part) is Literal:
            found += [str(word) for word in get_args(part)]
        elif part is not type(None):
            return ()
    return tuple(found)


def bounds(key: Declared | None) -> str:
    """The range of a number in words, as ``between 10 and 3600000``; may be empty."""
    limits = {**key.limits, **_rules(key.type)} if key else {}
    words = {
        end: f"{word} {number(limits[name])}"
        for name, end, word in _ENDS
        if limits.get(name) is not None
    }
    both = " and ".join(words[end] for end in ("low", "high") if end in words)
    return re.sub(r"^at least (\S+) and at most (\S+)$", r"between \1 and \2", both)


_ENDS = (
    ("ge", "low", "at least"),
    ("gt", "low", "above"),
    ("le", "high", "at most"),
    ("lt", "high", "below"),
)


def _rules(annotation: Any) -> dict[str, Any]:
    """Limits that rules within an annotation give."""
    found: dict[str, Any] = {}
    for part in get_args(annotation):
        found |= part.limits if isinstance(part, Rule) else _rules(part)
    return found


def number(limit: object) -> str:
    """A limit without a needless decimal point."""
    return f"{limit:g}" if isinstance(limit, float) and abs(limit) < EXACT else str(limit)
