"""What an engine holds: tables of whole numbers, a row for each machine and month. Pure.

A row says of a machine's month all that any definition may ask, and nothing that depends on one.
Days are bits, the other way round than elsewhere: bit 31 - d of a mask is day d. So what is behind
a day is what is below its bit, which every engine can say.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import get_args

from gateway.city.rates.model import EquipmentClass, LedgerStatus

STATUSES: tuple[str, ...] = get_args(LedgerStatus)
"""Those that a record may name; each has two columns."""
CLASSES: tuple[str, ...] = get_args(EquipmentClass)
"""A machine's class is its place here, counted from 1; 0: another one."""
SOURCES = ("controller", "sensor", "other")
"""Where evidence came from; each has two columns."""
LEFT_OUT = ("rest", "own_rest", "rest_late", "stopped", "stopped_late")
"""Days that are on neither side, as :mod:`gateway.city.rates.attendance` has them."""

NUMBER, MASK, FLAG, USCC = "BIGINT", "INTEGER", "TINYINT", "USCC"
"""Types; the first three are said alike by DuckDB and ClickHouse."""


def bit_of(day: date) -> int:
    """The mask of a day of its month."""
    return 1 << (31 - day.day)


def held(status: str) -> str:
    """The column of days on which a machine has a status, as far as the ledger says."""
    return f"held_{status}"


def coming(status: str) -> str:
    """The column of days that may have had the status of an undated entry behind them."""
    return f"coming_{status}"


def _masks() -> Iterator[str]:
    for status in STATUSES:
        yield from (held(status), coming(status))
    yield "coming"  # of any status: these days are undetermined
    for source in SOURCES:
        yield from (f"{source}_good", f"{source}_uncertain")
    yield from LEFT_OUT


MACHINE: Mapping[str, str] = {
    "copy": NUMBER,
    "month": MASK,
    "machine": NUMBER,
    "firm": MASK,
    "class": FLAG,
    "digital": FLAG,
    "key_equipment": FLAG,
    "is_new": FLAG,
    "start_unknown": FLAG,
    **dict.fromkeys(_masks(), MASK),
}
FIRM: Mapping[str, str] = {"copy": NUMBER, "firm": MASK, "uscc": USCC}
COPY: Mapping[str, str] = dict.fromkeys(
    (
        "copy", "city", "month", "since", "as_of", "demonstration", "change", "known", "evidence",
        "rest", "machines",
    ),
    NUMBER,
)  # fmt: skip
TABLES: Mapping[str, Mapping[str, str]] = {
    "machine_month": MACHINE,
    "machine_firm": FIRM,
    "month_copy": COPY,
}
"""Columns and their types, by table; ``month_copy`` says which copies are complete."""
ORDER: Mapping[str, tuple[str, ...]] = {
    "machine_month": ("firm", "machine", "month"),
    "machine_firm": ("firm",),
    "month_copy": ("city", "month"),
}
"""How rows of a copy are sorted where an engine sorts them."""


def columns_of(table: str, uscc: str) -> str:
    """The columns of a table with their types, as text of a statement.

    Args:
        table: of :data:`TABLES`.
        uscc: the engine's type of a USCC.
    """
    types = {USCC: uscc}
    return ", ".join(f"{name} {types.get(one, one)}" for name, one in TABLES[table].items())
