"""Under which further names the ledger's renamed machines may still send."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import Connection, func, select

from gateway.city.db.tables import machine_alias
from gateway.city.ledger.machines import aliases, find
from gateway.city.ledger.names import MachineName

FormerNames = Mapping[MachineName, frozenset[MachineName]]
"""By the key of a machine's name: the keys of the names that it had before and still holds."""


class FormerNamesReader:
    """Reads them again only when a name has got another meaning, which few ever do."""

    def __init__(self) -> None:
        self._seen: tuple[int, date] | None = None
        self._names: FormerNames = {}

    def read(self, connection: Connection, today: date) -> FormerNames:
        """The former names of renamed machines."""
        revision = connection.scalar(select(func.max(machine_alias.c.revision))) or 0
        if self._seen != (revision, today):
            self._names = _former_names(connection, today)
            self._seen = revision, today
        return self._names


def _former_names(connection: Connection, today: date) -> FormerNames:
    changed = select(machine_alias.c.machine_id).where(machine_alias.c.revision > 0).distinct()
    rows = aliases(connection, connection.scalars(changed))
    names = {row: MachineName(row.uscc, row.site_no, row.asset_no).key for row in rows}
    # What was given to another machine since then is that machine's name.
    holders = find(connection, names.values(), today)
    held: dict[int, set[MachineName]] = {}
    for row, name in names.items():
        if holders[name] == row.machine_id:
            held.setdefault(row.machine_id, set()).add(name)
    return {name: frozenset(all_ - {name}) for all_ in held.values() for name in all_}
