"""Whether the day maps that figures rest on are still what was stored."""

import zlib
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection, select

from gateway.city.db.schema.daymaps import day_map, evidence_taking
from gateway.city.erasing.standing import erased_ms
from gateway.city.rates.daymaps.maps import BEGINNING, link, root


class Broken(NamedTuple):
    """What is not as it was stored.

    Attributes:
        month: ``YYYY-MM``.
        taking: number of the taking.
        uscc: enterprise of the map; empty: the root of the month.
        what: the sentence that says so.
    """

    month: str
    taking: int
    uscc: str
    what: str


def verify(connection: Connection) -> Iterator[Broken]:
    """Recompute every digest and root, and name what is not as it was stored.

    Whoever changes a map, or takes one out, breaks its digest, the next one of its enterprise,
    or the month's root; only who has a printed root can tell that all of them were made anew.
    """
    erased = erased_ms(connection)
    ends: dict[str, str] = defaultdict(lambda: BEGINNING)
    digests: dict[tuple[str, bool], dict[str, list[tuple[int, str]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    rows = select(day_map).order_by(day_map.c.id).execution_options(yield_per=1000)
    for row in connection.execute(rows):
        if row.previous != ends[row.uscc]:
            yield Broken(row.month, row.taking, row.uscc, "does not follow the map before it")
        was_erased = not row.body and row.uscc in erased  # its digest stays, and holds the chain
        if not was_erased and _digest(row.month, row.uscc, row.body, row.previous) != row.digest:
            yield Broken(row.month, row.taking, row.uscc, "was changed since it was stored")
        ends[row.uscc] = row.digest
        digests[row.month, row.synthetic][row.uscc].append((row.taking, row.digest))
    for one in connection.execute(select(evidence_taking).order_by(evidence_taking.c.month)):
        held = {
            uscc: max(upto)[1]
            for uscc, links in digests[one.month, one.synthetic].items()
            if (upto := [link for link in links if link[0] <= one.number])
        }
        if root(held) != one.root:
            yield Broken(one.month, one.number, "", "the root is not that of the month's maps")


def _digest(month: str, uscc: str, deflated: bytes, previous: str) -> str | None:
    """The digest that a map should have; None: it cannot even be read."""
    try:
        return link(month, uscc, zlib.decompress(deflated), previous).digest
    except zlib.error:
        return None
