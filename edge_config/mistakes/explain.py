"""Turn pydantic's errors into problems: where each stands in the file, and a sentence on it."""

from collections.abc import Iterator
from types import MappingProxyType

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from edge_config.mistakes.key_hints import DriverKeys
from edge_config.mistakes.problems import Loc, Place, Problem
from edge_config.mistakes.sentences import RANGES, UNKNOWN_KEY, sentence
from edge_config.mistakes.shape import field_at, is_number
from edge_config.models.settings import Settings
from edge_config.models.validation import Model, validated


def validate(
    model: type[Model],
    data: object,
    place: Place,
    problems: list[Problem],
    inner: DriverKeys = MappingProxyType({}),
) -> Model | None:
    """An instance of ``model``, or None with every reason appended to ``problems``.

    Args:
        model: what the data must be.
        data: as read from the file.
        place: where it stands.
        problems: grows.
        inner: keys that drivers know below fields of any contents, for hints.
    """
    problems.extend(_truths_for_numbers(model, data, place))
    try:
        return validated(model, data)
    except ValidationError as error:
        problems.extend(explain(error, model, data, place, inner))
        return None


def explain(
    error: ValidationError, model: type[Settings], data: object, place: Place, inner: DriverKeys
) -> list[Problem]:
    """One problem for each error of a validation.

    Args:
        error: what pydantic raised.
        model: the model that was validated.
        data: what was given to it.
        place: where ``data`` stands.
        inner: as for :func:`validate`.
    """
    found = []
    for detail in error.errors(include_url=False):
        if _is_consequence(detail):
            continue
        loc = _written(data, detail)
        found.append(place(loc, sentence(model, detail, inner)))
    return found


def _truths_for_numbers(model: type[Settings], data: object, place: Place) -> list[Problem]:
    """A problem for each ``true`` and ``false`` that pydantic would take for 1 and 0."""
    return [
        place(loc, f"must be a number, not {str(value).lower()}")
        for loc, value in _truths(data, ())
        if is_number(field_at(model, loc))
    ]


def _truths(data: object, loc: Loc) -> Iterator[tuple[Loc, bool]]:
    if isinstance(data, bool):
        yield loc, data
    elif isinstance(data, dict | list):
        items = data.items() if isinstance(data, dict) else enumerate(data)
        for step, inner in items:
            if isinstance(inner, bool | dict | list):  # tables are texts, and there are many
                yield from _truths(inner, (*loc, step))


def _is_consequence(detail: ErrorDetails) -> bool:
    """Whether an error only follows from another: items that were refused, true for a number."""
    if isinstance(detail["input"], bool):
        return detail["type"] in RANGES
    if detail["type"] != "too_short" or not isinstance(detail["input"], list | tuple):
        return False
    return len(detail["input"]) >= int(detail.get("ctx", {}).get("min_length", 0))


def _written(data: object, detail: ErrorDetails) -> Loc:
    """The location without steps that pydantic adds, such as the tag of a union."""
    *around, last = detail["loc"] or ("",)
    kept: list[int | str] = []
    for step in around:
        inner = _step(data, step)
        if inner is not _NOTHING:
            kept.append(step)
            data = inner
    named = detail["type"] in {"missing", UNKNOWN_KEY}
    if detail["loc"] and (named or _step(data, last) is not _NOTHING):
        kept.append(last)
    return tuple(kept)


_NOTHING = object()


def _step(data: object, step: int | str) -> object:
    if isinstance(data, dict):
        return data.get(step, _NOTHING)
    if isinstance(data, list | tuple) and isinstance(step, int) and step < len(data):
        return data[step]
    return _NOTHING
