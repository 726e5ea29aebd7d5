"""Which gateway and device speak for which machine: read from the schemas in the database."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, select

from gateway.city.db.tables import tag_schema
from gateway.city.ledger.names import MachineName
from gateway.city.registry.schemas import Key, Use, in_use
from gateway.core.schema import Equipment, Schema, decode_schema
from gateway.relational.database import chunks


class Place(NamedTuple):
    """A schema that speaks for a machine."""

    gateway: str
    schema: str
    device: str
    synthetic: bool


class _Outline(msgspec.Struct, frozen=True):
    """What the index needs of a schema; its tags are left alone."""

    device: str
    group: str
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
        self._in_use: set[Key] = set()
        self.uses: Mapping[Key, Use] = {}

    def of(self, machine: MachineName) -> frozenset[Place]:
        """Who speaks for a machine."""
        return frozenset(self._places.get(machine.uscc, {}).get(machine.key, ()))

    def all(self, uscc: str | None = None) -> Iterable[tuple[MachineName, set[Place]]]:
        """Machines, by the keys of their names, with their places: of one enterprise, or all."""
        chosen = self._places.values() if uscc is None else (self._places.get(uscc, {}),)
        for machines in chosen:
            yield from machines.items()

    def speaks(self, place: Place) -> bool:
        """Whether a schema is the newest of its group, and not one from before a change."""
        return (place.gateway, place.schema) in self._in_use

    def update(self, new: Mapping[Key, bytes], uses: Mapping[Key, Use]) -> None:
        """Follow the database.

        Args:
            new: schemas that are not known yet.
            uses: of all schemas; others are forgotten.
        """
        for key in self.uses.keys() - uses.keys():
            for machine, place in _named(key, self._outlines.pop(key)):
                self._places[machine.uscc][machine].discard(place)
        for key, body in new.items():
            self._outlines[key] = _decode(body)
            for machine, place in _named(key, self._outlines[key]):
                self._places.setdefault(machine.uscc, {}).setdefault(machine, set()).add(place)
        if uses != self.uses:
            self.uses = uses
            known = ((key, self._outlines[key]) for key in uses)
            self._in_use = in_use((key, (one.device, one.group), uses[key]) for key, one in known)


def _named(key: Key, outline: _Outline) -> Iterable[tuple[MachineName, Place]]:
    place = Place(*key, outline.device, outline.synthetic)
    return [
        (MachineName(one.uscc, one.site_no, one.asset_no).key, place) for one in outline.equipment
    ]


def difference(
    connection: Connection, known: AbstractSet[Key]
) -> tuple[dict[Key, bytes], dict[Key, Use]]:
    """Schemas that an index lacks, and the uses of all that there are."""
    columns = tag_schema.c
    used = select(columns.gateway, columns.id, columns.used_on, columns.received_ms)
    held = {(row.gateway, row.id): Use(*row[2:]) for row in connection.execute(used)}
    lacking = sorted(held.keys() - known)
    new: dict[Key, bytes] = {}
    for part in chunks(lacking):
        names = {gateway_id for gateway_id, _ in part}
        query = select(columns.gateway, columns.id, columns.body)
        for row in connection.execute(query.where(columns.gateway.in_(names))):
            if (row.gateway, row.id) in held and (row.gateway, row.id) not in known:
                new[row.gateway, row.id] = row.body
    return new, held


def schemas(connection: Connection, places: Iterable[Place]) -> list[tuple[Place, Schema]]:
    """The schemas of places whole; those revoked meanwhile are left out."""
    found = []
    for place in places:
        key = (tag_schema.c.gateway == place.gateway) & (tag_schema.c.id == place.schema)
        body = connection.execute(select(tag_schema.c.body).where(key)).scalar()
        if body is not None:
            found.append((place, decode_schema(body)))
    return found
