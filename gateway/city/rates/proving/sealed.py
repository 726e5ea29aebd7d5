"""What of a machine's month is fixed: the enterprise's digest, the month's root, the jobs."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, select

from gateway.city.db.schema.daymaps import day_map, evidence_taking
from gateway.city.rates.frozen.jobs import Job, jobs_of


class Sealed(NamedTuple):
    """What the day maps of a published month say of an enterprise's evidence.

    Attributes:
        taking: number of the newest taking of the month.
        taken_ms: when it was taken, UTC milliseconds.
        digest: of the enterprise's map; empty: none of its machines had data.
        root: of the month.
    """

    taking: int
    taken_ms: int
    digest: str
    root: str


class Computed(NamedTuple):
    """The newest result of a month in which a machine is counted, or is not.

    Attributes:
        vintage: its number.
        job: by which it was computed.
    """

    vintage: int
    job: Job


def sealed_of(
    connection: Connection, uscc: str, month: str, *, demonstration: bool
) -> Sealed | None:
    """What is sealed of an enterprise's month; None: no rate of it is stored.

    Args:
        connection: the city's database.
        uscc: of the enterprise.
        month: ``YYYY-MM``.
        demonstration: synthetic evidence counts too.
    """
    taking, maps = evidence_taking.c, day_map.c
    query = select(taking.number, taking.taken_ms, taking.root).where(
        taking.month == month, taking.synthetic.is_(demonstration)
    )
    newest = connection.execute(query.order_by(taking.number.desc()).limit(1)).first()
    if newest is None:
        return None
    own = select(maps.digest).where(
        maps.uscc == uscc, maps.month == month, maps.synthetic.is_(demonstration)
    )
    digest = connection.scalar(own.order_by(maps.id.desc()).limit(1))
    return Sealed(newest.number, newest.taken_ms, digest or "", newest.root)


def computed(
    connection: Connection, definitions: Iterable[str], month: str, *, names: bool
) -> Mapping[str, Computed]:
    """The newest results of a month, by definition; of those that are older than jobs none.

    Args:
        connection: the city's database.
        definitions: ids.
        month: ``YYYY-MM``.
        names: with the people who started them, whom only who sees the whole city is told.
    """
    found = {}
    for one in definitions:
        own = jobs_of(connection, one, names=names)
        newest = max((vintage for of_month, vintage in own if of_month == month), default=None)
        if newest is not None:
            found[one] = Computed(newest, own[month, newest])
    return found
