"""The tags of a machine, and where the store keeps their values."""

from collections.abc import Collection
from dataclasses import dataclass

from gateway.city.console.live.places import Place
from gateway.city.ingest.layout import series_of
from gateway.city.ledger.names import MachineName
from gateway.city.live.newest import LiveValue
from gateway.city.stores.api import Point, Series
from gateway.core.schema import Schema, Tag


@dataclass(frozen=True, slots=True)
class MachineTag:
    """A tag of a machine, the group it is read with, and where its values are."""

    tag: Tag
    group: str
    series: Series

    def value(self, point: Point) -> LiveValue:
        """A value of the store, dressed as one that was heard."""
        tag = self.tag
        return LiveValue(
            point.value,
            point.time_ms,
            tag.unit,
            tag.label_zh or tag.name,
            tag.label_en or tag.name,
            tag.role,
            self.group,
            point.status,
        )


def machine_tags(names: Collection[MachineName], place: Place, schema: Schema) -> list[MachineTag]:
    """The tags of one machine in a schema.

    Args:
        names: keys of the names that the machine may have there.
        place: where the schema comes from.
        schema: the schema.
    """
    own = {
        position: series_of(place.gateway, schema, position)
        for position, one in enumerate(schema.equipment)
        if MachineName(one.uscc, one.site_no, one.asset_no).key in names
    }
    return [
        MachineTag(tag, schema.group, own[tag.equipment])
        for tag in schema.tags
        if tag.equipment in own
    ]
