"""How far back evidence can be audited: how long the store keeps values, against what is promised.

A store that keeps its own retention is asked for it. What it does not tell is unknown, not right.
"""

import math
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from gateway.city.db.housekeeping import Trimmed
from gateway.city.stores.api import Store, StoreError
from gateway.core.days import DAY_MS, day_of


class Standing(StrEnum):
    """How what a store does compares with the setting ``retention.telemetry_days``."""

    PROMISED = "promised"
    SHORTER = "shorter"
    LONGER = "longer"
    EVER = "ever"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reach:
    """How long values are kept.

    Attributes:
        standing: against the promise.
        promised: days that the city's configuration says.
        kept: days that the store really keeps them, fractions left out; None: for ever, or
            unknown.
        since: the first day of which evidence can be audited; None: unknown.
        why: of what is unknown, in the store's words.
    """

    standing: Standing
    promised: int
    kept: int | None
    since: date | None
    why: str = ""

    @property
    def audited_days(self) -> int:
        """Days back from today of which the store can have values, as far as is known."""
        return self.promised if self.kept is None else min(self.promised, self.kept)


async def reach(store: Store, promised: int, now_ms: int) -> Reach:
    """Ask a store how long it keeps values.

    Args:
        store: opened.
        promised: days, ``retention.telemetry_days``.
        now_ms: UTC milliseconds.
    """
    if isinstance(store, Trimmed):  # the city deletes there itself, by that setting
        return _judged(Standing.PROMISED, promised, promised, now_ms)
    try:
        kept = await store.kept()
    except StoreError as error:
        return Reach(Standing.UNKNOWN, promised, None, None, str(error))
    if kept is None:
        return _judged(Standing.EVER, promised, None, now_ms)
    days, whole = math.floor(kept / timedelta(days=1)), timedelta(days=promised)
    standing = Standing.PROMISED if kept == whole else Standing.LONGER
    return _judged(Standing.SHORTER if kept < whole else standing, promised, days, now_ms)


def silent(promised: int) -> Reach:
    """Of a store that does not answer in time."""
    return Reach(Standing.UNKNOWN, promised, None, None, "the store does not answer")


def _judged(standing: Standing, promised: int, kept: int | None, now_ms: int) -> Reach:
    days = promised if kept is None else min(promised, kept)
    return Reach(standing, promised, kept, day_of(now_ms - days * DAY_MS))
