"""Data against models: pydantic's findings in our own words, with place and hint."""

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from edge_config.document import Document, Location
from edge_config.problems import Problem, hint

M = TypeVar("M", bound=BaseModel)

_COMPARISONS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}
_SECRETS = ("password", "token")
_TYPES = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "a text (put it in quotes)",
    "tuple_type": "a list",
    "list_type": "a list",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "dict_type": "a mapping of keys to values",
    "path_type": "a path",
}


def validate(
    model: type[M], document: Document, at: Location = ()
) -> tuple[M | None, list[Problem]]:
    """Validate part of a document.

    Args:
        model: what it should be.
        document: the file.
        at: location of the part; the whole file by default.

    Returns:
        The model and no problems, or None and every problem.
    """
    return validate_value(model, value_at(document.data, at), document, at)


def validate_value(
    model: type[M], data: Any, document: Document, at: Location
) -> tuple[M | None, list[Problem]]:
    """Validate a value that stands at a location of a document; see :func:`validate`."""
    if data is None:
        data = {}
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        return None, list(_problems(error, model, document, at, data))


def value_at(data: Any, at: Location) -> Any:
    """The value at a location."""
    for part in at:
        data = data[part]
    return data


def _problems(
    error: ValidationError, model: type[BaseModel], document: Document, at: Location, data: Any
) -> Iterator[Problem]:
    for details in error.errors(include_url=False):
        if details["type"] == "too_short" and details["input"]:
            continue  # its entries are wrong, and that is said already
        location = _real_location(data, details["loc"])
        message = _message(details, model, data, location)
        yield document.problem((*at, *location), message)


def _real_location(data: Any, loc: tuple[int | str, ...]) -> Location:
    """Drop what pydantic adds to a location: tags of unions and names of validators."""
    kept: list[int | str] = []
    for number, part in enumerate(loc):
        last = number == len(loc) - 1
        inside = isinstance(data, Mapping) and part in data
        item = isinstance(data, list) and isinstance(part, int) and part < len(data)
        if inside or item:
            data = data[part]
            kept.append(part)
        elif last and isinstance(data, Mapping):
            kept.append(part)
    return tuple(kept)


def _message(details: ErrorDetails, model: type[BaseModel], data: Any, location: Location) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if kind.startswith("model_") and location and location[-1] in _SECRETS:
        return "write file: PATH or env: NAME below it; secrets never stand in a configuration"
    if kind == "extra_forbidden":
        word = str(location[-1])
        known = _fields_at(model, data, location[:-1])
        return f"unknown key{hint(word, known)}"
    if kind == "missing":
        return "is required and missing"
    if kind in _COMPARISONS:
        key, words = _COMPARISONS[kind]
        return f"must be {words} {context[key]:g}, not {_shown(details['input'])}"
    if kind in _TYPES:
        return f"must be {_TYPES[kind]}, not {_shown(details['input'])}"
    return _other(details, kind, context)


def _other(details: ErrorDetails, kind: str, context: Mapping[str, Any]) -> str:
    given = details["input"]
    match kind:
        case "literal_error":
            message = _choice(given, context["expected"])
        case "union_tag_invalid":
            message = f"type: {_choice(context['tag'], context['expected_tags'])}"
        case "union_tag_not_found":
            message = "'type' is required and missing"
        case "string_pattern_mismatch":
            message = f"{_shown(given)} does not have the form {context['pattern']}"
        case "value_error":
            message = str(context["error"])
        case "too_short":
            message = "needs at least one entry"
        case "too_long":
            message = f"has more than {context['max_length']} entries"
        case _:
            message = details["msg"][:1].lower() + details["msg"][1:]
    return message


def _choice(given: object, expected: str) -> str:
    words = [word.strip().strip("'") for word in expected.replace(" or ", ", ").split(",")]
    return f"{_shown(given)} is none of {', '.join(words)}{hint(str(given), words)}"


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"  # noqa: PLR2004


def _fields_at(model: type[BaseModel], data: Any, location: Location) -> list[str]:
    current: Any = model
    for part in location:
        data = _child(data, part)
        current = _step(current, part, data)
    return list(current.model_fields) if _is_model(current) else []


def _child(data: Any, part: int | str) -> Any:
    if isinstance(data, Mapping):
        return data.get(part)
    return data[part] if isinstance(data, list) and isinstance(part, int) else None


def _step(current: Any, part: int | str, data: Any) -> Any:
    if isinstance(part, int):
        inner = next((a for a in get_args(current) if a is not Ellipsis), None)
    elif _is_model(current) and part in current.model_fields:
        inner = current.model_fields[part].annotation
    else:
        return None
    return _chosen(inner, data)


def _chosen(annotation: Any, data: Any) -> Any:
    """The member of an annotation that the data is meant to be."""
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) not in (Union, UnionType):
        return annotation
    members = [member for member in get_args(annotation) if member is not type(None)]
    tag = data.get("type") if isinstance(data, Mapping) else None
    for member in members:
        field = member.model_fields.get("type") if _is_model(member) else None
        if field is not None and tag in get_args(field.annotation):
            return member
    return members[0]


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
