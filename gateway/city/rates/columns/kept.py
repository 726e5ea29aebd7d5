"""The machines of a large ledger, kept by who computes again and again.

To read a million machines takes most of the time of a month; a day brings evidence of all of them,
and few changes of the ledger.
"""

from dataclasses import replace
from datetime import date

import numpy as np
from sqlalchemy import Connection

from gateway.city.ledger.changes import latest_change
from gateway.city.rates.columns.ledger import Ledger, read_ledger
from gateway.city.rates.columns.progress import Progress, unreported

KEPT_FROM = 50_000
"""Machines; a smaller ledger is read at once."""


class KeptLedger:
    """Reads as :func:`read_ledger` does, and anew only when the ledger has changed."""

    def __init__(self, kept_from: int = KEPT_FROM) -> None:
        self._from = kept_from
        self._held: tuple[int, Ledger] | None = None
        self._since: tuple[date, Ledger] | None = None

    def __call__(
        self,
        connection: Connection,
        since: date,
        uscc: str | None = None,
        progress: Progress = unreported,
    ) -> Ledger:
        """The machines of the ledger on the connection's snapshot, or of one enterprise."""
        if uscc is not None:
            return read_ledger(connection, since, uscc, progress)
        change = latest_change(connection)
        if self._held is None or self._held[0] != change:
            whole = read_ledger(connection, date.min, None, progress)
            self._held = (change, whole) if len(whole.ids) >= self._from else None
            self._since = None
        else:
            whole = self._held[1]
        if self._since is None or self._since[0] != since:
            days = whole.commissioned
            shown = replace(whole, commissioned=np.where(days < since.toordinal(), 0, days))
            self._since = (since, shown)
        return self._since[1]
