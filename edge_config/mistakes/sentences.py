"""A sentence for each kind of error that pydantic knows, for those who write the file."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from unicodedata import normalize

from pydantic_core import ErrorDetails

from edge_config.files.syntax import full_width
from edge_config.mistakes.key_hints import OTHER_WORDS, DriverKeys, key_hint, phrase
from edge_config.mistakes.problems import Loc, hint, one_of
from edge_config.mistakes.shape import bounds, field_at, fields_at, models_in, number
from edge_config.models.base import PATTERN_WORDS, Secret
from edge_config.models.plain import without_secrets
from edge_config.models.settings import Settings
from edge_config.models.tag import TAG_NAME

_GUARDED = re.compile(r"passw|token|secret|credential|(?:^|_)pin(?:_|$)", re.IGNORECASE)
_FULL_WIDTH = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]")
_LONGEST_SHOWN = 60
_DECIMAL_COMMA = re.compile(r"[-+]?[0-9]+,[0-9]+")
_LIKE_NUMBER = re.compile(
    r"[*x]?(?P<number>[-+]?[0-9]+(?:\.[0-9]+)?)?(?:[/:](?P<divisor>[1-9][0-9]*))?"
    r"(?:(?P<percent>%)|(?P<rest>(?<=[0-9])[a-z℃°Ω][^0-9]*))?"
)
"""``10%``, ``1/10``, ``/10``, ``x0.1``, ``0℃``: what people write into a cell for a number."""
_OTHER_SIGNS = str.maketrans("−–－×∗％∶÷", "---x*%:/")
_MEANT = "did you mean"
_DECIMAL_POINT = "; a decimal point is '.', not ','"


def sentence(model: type[Settings], detail: ErrorDetails, inner: DriverKeys) -> str:
    """What is wrong, and how to write it instead where that is known.

    Args:
        model: of the whole that was validated.
        detail: one error.
        inner: keys that drivers know below fields of any contents.
    """
    return _wrong(model, detail, inner) + _narrow(detail)


def _wrong(model: type[Settings], detail: ErrorDetails, inner: DriverKeys) -> str:
    kind = detail["type"]
    if kind == UNKNOWN_KEY:
        return f"unknown key{_key_hint(model, detail, inner)}"
    if detail["input"] is None and kind not in {"missing", "value_error"}:
        return "has no value"
    key = field_at(model, detail["loc"])
    if Secret in models_in(key.type if key else None) and kind in _CONTAINERS:
        return "a secret is not written here; give {file: PATH} or {env: NAME}"
    if kind in RANGES:
        limit = bounds(key) or _bare_limit(detail.get("ctx", {}))
        return f"must be {limit}{_unit(detail)}, not {number(detail['input'])}"
    said = _SENTENCES.get(kind, _own_words)(detail)
    return said if kind != "enum" or _MEANT in said else said + _phrase(model, detail)


def _phrase(model: type[Settings], detail: ErrorDetails) -> str:
    return phrase(detail["input"], fields_at(model, detail["loc"][:-1]))


def _narrow(detail: ErrorDetails) -> str:
    """How to write a refused text that holds full-width letters or digits, which look alike."""
    value = detail["input"]
    if not isinstance(value, str) or not _FULL_WIDTH.search(value):
        return ""
    if any(_GUARDED.search(str(step)) for step in detail["loc"]):
        return ""
    return f"; with half-width characters: {shown(normalize('NFKC', value))}"


def _bare_limit(context: Mapping[str, Any]) -> str:
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    return "".join(f"{words[key]} {number(context[key])}" for key in words if key in context)


def _key_hint(model: type[Settings], detail: ErrorDetails, inner: DriverKeys) -> str:
    *around, key = detail["loc"]
    wide = full_width(str(key))
    if wide:
        return f"; {wide}"
    if detail["input"] is None and str(key).isdigit():
        return _DECIMAL_POINT
    return _phrase(model, detail) or key_hint(model, tuple(around), str(key), inner)


def shown(value: object, loc: Loc = ()) -> str:
    """A value for a message: short, in one line, without secrets."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    if any(_GUARDED.search(str(step)) for step in loc):
        return "what is written here"
    text = repr(without_secrets(value)) if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _not(detail: ErrorDetails) -> str:
    return f", not {shown(detail['input'], detail['loc'])}"


def _text(detail: ErrorDetails) -> str:
    value = detail["input"]
    if isinstance(value, bool | int):
        return f"must be text; put it in quotes: '{shown(value, detail['loc'])}'"
    if isinstance(value, float):
        return "must be text; put the number in quotes"
    return f"must be text{_not(detail)}"


def _literal(detail: ErrorDetails) -> str:
    allowed = str(detail.get("ctx", {}).get("expected", ""))
    expected = re.findall(r"'([^']*)'", allowed)
    value = detail["input"]
    if not expected:
        return f"must be {allowed}{_not(detail)}"
    if str(value) in expected and not isinstance(value, str):
        return f"must be text; put it in quotes: '{value}'"
    other = OTHER_WORDS.get(str(value).casefold())
    meant = f"; did you mean {other!r}?" if other in expected else hint(value, expected)
    return f"must be {one_of(expected)}{_not(detail)}{meant}"


def _pattern(detail: ErrorDetails) -> str:
    pattern = str(detail.get("ctx", {}).get("pattern", ""))
    words = PATTERN_WORDS.get(pattern, f"must match the pattern {pattern}")
    renamed = _tag_name_hint(str(detail["input"])) if pattern == TAG_NAME else ""
    return f"{words}{_not(detail)}{renamed}"


def _tag_name_hint(name: str) -> str:
    """What to do with a name that a person understands and a store does not."""
    if any("\u4e00" <= letter <= "\u9fff" for letter in name):
        return "; the Chinese name stands in label_zh (中文名)"
    proposal = re.sub(r"[^0-9a-z]+", "_", normalize("NFKC", name).casefold()).strip("_")
    return f"; did you mean {proposal!r}?" if re.fullmatch(TAG_NAME, proposal) else ""


def _tag(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    key = str(context.get("discriminator", "type")).strip("'")
    expected = re.findall(r"'([^']*)'", str(context.get("expected_tags", "")))
    if not expected:
        return f"needs the key {key!r}"
    tag = context.get("tag")
    return f"{key} must be {one_of(expected)}, not {shown(tag)}{hint(tag, expected)}"


def _length(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    unit = "character" if "string" in detail["type"] else "item"
    words, count = next(
        (words, context[key])
        for key, words in (("min_length", "at least"), ("max_length", "at most"))
        if key in context
    )
    actual = context.get("actual_length", len(detail["input"]))
    return f"must have {words} {count} {unit}{'s' * (count != 1)}, not {actual or 'none'}"


def _own_words(detail: ErrorDetails) -> str:
    """A validator's own sentence, or pydantic's."""
    error = detail.get("ctx", {}).get("error")
    message = str(error) if error else detail["msg"]
    return message[:1].lower() + message[1:] if not error else message


def _unit(detail: ErrorDetails, of: str = " ") -> str:
    """Unit of a number by its key, with a word before it; may be empty."""
    key = str(detail["loc"][-1]) if detail["loc"] else ""
    return next((f"{of}{unit}" for end, unit in _UNITS.items() if key.endswith(end)), "")


def _number(detail: ErrorDetails) -> str:
    value = detail["input"]
    advice = _meant(value, str(detail["loc"][-1:])) if isinstance(value, str) else ""
    return f"must be a number{_unit(detail, ' of ')}{_not(detail)}{advice}"


def _meant(text: str, key: str) -> str:
    """How to write what people write for a number, with a semicolon before it; else nothing."""
    if _DECIMAL_COMMA.fullmatch(text):
        return _DECIMAL_POINT
    found = _LIKE_NUMBER.fullmatch(text.translate(_OTHER_SIGNS).replace(" ", "").lower())
    if (
        found is None
        or not (found["number"] or found["divisor"])
        or (found["percent"] and "scale" not in key)
    ):  # of which whole?
        return ""
    value = float(found["number"] or 1) / float(found["divisor"] or 1)
    if found["percent"]:
        value /= 100
    if not found["rest"]:
        return f"; write {value:.15g}"
    return f"; write {value:.15g} alone, a unit stands in 'unit'"


def _whole_number(detail: ErrorDetails) -> str:
    return f"must be a whole number{_unit(detail, ' of ')}{_not(detail)}"


def _mapping(detail: ErrorDetails) -> str:
    value = detail["input"]
    wide = full_width(value) if isinstance(value, str) else None
    return f"must be a mapping (lines of 'key: value'){_not(detail)}{f'; {wide}' if wide else ''}"


def _must(words: str) -> Callable[[ErrorDetails], str]:
    return lambda detail: f"must be {words}{_not(detail)}"


UNKNOWN_KEY = "unexpected_keyword_argument"
"""What pydantic calls a key that a class of settings does not have."""
RANGES = {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}
"""Kinds of errors about numbers out of range."""
_CONTAINERS = {"dataclass_type", "dict_type"}
_UNITS = {
    "_ms": "milliseconds",
    "_s": "seconds",
    "_mib": "MiB",
    "_hours": "hours",
    "_days": "days",
    "_bytes": "bytes",
}
"""Units by the ending of a key."""
_INTS = ("int_type", "int_parsing", "int_from_float", "int_parsing_size")
_SENTENCES: dict[str, Callable[[ErrorDetails], str]] = {
    "missing": lambda _: "required, but missing",
    "string_type": _text,
    "path_type": _text,
    "literal_error": _literal,
    "enum": _literal,
    "string_pattern_mismatch": _pattern,
    "union_tag_invalid": _tag,
    "union_tag_not_found": _tag,
    **dict.fromkeys(_CONTAINERS, _mapping),
    **dict.fromkeys(("tuple_type", "list_type"), _must("a list (lines that begin with '- ')")),
    **dict.fromkeys(_INTS, _whole_number),
    **dict.fromkeys(("float_type", "float_parsing"), _number),
    "finite_number": _must("a finite number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), _must("true or false")),
    **dict.fromkeys(
        ("string_too_short", "string_too_long", "too_short", "too_long"),
        _length,
    ),
}
