"""Templates, and who sees which of their items."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select, update

from gateway.identifier.node.keeping.tables import template
from gateway.identifier.visibility import FIELD, Seen
from gateway.relational.upsert import insert_for

Json = dict[str, Any]


def find(connection: Connection, prefix: str, version: str) -> Json | None:
    """A template's body; None: there is none."""
    found = connection.scalar(_one(select(template.c.body), prefix, version))
    return None if found is None else json.loads(found)


def seen_of(connection: Connection, prefix: str, version: str) -> str:
    """Who sees which item, as :func:`visibility.hidden` reads it."""
    return connection.scalar(_one(select(template.c.seen), prefix, version)) or ""


def _one(query: Any, prefix: str, version: str) -> Any:
    return query.where(template.c.prefix == prefix.upper(), template.c.version == version)


def put(connection: Connection, body: Json, visibility: Mapping[str, Seen]) -> None:
    """Create or replace a template.

    Args:
        connection: of the node's database.
        body: as of the SNMS interface, with ``visibility`` of items.
        visibility: of items that say nothing of it, by ``idType``.
    """
    row = {"prefix": body["prefix"].upper(), "version": body["version"]}
    content = {"body": json.dumps(body), "seen": _seen(body, visibility)}
    statement = insert_for(connection, template).values(row | content)
    keys = [template.c.prefix, template.c.version]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=content))


def refresh(connection: Connection, visibility: Mapping[str, Seen]) -> None:
    """Bring what templates do not say themselves to what it is now."""
    of = template.c
    for prefix, version, body, seen in connection.execute(
        select(of.prefix, of.version, of.body, of.seen)
    ).all():
        now = _seen(json.loads(body), visibility)
        if now != seen:
            change = update(template).where(of.prefix == prefix, of.version == version)
            connection.execute(change.values(seen=now))


def _seen(body: Json, visibility: Mapping[str, Seen]) -> str:
    told = {
        str(item["idIndex"]): item.get(FIELD) or visibility.get(item["idType"], Seen.ENTERPRISE)
        for item in body["items"]
    }
    return json.dumps(told)
