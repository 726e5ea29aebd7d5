"""What there is to erase of an enterprise, and what the certificate says of it afterwards."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from edge_config.models.city import CityConfig
from gateway.city.access import chain
from gateway.city.access.principal import Scope, ScopeKind
from gateway.city.db.schema.access import city_user
from gateway.city.db.schema.daymaps import day_map, evidence_taking
from gateway.city.db.tables import enterprise, gateway
from gateway.city.erasing import rows
from gateway.city.erasing.certificate import Certificate
from gateway.city.erasing.ledger import identifiers_of
from gateway.city.erasing.words import words
from gateway.city.rates.daymaps.verifying import verify
from gateway.city.stores.api import Store
from gateway.core.days import SHANGHAI
from gateway.relational.database import Database


class ErasureError(Exception):
    """An enterprise cannot be erased; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Found:
    """What there is to erase.

    Attributes:
        name: of the enterprise.
        rows: to delete or to blank, by table.
        values: in the time-series store, by measurement.
        gateways: their ids.
        users: names of users who see nothing but this enterprise.
        identifiers: that will be withdrawn.
    """

    name: str
    rows: Mapping[str, int]
    values: Mapping[str, int]
    gateways: Sequence[str]
    users: Sequence[str]
    identifiers: int


async def look(database: Database, store: Store, uscc: str) -> Found:
    """What there is to erase of an enterprise.

    Raises:
        ErasureError: the ledger has no such enterprise.
        StoreError: the store does not answer.
    """
    return await database.read(_found, uscc, await store.held(uscc))


def _found(connection: Connection, uscc: str, values: Mapping[str, int]) -> Found:
    name = connection.scalar(select(enterprise.c.name).where(enterprise.c.uscc == uscc))
    if name is None:
        raise ErasureError(f"the ledger has no enterprise {uscc}; look at 'qulink ledger list'")
    users = _users_of(connection, uscc)
    gateways = connection.scalars(
        select(gateway.c.id).where(gateway.c.uscc == uscc).order_by(gateway.c.id)
    ).all()
    counted = rows.counts(connection, uscc, users)
    return Found(name, counted, values, gateways, users, len(identifiers_of(connection, uscc)))


def _users_of(connection: Connection, uscc: str) -> list[str]:
    own = str(Scope(ScopeKind.ENTERPRISES, frozenset({uscc})))
    query = select(city_user.c.name).where(city_user.c.scope == own).order_by(city_user.c.name)
    return list(connection.scalars(query))


def chains(connection: Connection, uscc: str) -> dict[str, Any]:
    """What the chains end with, and whether they hold."""
    own = select(day_map.c.digest).where(day_map.c.uscc == uscc).order_by(day_map.c.id.desc())
    takings = select(
        evidence_taking.c.month, evidence_taking.c.number, evidence_taking.c.root
    ).order_by(evidence_taking.c.month, evidence_taking.c.synthetic, evidence_taking.c.number)
    audited = chain.verify(connection)
    return {
        "evidence_of_enterprise": connection.scalar(own.limit(1)),
        "evidence_roots": [" ".join(map(str, row)) for row in connection.execute(takings)],
        "evidence_breaks": [
            f"{one.month} {one.taking} {one.uscc}: {one.what}" for one in verify(connection)
        ],
        "audit_digest": audited.digest,
        "audit_breaks_at": audited.broken,
    }


def told(
    connection: Connection, begun: Row[Any], after: Found, config: CityConfig, now_ms: int
) -> Certificate:
    """The certificate of an erasure, not signed yet.

    Raises:
        ErasureError: there is something again.
    """
    before = json.loads(begun.before)
    left = {name: count for name, count in after.rows.items() if count}
    if left:
        raise ErasureError(
            f"rows of {begun.uscc} came back meanwhile ({left}): something goes on writing them; "
            "stop it and run the command again, which goes on where this one ends"
        )
    return {
        "number": begun.id,
        "city": {"region": config.city.region, "name": config.city.name_zh},
        "enterprise": {"uscc": begun.uscc, "name": before["name"]},
        "reason": begun.reason,
        "document": begun.document,
        "made_by": begun.made_by,
        "begun": _moment(begun.begun_ms),
        "finished": _moment(now_ms),
        "values": _both(before["values"], after.values),
        "rows": _both(before["rows"], after.rows),
        "gateways": before["gateways"],
        "users": len(before["users"]),
        "identifiers_withdrawn": before["identifiers"],
        "chains": {"before": before["chains"], "after": chains(connection, begun.uscc)},
        "kept": words()["kept"],
        "store": {"type": config.store.type, **words()["stores"][config.store.type]},
        "late": words()["late"],
        "beside": words()["beside"],
        "backups": words()["backups"],
    }


def _both(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, dict[str, int]]:
    names = sorted({*before, *after})
    return {name: {"before": before.get(name, 0), "after": after.get(name, 0)} for name in names}


def _moment(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms // 1000, SHANGHAI).isoformat()
