"""Which gateway and device speak for which machine: read from the schemas in the database."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, select

from gateway.city.db.database import chunks
from gateway.city.db.tables import tag_schema
from gateway.city.ledger.names import MachineName
from gateway.core.schema import Equipment, Schema, decode_schema

Key = tuple[str, str]
"""Gateway and id of a schema, as the database holds them."""


class Place(NamedTuple):
    """A schema that speaks for a machine."""

    gateway: str
    schema: str
    device: str
    synthetic: bool


class _Outline(msgspec.Struct, frozen=True):
    """What the index needs of a schema; its tags are left alone."""

    device: str
    synthetic: bool
    equipment: tuple[Equipment, ...]


_decode = msgspec.msgpack.Decoder(_Outline).decode


class Places:
    """An index of the machines that gateways have named; a schema never changes.

    Names are compared by their keys, so that a machine is found however its edge writes it.
    """

    def __init__(self) -> None:
        self._outlines: dict[Key, _Outline] = {}
        self._places: dict[str, dict[MachineName, set[Place]]] = {}
        self.keys: frozenset[Key] = frozenset()

    def of(self, machine: MachineName) -> frozenset[Place]:
        """Who speaks for a machine."""
        return frozenset(self._places.get(machine.uscc, {}).get(machine.key, ()))

    def all(self, uscc: str | None = None) -> Iterable[tuple[MachineName, set[Place]]]:
        """Machines, by the keys of their names, with their places: of one enterprise, or all."""
        chosen = self._places.values() if uscc is None else (self._places.get(uscc, {}),)
        for machines in chosen:
            yield from machines.items()

    def update(self, new: Mapping[Key, bytes], gone: Iterable[Key]) -> None:
        """Add schemas, and forget those that the database holds no more."""
        for key in gone:
            for machine, place in _named(key, self._outlines.pop(key)):
                self._places[machine.uscc][machine].discard(place)
        for key, body in new.items():
            self._outlines[key] = _decode(body)
            for machine, place in _named(key, self._outlines[key]):
                self._places.setdefault(machine.uscc, {}).setdefault(machine, set()).add(place)
        if new or gone:
            self.keys = frozenset(self._outlines)


def _named(key: Key, outline: _Outline) -> Iterable[tuple[MachineName, Place]]:
    place = Place(*key, outline.device, outline.synthetic)
    return [
        (MachineName(one.uscc, one.site_no, one.asset_no).key, place) for one in outline.equipment
    ]


def difference(
    connection: Connection, known: frozenset[Key]
) -> tuple[dict[Key, bytes], frozenset[Key]]:
    """Schemas that an index lacks, and those in it that are gone."""
    columns = tag_schema.c
    held = {
        (row.gateway, row.id) for row in connection.execute(select(columns.gateway, columns.id))
    }
    lacking = sorted(held - known)
    new: dict[Key, bytes] = {}
    for part in chunks(lacking):
        names = {gateway_id for gateway_id, _ in part}
        query = select(columns.gateway, columns.id, columns.body)
        for row in connection.execute(query.where(columns.gateway.in_(names))):
            if (row.gateway, row.id) not in known:
                new[row.gateway, row.id] = row.body
    return new, known - held


def schemas(connection: Connection, places: Iterable[Place]) -> list[tuple[Place, Schema]]:
    """The schemas of places whole; those revoked meanwhile are left out."""
    found = []
    for place in places:
        key = (tag_schema.c.gateway == place.gateway) & (tag_schema.c.id == place.schema)
        body = connection.execute(select(tag_schema.c.body).where(key)).scalar()
        if body is not None:
            found.append((place, decode_schema(body)))
    return found
