"""Behind which devices a machine was on some days, and when these gave nothing of it.

A gap names a device, and perhaps a group and tags; which of them are a machine's own, the schemas
of the gateways say, and the counters of its edges. A device whose counters never came – it was
silent all month – is known by its schema alone.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, or_, select

from gateway.city.db import monthly
from gateway.city.db.tables import gap, gateway, machine_books, tag_schema
from gateway.city.ledger.machines import find
from gateway.city.ledger.names import MachineName
from gateway.city.registry.schemas import Use, in_use
from gateway.core.days import DAY_MS, day_start_ms
from gateway.core.schema import Schema, decode_schema

Device = tuple[str, str]
"""Gateway, and device within it."""
Tags = Mapping[str, frozenset[str]]
"""Names of a machine's tags, by group of a device."""


class Gap(NamedTuple):
    """An interval without data.

    Attributes:
        cause: code of the reason.
        from_ms: beginning, UTC milliseconds.
        to_ms: end; None while it lasts.
    """

    cause: str
    from_ms: int
    to_ms: int | None


@dataclass(frozen=True, slots=True)
class Behind:
    """Where a machine was read on some days.

    Attributes:
        devices: with the machine's tags by group; empty tags: the group is of other machines.
            Without any group: only the counters name the device.
    """

    devices: Mapping[Device, Tags] = field(default_factory=dict)

    @property
    def points(self) -> int:
        """How many different points of the machine are known."""
        return sum(len(tags) for groups in self.devices.values() for tags in groups.values())

    def concerns(self, name: str, device: str, group: str, tags: Collection[str]) -> bool:
        """Whether a gap is one of the machine.

        Args:
            name: gateway.
            device: empty: the gateway as a whole.
            group: empty: all groups of the device.
            tags: names; empty: all of the group.
        """
        if not device:
            return any(known == name for known, _ in self.devices)
        groups = self.devices.get((name, device))
        if groups is None:
            return False
        if not group or group not in groups:  # of a group that never sent a value nobody knows
            return True
        own = groups[group]
        return bool(own) if not tags else not own.isdisjoint(tags)


def behind(
    connection: Connection, machine_id: int, machine: MachineName, days: Sequence[date]
) -> Behind:
    """Where a machine was read on some days, as far as anything committed says.

    Args:
        connection: the city's database.
        machine_id: its id.
        machine: as the ledger names it now; who else bore the name is told apart by the day.
        days: in order, at least one.
    """
    devices: dict[Device, dict[str, frozenset[str]]] = {
        device: {} for device in _counted(connection, machine_id, days)
    }
    schemas = _schemas(connection, _gateways(connection, machine_id, machine.uscc, days), days)
    names = {_name(one) for _, schema in schemas for one in schema.equipment}
    mine = _meant(connection, machine_id, names, days)
    groups: dict[Device, dict[str, frozenset[str]]] = defaultdict(dict)
    for name, schema in schemas:
        of_group, tags = groups[name, schema.device], _tags(schema, mine)
        of_group[schema.group] = of_group.get(schema.group, frozenset()) | tags
    for device, known in groups.items():
        if device in devices or any(known.values()):
            devices[device] = known
    return Behind(devices)


def _gateways(
    connection: Connection, machine_id: int, uscc: str, days: Sequence[date]
) -> frozenset[str]:
    """Those of the enterprise, and those that sent something of the machine."""
    columns = monthly.between(connection, days[0], days[-1]).c
    sent = select(columns.gateway).where(
        columns.machine_id == machine_id, columns.day.between(days[0], days[-1])
    )
    own = select(gateway.c.id).where(gateway.c.uscc == uscc)
    return frozenset(connection.scalars(own)) | frozenset(connection.scalars(sent))


def _counted(connection: Connection, machine_id: int, days: Sequence[date]) -> list[Device]:
    books = machine_books.c
    query = select(books.gateway, books.device).where(
        books.machine_id == machine_id, books.day.between(days[0], days[-1])
    )
    return [(name, device) for name, device in connection.execute(query.distinct())]


def _schemas(
    connection: Connection, gateways: Collection[str], days: Sequence[date]
) -> list[tuple[str, Schema]]:
    """Those that spoke for a device on one of the days, each with its gateway."""
    query = select(tag_schema).where(
        tag_schema.c.gateway.in_(gateways),
        tag_schema.c.received_ms < day_start_ms(days[-1]) + DAY_MS,
    )
    read = [(row, decode_schema(row.body)) for row in connection.execute(query)]
    newest = in_use(
        ((row.gateway, row.id), (one.device, one.group), Use(row.used_on, row.received_ms))
        for row, one in read
    )
    return [
        (row.gateway, one)
        for row, one in read
        if row.used_on >= days[0] or (row.gateway, row.id) in newest
    ]


def _meant(
    connection: Connection, machine_id: int, names: set[MachineName], days: Sequence[date]
) -> set[MachineName]:
    """Which of the names meant the machine, on the first of the days or on the last."""
    return {
        name
        for day in {days[0], days[-1]}
        for name, number in find(connection, names, day).items()
        if number == machine_id
    }


def _tags(schema: Schema, mine: Collection[MachineName]) -> frozenset[str]:
    own = {at for at, one in enumerate(schema.equipment) if _name(one) in mine}
    return frozenset(tag.name for tag in schema.tags if tag.equipment in own)


def _name(one: Any) -> MachineName:
    return MachineName(one.uscc, one.site_no, one.asset_no)


def gaps_of(connection: Connection, place: Behind, days: Sequence[date]) -> list[Gap]:
    """Gaps that concern a machine on some days, in order of their beginnings."""
    columns, span = gap.c, (day_start_ms(days[0]), day_start_ms(days[-1]) + DAY_MS)
    query = select(
        columns.gateway, columns.device, columns.tag_group, columns.tags,
        columns.cause, columns.from_ms, columns.to_ms,
    ).where(
        columns.gateway.in_({name for name, _ in place.devices}),
        columns.device.in_({"", *(device for _, device in place.devices)}),
        columns.from_ms < span[1],
        or_(columns.to_ms.is_(None), columns.to_ms > span[0]),
    )  # fmt: skip
    return list(_concerned(connection.execute(query.order_by(columns.from_ms)), place))


def _concerned(rows: Iterable[Row[Any]], place: Behind) -> Iterator[Gap]:
    for row in rows:
        if place.concerns(row.gateway, row.device, row.tag_group, _TAGS.decode(row.tags)):
            yield Gap(row.cause, row.from_ms, row.to_ms)


_TAGS = msgspec.json.Decoder(list[str])


def by_cause(gaps: Iterable[Gap], start_ms: int, now_ms: int) -> dict[str, int]:
    """How long each cause lasted on a day, in milliseconds; what overlaps counts once.

    Args:
        gaps: in order of their beginnings.
        start_ms: beginning of the day, UTC milliseconds.
        now_ms: gaps that last have lasted until then.
    """
    end_ms, lengths, upto = min(start_ms + DAY_MS, now_ms), dict[str, int](), dict[str, int]()
    for cause, from_ms, to_ms in gaps:
        begins = max(from_ms, start_ms, upto.get(cause, start_ms))
        ends = end_ms if to_ms is None else min(to_ms, end_ms)
        if ends > begins:
            lengths[cause] = lengths.get(cause, 0) + ends - begins
            upto[cause] = ends
    return lengths
