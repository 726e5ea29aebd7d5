"""What the city's database knows of the machines that sheets name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from gateway.city.db.schema.identifiers import identifier
from gateway.city.db.tables import enterprise, equipment
from gateway.city.identifiers.issuing import Issuing, tokens_of
from gateway.city.identifiers.progress.standing import NAMED, Standing, standing, with_progress
from gateway.city.ledger.machines import find
from gateway.city.ledger.names import MachineName
from gateway.core.days import day_of
from gateway.relational.database import chunks


@dataclass(frozen=True, slots=True)
class HeldMachine:
    """A machine of the ledger.

    Attributes:
        id: its key.
        name: as the ledger calls it today.
        standing: how far it is.
        prefix: what identifiers of its enterprise begin with; empty: it has no code.
        handle: its identifier, confirmed or not; empty: none.
        preview: what one would look like, without its number.
    """

    id: int
    name: MachineName
    standing: Standing
    prefix: str
    handle: str
    preview: str

    @property
    def shown(self) -> str:
        """Its identifier, if a node has confirmed it."""
        return self.handle if self.is_confirmed else ""

    @property
    def is_confirmed(self) -> bool:
        """Whether a node has confirmed its identifier."""
        return self.standing in NAMED


def machines_of(
    connection: Connection, names: Iterable[MachineName], rules: Issuing, now_ms: int
) -> dict[MachineName, HeldMachine]:
    """Machines of the ledger by the names that sheets have for them; others are left out."""
    found = find(connection, names, day_of(now_ms))
    held = {}
    for part in chunks(set(found.values())):
        own = _described(rules, now_ms).where(equipment.c.id.in_(part))
        held.update({row.id: _machine(row, rules, now_ms) for row in connection.execute(own)})
    return {name: held[machine] for name, machine in found.items() if machine in held}


def _described(rules: Issuing, now_ms: int) -> Any:
    columns = (enterprise.c.county, enterprise.c.identifier_code, identifier.c.handle)
    at = standing(rules.review_ms, now_ms).label("standing")
    query = select(equipment, *columns, identifier.c.registered_ms, at)
    return with_progress(query)


def _machine(row: Row[Any], rules: Issuing, now_ms: int) -> HeldMachine:
    prefix = f"{rules.prefix}.{row.identifier_code}" if row.identifier_code else ""
    at = Standing(row.standing)
    # The node may refuse a change of an identifier that it has confirmed.
    if at is Standing.REFUSED and row.registered_ms:
        at = Standing.CONFIRMED
    return HeldMachine(
        row.id,
        MachineName(row.uscc, row.site_no, row.asset_no),
        at,
        prefix,
        row.handle or "",
        f"{prefix}/{rules.pattern.preview(tokens_of(row, now_ms))}" if prefix else "",
    )


def owners_of(connection: Connection, codes: Iterable[str]) -> Mapping[str, MachineName]:
    """The machines that have identifiers, by the identifier's key."""
    columns = (equipment.c.uscc, equipment.c.site_no, equipment.c.asset_no)
    query = select(identifier.c.handle_key, *columns).join_from(
        identifier, equipment, equipment.c.id == identifier.c.equipment_id
    )
    keys = sorted({one.upper() for one in codes})  # as Handle.key, of what may be no handle
    return {
        row.handle_key: MachineName(row.uscc, row.site_no, row.asset_no)
        for part in chunks(keys)
        for row in connection.execute(query.where(identifier.c.handle_key.in_(part)))
    }
