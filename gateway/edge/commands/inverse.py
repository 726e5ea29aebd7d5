"""From the value that a person wants to see to the raw value that shows it. Pure.

The inverse is exact: what the device then holds is shown as the very number that was asked for,
by the same rules by which its readings are processed (:mod:`gateway.core.rules`). What no raw
value shows is refused; nothing is rounded.
"""

import math
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

import numpy as np

from gateway.core.rules import TagRule, compile_rules
from gateway.core.schema import Kind
from gateway.core.values.plain import MAX_TEXT_BYTES, is_text, plain_values
from gateway.drivers.api import Value

_TRUE = {"true", "on", "1"}
_FALSE = {"false", "off", "0"}
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_LONGEST_NUMBER = 64
_WHOLE = {Kind.INT64, Kind.UINT64}
_FLOATS = {Kind.FLOAT32, Kind.FLOAT64}


class UnwritableValueError(ValueError):
    """No raw value shows what is wanted; the message says which ones come nearest."""


def wanted_of(rule: TagRule, written: Value) -> Decimal | bool | str:
    """The value that is meant, exactly.

    Args:
        rule: of the tag.
        written: a number, truth value or text; numbers and truth values may be written as text.

    Raises:
        UnwritableValueError: the tag has no such values.
    """
    if rule.kind is Kind.STRING:
        return _text(written)
    if rule.kind is Kind.BOOL:
        return _truth(written)
    return _number(written)


def _text(written: Value) -> str:
    if not isinstance(written, str) or not is_text(written):
        raise UnwritableValueError("it is no text, which the values of this tag are")
    if len(written.encode()) > MAX_TEXT_BYTES:
        raise UnwritableValueError(f"the text is longer than {MAX_TEXT_BYTES} bytes")
    return written


def _truth(written: Value) -> bool:
    word = str(written).strip().lower()
    if word not in _TRUE | _FALSE:
        raise UnwritableValueError(
            f"{str(written)[:_LONGEST_NUMBER]!r} is neither true nor false (on, off, 1, 0)"
        )
    return word in _TRUE


def _number(written: Value) -> Decimal:
    text = str(written).strip()
    if isinstance(written, bool) or len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        raise UnwritableValueError(f"{str(written)[:_LONGEST_NUMBER]!r} is no finite number")
    try:
        return Decimal(text)
    except InvalidOperation as error:  # pragma: no cover - the pattern is stricter
        raise UnwritableValueError(f"{text!r} is no number") from error


def shown(rule: TagRule, raw: Value) -> Value:
    """What a raw value is shown as, by the rules of its tag."""
    column = np.array([raw], rule.raw.dtype)
    with np.errstate(all="ignore"):
        processed = compile_rules([rule]).columns[0].gather([column])
    value: Value = plain_values(processed)[0]
    return value


def raw_of(rule: TagRule, wanted: Decimal | bool | str) -> Value:
    """The raw value that shows what is wanted.

    Raises:
        UnwritableValueError: there is none.
    """
    if not isinstance(wanted, Decimal):
        return wanted
    near = [(raw, shown(rule, raw)) for raw in _near(rule, _exact(rule, wanted))]
    finite = [(raw, value) for raw, value in near if math.isfinite(value)]  # type: ignore[arg-type]
    fitting: list[Value] = [raw for raw, value in finite if _decimal(value) == wanted]
    if not fitting:
        raise UnwritableValueError(_lossy(wanted, [_decimal(value) for _, value in finite]))
    exact = _exact(rule, wanted)
    return min(fitting, key=lambda raw: abs(Fraction(raw) - exact))


def _exact(rule: TagRule, wanted: Decimal) -> Fraction:
    """The raw number by arithmetic alone; no raw value need be it."""
    scale = 1.0 if rule.scale is None else rule.scale
    return (Fraction(wanted) - Fraction(repr(rule.offset))) / Fraction(repr(scale))


def _near(rule: TagRule, exact: Fraction) -> Iterator[Any]:
    """The raw values next to a number, ascending."""
    if rule.raw is Kind.BOOL:
        yield from (False, True)
    elif rule.raw in _WHOLE:
        limits = np.iinfo(rule.raw.dtype)
        both = {math.floor(exact), math.ceil(exact)}
        yield from sorted({min(max(one, int(limits.min)), int(limits.max)) for one in both})
    elif rule.raw in _FLOATS:
        yield from _near_floats(rule.raw.dtype.type, exact)


def _near_floats(dtype: Any, exact: Fraction) -> Iterator[float]:
    largest = float(np.finfo(dtype).max)
    middle = dtype(float(min(max(exact, Fraction(-largest)), Fraction(largest))))
    with np.errstate(all="ignore"):
        around = (np.nextafter(middle, dtype(-np.inf)), middle, np.nextafter(middle, dtype(np.inf)))
    yield from (float(one) for one in around if np.isfinite(one))


def _decimal(value: Value) -> Decimal:
    return Decimal(repr(value) if isinstance(value, float) else int(value))


def _lossy(wanted: Decimal, possible: list[Decimal]) -> str:
    below = max((one for one in possible if one < wanted), default=None)
    above = min((one for one in possible if one > wanted), default=None)
    nearest = " and ".join(str(one) for one in (below, above) if one is not None)
    return f"{wanted} cannot be written exactly; the nearest values that can are {nearest}"
