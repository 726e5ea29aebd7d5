"""Draw the sample of a month."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, select

from gateway.city.db.schema.daymaps import evidence_taking
from gateway.city.db.tables import enterprise
from gateway.city.rates.model import Definition
from gateway.city.rates.reports.drilldown import MachineVerdict, machine_facts
from gateway.city.rates.reports.months import rate_month
from gateway.city.rates.sampling.design import SampleError, enterprises_drawn, machines_drawn


@dataclass(frozen=True, slots=True)
class Drawn:
    """One machine that somebody is to look for.

    Attributes:
        draw: number of the draw of its enterprise, from 1.
        uscc: of the enterprise.
        enterprise: its name.
        site_no: site.
        asset_no: number in the ledger.
        name: of the machine.
        expected: the month counts it as networked.
    """

    draw: int
    uscc: str
    enterprise: str
    site_no: str
    asset_no: str
    name: str
    expected: bool


def seed_of(connection: Connection, month: str, *, demonstration: bool) -> str:
    """The root of the first taking of a month's evidence: corrections do not change it.

    Raises:
        SampleError: no rate of the month is published yet.
    """
    columns = evidence_taking.c
    query = select(columns.root).where(
        columns.month == month, columns.synthetic.is_(demonstration), columns.number == 1
    )
    root = connection.scalar(query)
    if root is None:
        raise SampleError(
            f"no rate of {month} is published yet, and the digest of its evidence seeds the "
            "sample, so that nobody can choose it; draw it once the month is provisional (day 5)"
        )
    return str(root)


def draw(
    connection: Connection,
    month: str,
    draws: int,
    each: int,
    now_ms: int,
    *,
    demonstration: bool,
    definitions: Mapping[str, Definition],
    definition: str,
) -> list[Drawn]:
    """The machines that are to be looked for.

    Args:
        connection: the city's database, on one snapshot.
        month: ``YYYY-MM`` of which rates are published.
        draws: of enterprises.
        each: machines a draw.
        now_ms: UTC milliseconds.
        demonstration: synthetic evidence counts too.
        definitions: by id.
        definition: id of the one whose denominator is sampled.

    Raises:
        SampleError: no rate of the month is published, or there are too few machines.
        MonthError: there is no such month.
    """
    seed = seed_of(connection, month, demonstration=demonstration)
    of_month = partial(
        machine_facts, connection, definition, month, now_ms,
        demonstration=demonstration, definitions=definitions,
    )  # fmt: skip
    rate = rate_month(
        connection, definition, month, now_ms, demonstration=demonstration,
        definitions=definitions, dimensions=("enterprise",),
    )  # fmt: skip
    sizes = {uscc: cell.equipment for uscc, cell in rate.cells.get("enterprise", {}).items()}
    names = {row.uscc: row.name for row in connection.execute(select(enterprise))}
    return [
        one
        for number, uscc in enumerate(enterprises_drawn(sizes, draws, seed), 1)
        for one in _of_draw(number, uscc, names.get(uscc, ""), of_month(uscc=uscc), each, seed)
    ]


def _of_draw(
    number: int, uscc: str, name: str, facts: Iterable[MachineVerdict], each: int, seed: str
) -> Iterator[Drawn]:
    """The machines of one draw: some of those that the enterprise's rate counts."""
    counted = {one.equipment_id: one for one in facts if one.reason.counted}
    for machine in machines_drawn(list(counted), each, seed, number):
        one = counted[machine]
        yield Drawn(number, uscc, name, one.site_no, one.asset_no, one.name, one.reason.networked)
