"""Compares what the product says of a scripted month with what the oracle says."""

from collections.abc import Iterator
from datetime import date

from sqlalchemy import Connection

from gateway.city.app import City
from gateway.city.ledger.names import MachineName
from gateway.city.rates.cells.cell import Cell
from gateway.city.rates.proving.proof import proof_of
from gateway.city.rates.reports.drilldown import MachineVerdict, machine_facts
from gateway.city.rates.reports.months import rate_month
from gateway.city.rates.reports.table import RateMonth
from tests.scripted.oracle import RATES, Counted, Machine, Oracle, Part
from tests.scripted.story import SITE, Story

SHOWN = 5
"""Machines of a difference that are named."""


def differences(story: Story, city: City, oracle: Oracle, name: str, now_ms: int) -> list[str]:
    """What differs of one rate: cells first, then the machines and days that make it so."""
    return city.database.read_now(_differences, story, city, oracle, name, now_ms)


def _differences(
    connection: Connection, story: Story, city: City, oracle: Oracle, name: str, now_ms: int
) -> list[str]:
    answering = frozenset(MachineName(uscc, SITE, number) for uscc, number in story.answering)
    month = rate_month(
        connection, name, story.month, now_ms,
        demonstration=False, answering=answering, definitions=city.definitions,
    )  # fmt: skip
    counted = oracle.count(name)
    found = list(_cells(month, counted))
    if RATES[name].asks == "ledger":
        return found
    verdicts = machine_facts(
        connection, name, story.month, now_ms,
        demonstration=False, answering=answering, definitions=city.definitions,
    )  # fmt: skip
    wrong = [one for one in verdicts if _said(one) != _counted(counted, one)]
    found += [_machine(connection, story, city, oracle, name, now_ms, one) for one in wrong[:SHOWN]]
    known = {(one.uscc, one.asset_no) for one in verdicts}
    return found + [f"{name}: unlike machines {one}" for one in known ^ counted.verdicts.keys()]


def _cells(month: RateMonth, counted: Counted) -> Iterator[str]:
    for dimension, parts in counted.parts.items():
        cells = month.cells[dimension]
        for key in sorted(cells.keys() | parts.keys()):
            if key not in cells or key not in parts or _figures(cells[key]) != parts[key]:
                told = f"{cells.get(key)}, the count {parts.get(key)}"
                yield f"{month.definition.id} {dimension} {key}: product {told}"


def _figures(one: Cell) -> Part:
    return Part(one.networked, one.equipment, one.enterprises, one.pooled, one.mean)


def _said(one: MachineVerdict) -> tuple[bool, bool, str]:
    return one.reason.counted, one.reason.networked, str(one.reason)


def _counted(counted: Counted, one: MachineVerdict) -> tuple[bool, bool, str] | None:
    verdict = counted.verdicts.get((one.uscc, one.asset_no))
    return verdict and verdict[:3]


def _machine(
    connection: Connection, story: Story, city: City, oracle: Oracle, name: str, now_ms: int,
    one: MachineVerdict,
) -> str:  # fmt: skip
    """One machine that is judged otherwise, and the first day on which they part."""
    machine = next(m for m in oracle.machines if (m.uscc, m.asset_no) == (one.uscc, one.asset_no))
    ours = oracle.verdict(RATES[name], machine)
    day = _parting(connection, story, city, oracle, now_ms, machine)
    product = f"{one.reason}, {one.valid_days} of {one.service_days} days"
    return (
        f"{name} {one.asset_no} of {story.names[one.uscc]}: product {product}; "
        f"the count {ours.why}, {ours.days}; they part on {day or 'no day: a rule differs'}"
    )


def _parting(
    connection: Connection, story: Story, city: City, oracle: Oracle, now_ms: int, machine: Machine
) -> date | None:
    proof = proof_of(
        connection, f"{machine.uscc}/{SITE}/{machine.asset_no}", story.month, now_ms,
        demonstration=False, headline=city.definitions["ENR-A"], definitions={},
    )  # fmt: skip
    shown = {
        one.day: (
            one.service,
            any(s.good_hours and s.source == "controller" and not s.synthetic for s in one.sources),
        )
        for one in proof.days
    }
    for day, service, valid in oracle.history(RATES["ENR-A"], machine):
        if shown.get(day) != (service, valid):
            return day
    return None
