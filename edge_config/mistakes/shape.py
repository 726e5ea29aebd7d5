"""Find the field of a model that a location in a file belongs to."""

import re
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from edge_config.mistakes.problems import Loc

EXACT = 1_000_000.0
"""Above this, ``:g`` would round."""

Models = list[type[BaseModel]]


def models_in(annotation: object) -> Models:
    """The models that an annotation mentions, through unions, tuples and ``Annotated``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in models_in(part)]


def models_at(model: type[BaseModel], loc: Loc) -> Models:
    """Models that may stand at a location."""
    models: Models = [model]
    for step in loc:
        models = _descend(models, step)
    return models


def fields_at(model: type[BaseModel], loc: Loc) -> dict[str, FieldInfo]:
    """Fields that may stand at a location."""
    models = models_at(model, loc)
    return {name: info for one in models for name, info in one.model_fields.items()}


def field_at(model: type[BaseModel], loc: Loc) -> FieldInfo | None:
    """The field at a location, or the list field that its last index belongs to."""
    while loc and isinstance(loc[-1], int):
        loc = loc[:-1]
    return fields_at(model, loc[:-1]).get(str(loc[-1])) if loc else None


def _descend(models: Models, step: int | str) -> Models:
    if isinstance(step, int):
        return models
    inner = [
        found
        for model in models
        if step in model.model_fields
        for found in models_in(model.model_fields[step].annotation)
    ]
    return inner or [model for model in models if _is_tagged(model, step)]


def _is_tagged(model: type[BaseModel], tag: str) -> bool:
    """Whether a union's member is chosen by this tag (as ``type: influxdb1``)."""
    return any(
        get_origin(info.annotation) is Literal and get_args(info.annotation) == (tag,)
        for info in model.model_fields.values()
    )


def is_number(info: FieldInfo | None) -> bool:
    """Whether a field holds numbers, perhaps or none."""
    annotation = info.annotation if info else None
    return not {int, float}.isdisjoint({annotation, *get_args(annotation)})


def bounds(info: FieldInfo | None) -> str:
    """The range of a number in words, as ``between 10 and 3600000``; may be empty."""
    words: dict[str, str] = {}
    for limit in _limits([*info.metadata, info.annotation] if info else []):
        match limit:
            case annotated_types.Ge(ge):
                words["low"] = f"at least {number(ge)}"
            case annotated_types.Gt(gt):
                words["low"] = f"above {number(gt)}"
            case annotated_types.Le(le):
                words["high"] = f"at most {number(le)}"
            case annotated_types.Lt(lt):
                words["high"] = f"below {number(lt)}"
    both = " and ".join(words[end] for end in ("low", "high") if end in words)
    return re.sub(r"^at least (\S+) and at most (\S+)$", r"between \1 and \2", both)


def number(limit: object) -> str:
    """A limit without a needless decimal point."""
    return f"{limit:g}" if isinstance(limit, float) and abs(limit) < EXACT else str(limit)


def _limits(parts: list[Any]) -> Iterator[object]:
    for part in parts:
        yield part
        yield from getattr(part, "metadata", ())
        yield from _limits(list(get_args(part)))
