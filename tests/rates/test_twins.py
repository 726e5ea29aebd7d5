"""One physical unit under two asset numbers counts once; who has values of its own counts, too."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, insert

from gateway.city.db.tables import gateway, tag_schema
from gateway.city.ledger.names import MachineName
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.period import period_of
from gateway.city.rates.reasons import Reason
from gateway.city.rates.reports.drilldown import machine_facts
from gateway.city.rates.tallies import tallies_of
from gateway.city.registry.twins import Reading, Twin, twins_of
from gateway.core.days import day_start_ms
from gateway.core.schema import Equipment, Kind, Schema, Tag, encode_schema
from gateway.relational.database import Database
from gateway.wire.messages import DeviceState, State, encode_message
from tests.support.city_db import USCCS, add_days, add_enterprise, add_machine

TODAY = date(2026, 11, 20)
FIRST = TODAY.replace(day=1)
NOW_MS = day_start_ms(TODAY) + 43_200_000
DAY_MS = 86_400_000


def reading(asset_no: str, *addresses: str, unit: str = "u", **changes: object) -> Reading:
    machine = MachineName(USCCS[0], "1", asset_no)
    known = frozenset((unit, one.encode()) for one in addresses)
    facts = Reading("gw", asset_no.lower(), machine, NOW_MS - DAY_MS, TODAY, True, True, known)
    return facts._replace(**changes)


def pairs(*readings: Reading) -> set[tuple[str, str, bool]]:
    found: Sequence[Twin] = list(twins_of(readings, FIRST, TODAY))
    return {(one.machine.asset_no, one.first.asset_no, one.is_certain) for one in found}


ADDRESSES = st.frozensets(st.sampled_from("abcd"), min_size=1)


@given(ADDRESSES, ADDRESSES, st.booleans(), st.booleans())
def test_the_later_is_a_twin_if_it_has_nothing_of_its_own(
    first: frozenset[str], later: frozenset[str], is_one_unit: bool, is_reversed: bool
) -> None:
    one = reading("A-1", *first, received_ms=NOW_MS - 2 * DAY_MS)
    two = reading("A-2", *later, unit="u" if is_one_unit else "v")
    expected = {("A-2", "A-1", True)} if is_one_unit and later <= first else set()
    assert pairs(*((two, one) if is_reversed else (one, two))) == expected


@given(st.permutations([reading(f"A-{at}", "a", "b") for at in range(4)]))
def test_of_several_all_but_one_are_twins_in_any_order(readings: list[Reading]) -> None:
    assert {later for later, _, _ in pairs(*readings)} == {"A-1", "A-2", "A-3"}


def test_groups_of_a_machine_are_taken_together() -> None:
    fast, slow = reading("A-1", "a"), reading("A-1", "b")
    assert pairs(fast, slow, reading("A-2", "b", "a")) == {("A-2", "A-1", True)}
    assert pairs(fast, reading("A-2", "a"), reading("A-2", "b")) == set()


@pytest.mark.parametrize(
    "changes",
    [
        {"machine": MachineName(USCCS[0], "2", "A-1")},  # a site has a network of its own
        {"machine": MachineName(USCCS[1], "1", "A-1")},
        {"machine": MachineName(USCCS[0], "1", "a-2")},  # another spelling of the same number
        {"is_newest": False},  # the device has the other number now
        {"device": "a-2"},  # which had this number, and groups that it has no more
        {"is_configured": False},  # it was taken out, and another device has its place
        {"is_configured": None, "used_on": TODAY - timedelta(days=1)},  # nor does anybody say so
        {"addresses": None},  # an edge that tells no unit
    ],
)
def test_it_is_no_twin_of(changes: dict[str, object]) -> None:
    first = reading("A-1", "a", received_ms=NOW_MS - 2 * DAY_MS)
    assert pairs(first, reading("A-2", "a")) == {("A-2", "A-1", True)}
    assert pairs(first._replace(**changes), reading("A-2", "a")) == set()


def test_who_had_a_unit_of_its_own_within_the_month_counts() -> None:
    first = reading("A-1", "a", received_ms=0)
    before = reading("A-2", "a", unit="v", is_newest=False, received_ms=1)
    assert pairs(first, reading("A-2", "a"), before) == set()
    assert pairs(first, reading("A-2", "a"), before._replace(addresses=None)) == set()
    long_ago = before._replace(used_on=FIRST - timedelta(days=1))
    assert pairs(first, reading("A-2", "a"), long_ago) == {("A-2", "A-1", True)}


def test_two_gateways_may_each_have_a_network_of_their_own() -> None:
    other = reading("A-2", "a", gateway="gw-2")
    assert pairs(reading("A-1", "a", received_ms=0), other) == {("A-2", "A-1", False)}


def test_while_a_gateway_is_away_days_beside_each_other_tell() -> None:
    away = {"is_configured": None, "received_ms": 0}
    later = reading("A-2", "a", is_configured=None, received_ms=NOW_MS - 3 * DAY_MS)
    assert pairs(reading("A-1", "a", **away), later) == {("A-2", "A-1", True)}


def add_gateway(connection: Connection, reads: dict[str, tuple[bytes, bytes]]) -> None:
    """A gateway with one device a machine: unit and address of its only tag."""
    state = encode_message(State(online=True, devices={name: DeviceState("up") for name in reads}))
    row = {"id": "gw", "uscc": USCCS[0], "site_no": "1", "enrolled_ms": 0, "partition": 0}
    connection.execute(insert(gateway), [row | {"state": state.decode()}])
    for at, (name, (unit, address)) in enumerate(reads.items()):
        machine, tags = (Equipment(USCCS[0], "1", name),), (Tag("speed", Kind.FLOAT32),)
        schema = Schema(
            name, "g", "p", "controller", False, machine, tags, 1000, unit * 8, address * 4
        )
        values = {"gateway": "gw", "id": f"{schema.id:016x}", "device": name}
        values |= {"body": encode_schema(schema), "unit": schema.unit_key}
        connection.execute(insert(tag_schema), [values | {"received_ms": at, "used_on": TODAY}])


def plant(connection: Connection, **statuses: str) -> None:
    """A-1, A-2 and A-4 read one unit, A-4 another address of it; A-3 a unit of its own."""
    add_enterprise(connection, USCCS[0])
    for name in ("A-1", "A-2", "A-3", "A-4"):
        history = [(date(2020, 1, 1), statuses.get(f"m{name[-1]}", "in_use"))]
        machine = add_machine(connection, USCCS[0], name, history=history)
        days = [FIRST + timedelta(days=at) for at in range(TODAY.day)]
        add_days(connection, machine, days)
    units = {"A-1": (b"u", b"a"), "A-2": (b"u", b"a"), "A-3": (b"v", b"a"), "A-4": (b"u", b"b")}
    add_gateway(connection, units)


def verdicts(database: Database) -> dict[str, Reason]:
    found = database.read_now(machine_facts, "ENR-A", None, NOW_MS, demonstration=False)
    return {one.asset_no: one.reason for one in found}


def test_a_unit_counts_once_and_both_numbers_stay_in_the_denominator(database: Database) -> None:
    database.run_now(plant)
    counted = dict.fromkeys(("A-1", "A-3", "A-4"), Reason.NETWORKED)
    assert verdicts(database) == counted | {"A-2": Reason.SAME_UNIT}
    inquiry = Inquiry(
        builtin_definitions()["ENR-A"], period_of(None, NOW_MS, None), NOW_MS, demonstration=False
    )
    (((one,), _),) = database.read_now(tallies_of, [inquiry])
    assert (one.networked, one.equipment) == (3, 4)
    (why,) = [
        one.why
        for one in database.read_now(
            machine_facts, "ENR-A", None, NOW_MS, demonstration=False, uscc=USCCS[0]
        )
        if one.reason is Reason.SAME_UNIT
    ]
    assert why.en.startswith("same unit as A-1")
    assert why.zh.startswith("与 A-1 为同一单元")


def test_a_number_that_does_not_count_takes_the_unit_from_nobody(database: Database) -> None:
    database.run_now(plant, m1="scrapped")
    assert verdicts(database)["A-1"] is Reason.SCRAPPED
    assert verdicts(database)["A-2"] is Reason.NETWORKED
