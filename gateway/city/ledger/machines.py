"""From a machine's name to its id: the number that a day's name meant, for all that refer to it.

The first machine of a name has it since ever, and keeps it until another is given it: of the
aliases of a name, the newest that has begun by a day holds. So what a renamed machine still sends
under its old number is its own, until the ledger gives that number to another machine.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from sqlalchemy import Connection, Row, delete, func, insert, select

from gateway.city.db.tables import machine, machine_alias
from gateway.city.ledger.names import MachineName
from gateway.core.days import day_of
from gateway.relational.database import chunks, together
from gateway.relational.upsert import insert_for

SINCE_EVER = date(1970, 1, 1)
"""First day of the first machine of a name."""

Dated = tuple[MachineName, date]
"""A name as written, and the day of the data that bear it."""
_Meanings = tuple[tuple[date, int], ...]
"""Of one name: first day and machine, in order of the days."""


class MachineIds:
    """Resolves names to ids in bulk and remembers them; one an ingesting process.

    Several processes may work on one database: a name gets one id whoever comes first, and what
    an import changes elsewhere is noticed by the revision of the aliases. Not for several threads
    at once, and to be asked once a transaction: what that adds is remembered by the next.
    """

    def __init__(self) -> None:
        self._revision = -1
        self._known: dict[MachineName, _Meanings] = {}

    def resolve(
        self, connection: Connection, wanted: Iterable[Dated], now_ms: int
    ) -> dict[Dated, int]:
        """Ids of machines; one that was never named gets a new one.

        Args:
            connection: in a transaction.
            wanted: names with the days of their data.
            now_ms: UTC milliseconds.
        """
        together(connection, "names")  # what they mean must not change before they are written by
        self._forget_if_changed(connection)
        asked = {one: one[0].key for one in wanted}
        lacking = {key for key in asked.values() if key not in self._known}
        self._known |= _meanings(connection, lacking)
        known = self._known
        # Not into ``_known``: the transaction may still be rolled back, and the ids with it.
        if new := {key: name for (name, _), key in asked.items() if key not in self._known}:
            known = self._known | _named(connection, new, now_ms)
        return {one: _on(known[key], one[1]) for one, key in asked.items()}

    def _forget_if_changed(self, connection: Connection) -> None:
        newest = connection.scalar(select(func.max(machine_alias.c.revision))) or 0
        if newest != self._revision:
            self._known.clear()
            self._revision = newest


def find(
    connection: Connection, wanted: Iterable[MachineName], day: date
) -> dict[MachineName, int]:
    """Ids of those names that any machine bears or bore by a day; adds none."""
    keys = {name: name.key for name in wanted}
    known = _meanings(connection, set(keys.values()))
    return {name: _on(known[key], day) for name, key in keys.items() if key in known}


def find_or_name(
    connection: Connection, wanted: Iterable[MachineName], day: date, now_ms: int
) -> dict[MachineName, int]:
    """Ids of names on a day; a machine that was never named gets a new one."""
    found = MachineIds().resolve(connection, [(name, day) for name in wanted], now_ms)
    return {name: number for (name, _), number in found.items()}


def name_new(
    connection: Connection, names: Iterable[MachineName], now_ms: int
) -> dict[MachineName, int]:
    """Give ids to names that no machine bears; those that have one, or had it, keep it.

    Returns:
        The ids of all of them today.
    """
    together(connection, "names")
    keys, day = {name.key: name for name in names}, day_of(now_ms)
    named = _named(connection, keys, now_ms)
    return {name: _on(named[key], day) for key, name in keys.items()}


def aliases(connection: Connection, machines: Iterable[int]) -> Sequence[Row[tuple[object, ...]]]:
    """Every alias of some machines, in order of machine and first day."""
    columns = machine_alias.c
    query = select(machine_alias).order_by(columns.machine_id, columns.valid_from)
    return [
        row
        for part in chunks(machines)
        for row in connection.execute(query.where(columns.machine_id.in_(part)))
    ]


def is_named(connection: Connection, machine_id: int, name: MachineName) -> bool:
    """Whether a machine bears or ever bore a name.

    A name without a site is one of any site, but means nobody where several sites have it.
    """
    columns, key = machine_alias.c, name.key
    query = select(columns.machine_id).where(
        columns.uscc == key.uscc, columns.asset_key == key.asset_no
    )
    if key.site_no:
        held = connection.scalars(query.where(columns.site_key == key.site_no))
        return machine_id in set(held)
    return set(connection.scalars(query)) == {machine_id}


def _on(meanings: _Meanings, day: date) -> int:
    # Before its first alias a name means that alias's machine too.
    place = bisect_right(meanings, day, key=lambda one: one[0])
    return meanings[max(place - 1, 0)][1]


def _meanings(connection: Connection, keys: Iterable[MachineName]) -> dict[MachineName, _Meanings]:
    columns, found = machine_alias.c, defaultdict[MachineName, list[tuple[date, int]]](list)
    query = select(columns.asset_key, columns.valid_from, columns.machine_id).order_by(
        columns.valid_from
    )
    for (uscc, site_key), asset_keys in _by_site(keys).items():
        of_site = query.where(columns.uscc == uscc, columns.site_key == site_key)
        for part in chunks(asset_keys):
            for row in connection.execute(of_site.where(columns.asset_key.in_(part))):
                name = MachineName(uscc, site_key, row.asset_key)
                found[name].append((row.valid_from, row.machine_id))
    return {name: tuple(meanings) for name, meanings in found.items()}


def _by_site(keys: Iterable[MachineName]) -> Mapping[tuple[str, str], list[str]]:
    sites = defaultdict[tuple[str, str], list[str]](list)
    for uscc, site_key, asset_key in keys:
        sites[uscc, site_key].append(asset_key)
    return sites


def _named(
    connection: Connection, new: Mapping[MachineName, MachineName], now_ms: int
) -> dict[MachineName, _Meanings]:
    """Give ids to names, in the order of their keys so that workers cannot lock each other out.

    Where another worker was faster, its ids hold and ours are left unused.
    """
    rows = [{"named_ms": now_ms}] * len(new)
    ids = connection.scalars(insert(machine).returning(machine.c.id), rows).all()
    named = list(zip(sorted(new), ids, strict=True))
    entries = [alias_row(new[key], SINCE_EVER, number, 0) for key, number in named]
    add = insert_for(connection, machine_alias).on_conflict_do_nothing()
    added = connection.execute(add, entries, execution_options={"preserve_rowcount": True})
    # Looking for what was just written is spared where it can be: PostgreSQL knows too little of
    # a table that has grown within a transaction, and took 80 s to find 66,000 names.
    if added.rowcount == len(entries):
        return {key: ((SINCE_EVER, number),) for key, number in named}
    found = _meanings(connection, new)
    used = {number for meanings in found.values() for _, number in meanings}
    for part in chunks(number for number in ids if number not in used):
        connection.execute(delete(machine).where(machine.c.id.in_(part)))
    return found


def alias_row(name: MachineName, start: date, number: int, revision: int) -> dict[str, object]:
    """A row of ``machine_alias`` that has not ended."""
    return {
        "uscc": name.uscc,
        "site_key": name.key.site_no,
        "asset_key": name.key.asset_no,
        "valid_from": start,
        "machine_id": number,
        "site_no": name.site_no,
        "asset_no": name.asset_no,
        "revision": revision,
    }
