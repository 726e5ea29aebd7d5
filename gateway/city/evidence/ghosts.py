"""Machines that stand in the ledger and never sent a value, and what sends under a similar number.

They count nowhere but in the denominator. Of an enterprise that has a gateway they are to be looked
at: there may be no such machine, or its gateway names it by another number. Who has no gateway
cannot send, and is no fault of the ledger's.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date
from difflib import SequenceMatcher
from typing import Any

from sqlalchemy import Connection, Select, func, select

from gateway.city.db.schema.months import evidence_month
from gateway.city.db.tables import equipment, equipment_status
from gateway.city.evidence.retired import newest_statuses
from gateway.city.ledger.codes import IN_SERVICE

_DECEMBER = 12
_CLOSE = 0.6
"""Of the letters of two numbers, by :mod:`difflib`: 注塑机 and 注塑机号 are alike."""
_DIGITS = re.compile(r"\d+")


def ghost_query(connection: Connection, today: date) -> Select[Any]:
    """Machines of the ledger that are in service and have no evidence of any day.

    Columns: id, uscc, site_no, asset_no, name.

    Args:
        connection: the city's database.
        today: Asia/Shanghai day, of which the status is.
    """
    own, newest = equipment.c, newest_statuses(today)
    out = select(newest.c.equipment_id).where(newest.c.status.not_in(IN_SERVICE))
    # by the key of each month, newest first: who sends is found at once
    months = sorted(_months(connection), reverse=True)
    sent = select(evidence_month.c.machine_id).where(
        evidence_month.c.month.in_(months), evidence_month.c.machine_id == own.id
    )
    columns = (own.id, own.uscc, own.site_no, own.asset_no, own.name)
    absent = own.id.not_in(out), own.id.not_in(_awaited(today))
    return select(*columns).where(~sent.exists(), *absent)


def _awaited(today: date) -> Select[Any]:
    """Machines of which the ledger says nothing yet: their first status is still to come."""
    dated, before = equipment_status.c, equipment_status.alias().c
    begun = select(before.equipment_id).where(
        before.equipment_id == dated.equipment_id, before.valid_from <= today
    )
    return select(dated.equipment_id).where(dated.valid_from > today, ~begun.exists())


def _months(connection: Connection) -> Iterator[int]:
    """The months that there is evidence of, ``YYYYMM``, and those between."""
    months = evidence_month.c.month
    first = connection.scalar(select(func.min(months)))
    last = connection.scalar(select(func.max(months)))  # apart: each is a look at one key
    while first is not None and last is not None and first <= last:
        yield first
        first += 1 if first % 100 < _DECEMBER else 100 - _DECEMBER + 1


def alike(number: str, known: Iterable[str]) -> str | None:
    """The one number that is probably meant by another; None: there is none, or several. Pure.

    Digits must be the same, zeros in front of them aside: ``CNC-1001`` is no ``CNC-1002``. Letters
    may be similar: ``1#注塑机`` is ``注塑机01号``.

    Args:
        number: which a gateway sends.
        known: numbers of the ledger under which nothing ever came.
    """
    digits, letters = _parts(number)
    same = {one: parts[1] for one in known if (parts := _parts(one))[0] == digits}
    meant = [one for one, theirs in same.items() if theirs == letters]
    if not meant and digits:
        meant = [one for one, theirs in same.items() if _ratio(theirs, letters) >= _CLOSE]
    return meant[0] if len(meant) == 1 else None


def _parts(number: str) -> tuple[tuple[int, ...], str]:
    """The digits and the letters of a number, without signs, case and width."""
    narrow = unicodedata.normalize("NFKC", number).casefold()
    letters = "".join(one for one in narrow if one.isalpha())
    return tuple(map(int, _DIGITS.findall(narrow))), letters


def _ratio(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()
