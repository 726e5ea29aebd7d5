"""A sample that is kept from its drawing on, so that its machines can be entered one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from gateway.city.access.audit import Action, note
from gateway.city.access.principal import Principal, Scope
from gateway.city.access.scoping import owned
from gateway.city.db.schema.checking.samples import (
    sample_draw,
    sample_draw_machine,
    sample_entry,
)
from gateway.city.db.schema.declared import sample_look
from gateway.city.db.tables import enterprise
from gateway.city.rates.sampling.design import SampleError
from gateway.city.rates.sampling.drawing import Drawn
from gateway.city.rates.sampling.looks import Sampled, conclude
from gateway.city.rates.sampling.sheet import Seen, is_contradiction
from gateway.relational.database import alone

LOCK = "sample"
PHOTO = 200


class EntryError(Exception):
    """An entry is refused; ``key`` says why: outdated, over, contradiction, long."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True)
class Begun:
    """A sample that was drawn.

    Attributes:
        number: of it.
        sample: what was drawn, by which seed.
        drawn_ms: when, UTC milliseconds.
        made_by: who drew it.
        machines: how many there are.
        entered: of how many there is an entry.
        look: number of the look that ended it; None: it goes on.
    """

    number: int
    sample: Sampled
    drawn_ms: int
    made_by: str
    machines: int
    entered: int
    look: int | None


@dataclass(frozen=True, slots=True)
class Entered:
    """What somebody entered of a machine last.

    Attributes:
        id: of the entry.
        found, connected, photo: as of :class:`~gateway.city.rates.sampling.sheet.Seen`.
        at_ms: UTC milliseconds.
        made_by: who.
    """

    id: int
    found: bool
    connected: bool
    photo: str
    at_ms: int
    made_by: str


@dataclass(frozen=True, slots=True)
class Place:
    """A machine of a sample.

    Attributes:
        place: from 1, in the order of drawing.
        drawn: the machine.
        entry: the newest; None: there is none yet.
    """

    place: int
    drawn: Drawn
    entry: Entered | None


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be entered.

    Attributes:
        place: of the machine.
        basis: id of the entry that who enters it has seen; 0: none.
        found, connected, photo: what was seen.
    """

    place: int
    basis: int
    found: bool
    connected: bool
    photo: str


def begin(
    connection: Connection, sample: Sampled, drawn: Sequence[Drawn], now_ms: int, made_by: str
) -> int:
    """Keep a sample as it was drawn; gives its number."""
    row = {name: getattr(sample, name) for name in Sampled.__dataclass_fields__}
    row |= {"drawn_ms": now_ms, "made_by": made_by[:100]}
    own = insert(sample_draw).values(row).returning(sample_draw.c.id)
    number = int(connection.execute(own).scalar_one())
    names = ("draw", "uscc", "site_no", "asset_no", "name", "expected")
    machines = [
        {"sample_id": number, "place": place} | {name: getattr(one, name) for name in names}
        for place, one in enumerate(drawn, 1)
    ]
    connection.execute(insert(sample_draw_machine), machines)
    note(connection, now_ms, made_by, Action.SAMPLE_DRAWN, sample.month, f"sample {number}")
    return number


def begun(connection: Connection, scope: Scope, *, synthetic: bool) -> list[Begun]:
    """The samples that were drawn, the last one first; machines are counted of a scope."""
    query = select(sample_draw).where(sample_draw.c.synthetic.is_(synthetic))
    rows = connection.execute(query.order_by(sample_draw.c.id.desc())).all()
    return [_begun(connection, row, scope) for row in rows]


def begun_one(
    connection: Connection, scope: Scope, number: int, *, synthetic: bool
) -> tuple[Begun, list[Place]] | None:
    """A sample and its machines of a scope; None: there is none."""
    query = select(sample_draw).where(sample_draw.c.synthetic.is_(synthetic))
    row = connection.execute(query.where(sample_draw.c.id == number)).one_or_none()
    if row is None:
        return None
    return _begun(connection, row, scope), places(connection, scope, number)


def _begun(connection: Connection, row: Row[Any], scope: Scope) -> Begun:
    known = places(connection, scope, row.id)
    look = connection.scalar(select(sample_look.c.id).where(sample_look.c.sample_id == row.id))
    sample = Sampled(*(getattr(row, name) for name in Sampled.__dataclass_fields__))
    entered = sum(one.entry is not None for one in known)
    return Begun(row.id, sample, row.drawn_ms, row.made_by, len(known), entered, look)


def places(connection: Connection, scope: Scope, number: int) -> list[Place]:
    """The machines of a sample that somebody sees, with what was entered of them."""
    machine, entry = sample_draw_machine.c, sample_entry
    newest = select(func.max(entry.c.id)).where(entry.c.sample_id == number)
    rows = connection.execute(select(entry).where(entry.c.id.in_(newest.group_by(entry.c.place))))
    entered = {
        row.place: Entered(row.id, row.found, row.connected, row.photo, row.at_ms, row.made_by)
        for row in rows
    }
    query = (
        select(sample_draw_machine, enterprise.c.name.label("enterprise"))
        .outerjoin(enterprise, enterprise.c.uscc == machine.uscc)
        .where(machine.sample_id == number, owned(machine.uscc, scope))
        .order_by(machine.place)
    )
    return [
        Place(
            row.place,
            Drawn(
                row.draw, row.uscc, row.enterprise or "", row.site_no, row.asset_no, row.name,
                row.expected,
            ),
            entered.get(row.place),
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def enter(
    connection: Connection, by: Principal, number: int, one: Entry, now_ms: int, *, synthetic: bool
) -> bool:
    """Write down what was seen of a machine. False: who enters it sees no such machine.

    Args:
        connection: the city's database, in a transaction that has read nothing yet.
        by: who enters it.
        number: of the sample.
        one: what was seen.
        now_ms: UTC milliseconds.
        synthetic: of a demonstration.

    Raises:
        EntryError: it contradicts itself, the sample has ended, or somebody else was quicker.
    """
    alone(connection, LOCK)
    found = begun_one(connection, by.scope, number, synthetic=synthetic)
    place = next((place for place in found[1] if place.place == one.place), None) if found else None
    if found is None or place is None:
        return False
    if found[0].look is not None:
        raise EntryError("over")
    if is_contradiction(found=one.found, connected=one.connected):
        raise EntryError("contradiction")
    photo = " ".join(one.photo.split())
    if len(photo) > PHOTO:
        raise EntryError("long")
    if one.basis != (place.entry.id if place.entry else 0):
        raise EntryError("outdated")
    row = {"sample_id": number, "place": one.place, "found": one.found, "photo": photo}
    row |= {"connected": one.connected, "at_ms": now_ms, "made_by": by.name[:100]}
    connection.execute(insert(sample_entry).values(row))
    return True


def end(
    connection: Connection, by: Principal, number: int, note_text: str, now_ms: int, *,
    synthetic: bool,
) -> int | None:  # fmt: skip
    """End a sample by a look at all its machines; gives the number of the look.

    Returns:
        None: who ends it sees no such sample, or not all of its machines.

    Raises:
        EntryError: it has ended.
        SampleError: machines that were not entered.
    """
    alone(connection, LOCK)
    found = begun_one(connection, by.scope, number, synthetic=synthetic)
    if found is None or not by.scope.is_whole:
        return None
    sample, known = found
    if sample.look is not None:
        raise EntryError("over")
    seen = [_seen(one.drawn, one.entry) for one in known if one.entry is not None]
    if len(seen) < len(known):
        raise SampleError(f"machines that were not entered yet: {len(known) - len(seen)}")
    return conclude(connection, sample.sample, seen, now_ms, by.name, note_text, number)[0]


def _seen(one: Drawn, entry: Entered) -> Seen:
    return Seen(
        one.draw, one.uscc, one.site_no, one.asset_no, one.expected, entry.found, entry.connected,
        entry.photo,
    )  # fmt: skip
