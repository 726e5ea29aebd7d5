"""Flux: literals, times, and the filters that the store asks with. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime

from gateway.city.stores.api import TAGS, Series


def literal(text: str) -> str:
    """A string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${")
    return f'"{escaped}"'


def span(from_ms: int, to_ms: int) -> str:
    """The range ``from_ms <= time < to_ms``."""
    return f"|> range(start: {_time(from_ms)}, stop: {_time(to_ms)})"


def _time(time_ms: int) -> str:
    moment = datetime.fromtimestamp(time_ms // 1000, UTC).replace(microsecond=time_ms % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(moment: datetime) -> int:
    """A time of an answer, UTC milliseconds."""
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def is_series(series: Series) -> str:
    """The filter for the tags of one series."""
    tags = " and ".join(f"r.{tag} == {literal(getattr(series, tag))}" for tag in TAGS)
    name = literal(series.measurement)
    return f"filter(fn: (r) => r._measurement == {name} and {tags})"


def any_of(codes: Sequence[int]) -> str:
    """The condition that a value is one of these."""
    return " or ".join(f"r._value == {code}" for code in codes)
