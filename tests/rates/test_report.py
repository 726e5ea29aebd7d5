"""Rates from ledger and evidence, on SQLite and PostgreSQL."""

import asyncio
from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from gateway.city.db.operation import begin
from gateway.city.db.schema.rates import rate_result
from gateway.city.db.tables import (
    enterprise,
    evidence,
    gateway,
    ledger_verification,
    roster_member,
    tag_schema,
)
from gateway.city.rates.definitions import DefinitionError, builtin_definitions
from gateway.city.rates.frozen import freezing, schedule
from gateway.city.rates.frozen.freezing import due, freeze_month
from gateway.city.rates.frozen.results import Correction
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.model import Continuity
from gateway.city.rates.period import MonthError
from gateway.city.rates.publishing.operational import rate_table
from gateway.city.rates.reasons import Reason
from gateway.city.rates.reports.answering import answering_now
from gateway.city.rates.reports.drilldown import machine_facts
from gateway.city.rates.reports.table import RateTable
from gateway.city.rates.tallies import NotComputableError
from gateway.core.days import day_start_ms
from gateway.core.schema import Equipment, Kind, Schema, Tag, encode_schema
from gateway.relational.database import Database
from gateway.wire.messages import DeviceState, State, encode_message
from tests.support.city_db import (
    USCCS,
    add_days,
    add_enterprise,
    add_machine,
    change_evidence,
    days_between,
)
from tests.support.records import EVERY_DAY

NOON = 12 * 3_600_000
OCTOBER = days_between(date(2026, 10, 1), date(2026, 10, 31))
NOVEMBER_3 = day_start_ms(date(2026, 11, 3)) + NOON
NOVEMBER_6 = day_start_ms(date(2026, 11, 6)) + NOON
NOVEMBER_21 = day_start_ms(date(2026, 11, 21)) + NOON

PLANTS = ((20, 18), (4, 1), (5, 1), (3, 0), (4, 1))
"""Machines and networked ones of five enterprises."""


def fill_city(connection: Connection) -> None:
    begin(connection, OCTOBER[0])
    places = ("330822", "330822", "330881", "330803", "330803")
    industries = ("3451", "2032", "2032", "2223", "3451")
    for uscc, county, industry, (size, networked) in zip(
        USCCS, places, industries, PLANTS, strict=True
    ):
        add_enterprise(connection, uscc, county=county, industry=industry)
        for number in range(size):
            machine = add_machine(connection, uscc, f"A{number:03d}")
            add_days(connection, machine, OCTOBER if number < networked else ())


def table(database: Database, **changes: object) -> RateTable:
    wanted: dict[str, object] = {
        "definition_id": "ENR-A",
        "month": "2026-10",
        "by": "county",
        "now_ms": NOVEMBER_3,
        "demonstration": False,
    }
    return database.run_now(rate_table, **(wanted | changes))  # type: ignore[arg-type]


def reason_of(database: Database, definition: str = "ENR-A", **changes: object) -> Reason:
    wanted: dict[str, object] = {
        "month": "2026-10",
        "now_ms": NOVEMBER_3,
        "demonstration": False,
    }
    (only,) = database.run_now(machine_facts, definition, **(wanted | changes))  # type: ignore[arg-type]
    assert only.why.zh
    assert only.why.en
    return only.reason


def test_pooled_and_mean_by_every_dimension(database: Database) -> None:
    database.run_now(fill_city)
    result = table(database)
    assert (result.city.networked, result.city.equipment, result.city.enterprises) == (21, 36, 5)
    assert result.city.pooled == Fraction(2100, 36)
    assert result.city.mean == sum((Fraction(100 * k, n) for n, k in PLANTS), Fraction(0)) / 5
    assert [(one.key, one.name.zh, one.networked, one.equipment) for one in result.cells] == [
        ("330803", "衢江区", 1, 7),
        ("330822", "常山县", 19, 24),
        ("330881", "江山市", 1, 5),
    ]
    industries = table(database, by="industry").cells
    assert [(one.key, one.networked, one.equipment) for one in industries] == [
        ("2032", 2, 9),
        ("2223", 0, 3),
        ("3451", 19, 24),
    ]
    enterprises = {one.key: one for one in table(database, by="enterprise").cells}
    assert {key: (one.equipment, one.networked) for key, one in enterprises.items()} == dict(
        zip(USCCS, PLANTS, strict=True)
    )
    assert (enterprises[USCCS[0]].name.zh, result.status) == ("虚构企业15W", "P")


def test_enr_b_scores_enterprises_by_bands(database: Database) -> None:
    database.run_now(fill_city)
    cells = {one.key: one for one in table(database, definition_id="ENR-B", by="enterprise").cells}
    assert [cells[uscc].score for uscc in USCCS] == [6, 3, Fraction(3, 2), 0, 3]


def test_an_enterprise_in_scope_without_machines_is_shown_without_a_rate(
    database: Database,
) -> None:
    database.run_now(add_enterprise, USCCS[0])
    result = table(database, by="enterprise")
    assert [(one.key, one.equipment, one.pooled) for one in result.cells] == [(USCCS[0], 0, None)]
    assert (result.city.pooled, result.city.mean) == (None, None)


def one_machine(
    connection: Connection,
    days: list[date],
    source: str = "controller",
    synthetic: bool = False,
    **machine: object,
) -> None:
    add_enterprise(connection, USCCS[0])
    key = add_machine(connection, USCCS[0], "A1", **machine)
    add_days(connection, key, days, source=source, synthetic=synthetic)


def test_eighty_per_cent_of_days_and_alive_in_the_last_week(database: Database) -> None:
    database.run_now(one_machine, OCTOBER[6:])  # 25 of 31
    assert reason_of(database, definitions=EVERY_DAY) is Reason.NETWORKED
    database.run_now(change_evidence, delete(evidence).where(evidence.c.day == OCTOBER[6]))
    assert reason_of(database, definitions=EVERY_DAY) is Reason.TOO_FEW_DAYS


def test_silent_for_more_than_seven_days_at_the_end(database: Database) -> None:
    half = {"continuity": Continuity(percent_of_days=50, within_days=7)}
    definitions = {"HALF": EVERY_DAY["ENR-A"].model_copy(update=half | {"id": "HALF"})}
    database.run_now(one_machine, OCTOBER[:24])
    assert reason_of(database, "HALF", definitions=definitions) is Reason.NETWORKED
    last = evidence.c.day == OCTOBER[23]
    database.run_now(change_evidence, delete(evidence).where(last))
    assert reason_of(database, "HALF", definitions=definitions) is Reason.SILENT_AT_END


def test_machines_come_in_order_of_their_numbers(database: Database) -> None:
    database.run_now(one_machine, OCTOBER)
    database.run_now(
        lambda c: add_machine(c, USCCS[0], "A0", history=[(date(2026, 10, 1), "in_use")])
    )
    facts = database.run_now(
        machine_facts, "ENR-A", "2026-10", NOVEMBER_3, demonstration=False, uscc=USCCS[0]
    )
    assert [one.asset_no for one in facts] == ["A0", "A1"]


def test_days_out_of_service_are_on_neither_side(database: Database) -> None:
    history = [
        (date(2020, 1, 1), "in_use"),
        (date(2026, 10, 6), "idle"),
        (date(2026, 10, 26), "in_use"),
    ]
    # in service on 1–5 and 26–31; evidence on nine of these eleven days and on idle days
    days = [*OCTOBER[:5], *OCTOBER[10:14], *OCTOBER[27:31]]
    database.run_now(one_machine, days, history=history)
    how = {"demonstration": False, "definitions": EVERY_DAY}
    (fact,) = database.run_now(machine_facts, "ENR-A", "2026-10", NOVEMBER_3, **how)
    assert (fact.service_days, fact.valid_days, fact.reason) == (11, 9, Reason.NETWORKED)


def test_days_under_seal_are_no_silence(database: Database) -> None:
    history = [
        (date(2020, 1, 1), "in_use"),
        (date(2026, 10, 20), "sealed"),
        (date(2026, 10, 31), "in_use"),
    ]
    # 19 of its 20 days in service, the last of them twelve days before the end of the month
    database.run_now(one_machine, OCTOBER[:19], history=history)
    assert reason_of(database) is Reason.NETWORKED


@pytest.mark.parametrize(
    ("history", "reason"),
    [
        ([(date(2020, 1, 1), "in_use"), (date(2026, 10, 31), "scrapped")], Reason.SCRAPPED),
        ([(date(2020, 1, 1), "in_use"), (date(2026, 11, 1), "scrapped")], Reason.NETWORKED),
        ([(date(2026, 11, 1), "in_use")], Reason.NOT_IN_SERVICE),
        ([], Reason.NOT_IN_SERVICE),
        ([(date(2020, 1, 1), "idle"), (date(2026, 10, 31), "standby")], Reason.NETWORKED),
    ],
)
def test_the_status_of_the_last_day_decides(
    database: Database, history: list[tuple[date, str]], reason: Reason
) -> None:
    old = date(2020, 1, 1)
    database.run_now(one_machine, OCTOBER, history=history, commissioned_on=old)
    assert reason_of(database, definitions=EVERY_DAY) is reason


def test_a_new_machine_counts_from_the_next_month(database: Database) -> None:
    november = days_between(date(2026, 11, 1), date(2026, 11, 20))
    start = date(2026, 10, 15)
    database.run_now(
        one_machine, [*OCTOBER[14:], *november], commissioned_on=start, history=[(start, "in_use")]
    )
    assert reason_of(database) is Reason.NEWLY_COMMISSIONED
    assert reason_of(database, month="2026-11", now_ms=NOVEMBER_21) is Reason.NETWORKED


def test_today_counts_only_when_it_has_evidence(database: Database) -> None:
    days = days_between(date(2026, 11, 1), date(2026, 11, 4))
    database.run_now(one_machine, days)
    now = day_start_ms(date(2026, 11, 5)) + NOON

    how = {"demonstration": False, "definitions": EVERY_DAY}

    def fact() -> tuple[int, int]:
        (one,) = database.run_now(machine_facts, "ENR-A", None, now, **how)
        return one.service_days, one.valid_days

    assert fact() == (4, 4)
    database.run_now(lambda c: add_days(c, 1, [date(2026, 11, 5)]))
    assert fact() == (5, 5)


def test_a_sensor_is_level_one_only(database: Database) -> None:
    database.run_now(one_machine, OCTOBER, source="sensor")
    assert reason_of(database) is Reason.SENSOR_ONLY
    database.run_now(lambda c: add_days(c, 1, OCTOBER))
    assert reason_of(database) is Reason.NETWORKED


def test_synthetic_evidence_counts_in_a_demonstration_only(database: Database) -> None:
    database.run_now(one_machine, OCTOBER, synthetic=True)
    assert reason_of(database) is Reason.NO_EVIDENCE
    assert reason_of(database, demonstration=True) is Reason.NETWORKED


def test_the_roster_is_dated(database: Database) -> None:
    database.run_now(one_machine, OCTOBER)
    leave = update(roster_member).values(valid_to=date(2026, 10, 31))
    database.run_now(lambda c: c.execute(leave))
    assert reason_of(database) is Reason.OUT_OF_SCOPE
    assert reason_of(database, definition="ENR-B") is Reason.NETWORKED
    september = day_start_ms(date(2026, 9, 30)) + NOON
    assert reason_of(database, month="2026-09", now_ms=september) is Reason.NO_EVIDENCE


def test_a_ledger_is_verified_as_of_the_day_and_stays_so_when_renewed(
    database: Database,
) -> None:
    database.run_now(one_machine, OCTOBER)
    renewed = update(enterprise).values(ledger_verified_on=date(2026, 11, 2))
    database.run_now(lambda c: c.execute(renewed))
    assert reason_of(database) is Reason.LEDGER_UNVERIFIED
    first = {"uscc": USCCS[0], "verified_on": date(2026, 1, 1), "verified_by": "张三"}
    database.run_now(lambda c: c.execute(insert(ledger_verification), [first]))
    assert reason_of(database) is Reason.NETWORKED


def test_coverage_counts_enterprises(database: Database) -> None:
    database.run_now(fill_city)
    database.run_now(
        lambda c: c.execute(
            update(enterprise)
            .where(enterprise.c.uscc == USCCS[3])
            .values(ledger_verified_on=None, ledger_verified_by=None)
        )
    )
    result = table(database, definition_id="COV")
    assert (result.city.networked, result.city.equipment) == (4, 5)
    assert result.city.pooled == result.city.mean == 80


def test_onl_counts_machines_that_answer_now(database: Database) -> None:
    database.run_now(fill_city)
    answering = frozenset({(USCCS[0], "1", "A000"), (USCCS[0], "1", "A019")})
    result = table(database, definition_id="ONL", month=None, answering=answering)
    assert (result.city.networked, result.city.equipment) == (1, 21)
    with pytest.raises(NotComputableError, match="ONL is instantaneous"):
        table(database, definition_id="ONL")


def test_answering_is_read_from_gateways_and_their_schemas(database: Database) -> None:
    database.run_now(add_enterprise, USCCS[0])
    links = {"d1": DeviceState("up"), "d2": DeviceState("down", "timeout")}

    def fill(connection: Connection) -> None:
        row = {"uscc": USCCS[0], "site_no": "1", "enrolled_ms": 0, "last_seen_ms": 99_000}
        row["partition"] = 0
        for name, online, synthetic in (
            ("gw-1", True, False),
            ("gw-2", False, False),
            ("gw-3", True, True),
        ):
            state = encode_message(State(online=online, devices=links)).decode()
            connection.execute(insert(gateway), [row | {"id": name, "state": state}])
            for device in links:
                machine = Equipment(USCCS[0], "1", f"{name}-{device}")
                tags = (Tag("speed", Kind.FLOAT32),)
                schema = Schema(device, "g", "p", "controller", synthetic, (machine,), tags, 1000)
                connection.execute(
                    insert(tag_schema),
                    [
                        {
                            "gateway": name,
                            "id": f"{schema.id:016x}",
                            "device": device,
                            "body": encode_schema(schema),
                            "received_ms": 0,
                            "used_on": date(2025, 1, 1),
                        }
                    ],
                )

    database.run_now(fill)

    def machines(now_ms: int, *, demonstration: bool = False) -> set[str]:
        found = database.run_now(answering_now, now_ms, 5_000, demonstration=demonstration)
        return {asset_no for _, _, asset_no in found}

    assert machines(100_000) == {"gw-1-d1"}
    assert machines(100_000, demonstration=True) == {"gw-1-d1", "gw-3-d1"}
    assert machines(200_000) == set()


def test_months_are_checked(database: Database) -> None:
    for wrong in ("2026-13", "2026-1", "2026", "2026-10-01"):
        with pytest.raises(MonthError, match="is no month"):
            table(database, month=wrong)
    with pytest.raises(MonthError, match="has not begun"):
        table(database, month="2026-12")
    with pytest.raises(DefinitionError, match="there are ENR-A, ENR-B, ENR-C"):
        table(database, definition_id="ENR-X")


def test_a_frozen_month_does_not_change_and_a_correction_is_a_new_vintage(
    database: Database,
) -> None:
    database.run_now(fill_city)

    late = Correction("late_data", "网关断网三天后补传", "李四")

    def freeze(now_ms: int, correction: Correction | None = None) -> object:
        stored = freeze_month(
            database,
            "ENR-A",
            "2026-10",
            now_ms,
            demonstration=False,
            correction=correction,
        )
        return stored and (stored.vintage, stored.status)

    assert freeze(NOVEMBER_3) is None
    assert freeze(NOVEMBER_6) == (1, "P")
    assert freeze(NOVEMBER_6) is None
    fresh = table(database, now_ms=NOVEMBER_21)
    assert freeze(NOVEMBER_21) == (2, "F")
    assert freeze(NOVEMBER_21) is None
    database.run_now(change_evidence, delete(evidence).where(evidence.c.machine_id != 1))
    for by in ("county", "industry", "enterprise"):
        frozen = table(database, now_ms=NOVEMBER_21, by=by)
        assert (frozen.status, frozen.vintage) == ("F", 2)
        assert frozen.city == fresh.city
    assert table(database, now_ms=NOVEMBER_21).cells == fresh.cells
    assert table(database, now_ms=NOVEMBER_21).correction is None
    assert freeze(NOVEMBER_21, correction=late) == (3, "F")
    corrected = table(database, now_ms=NOVEMBER_21)
    assert (corrected.city.networked, corrected.vintage, corrected.correction) == (1, 3, late)


def test_late_data_count_until_the_month_is_final(database: Database) -> None:
    how = {"demonstration": False, "definitions": EVERY_DAY}
    database.run_now(one_machine, OCTOBER[10:])  # 21 of 31
    freeze_month(database, "ENR-A", "2026-10", NOVEMBER_6, **how)
    assert table(database, now_ms=NOVEMBER_6, **how).city.networked == 0
    database.run_now(lambda c: add_days(c, 1, OCTOBER[:10]))
    assert table(database, now_ms=NOVEMBER_6, **how).city.networked == 1
    freeze_month(database, "ENR-A", "2026-10", NOVEMBER_21, **how)
    final = table(database, now_ms=NOVEMBER_21, **how)
    assert (final.vintage, final.status, final.city.networked) == (2, "F", 1)


def test_a_stored_month_names_the_version_it_was_computed_with(database: Database) -> None:
    database.run_now(fill_city)
    freeze_month(database, "ENR-A", "2026-10", NOVEMBER_21, demonstration=False)
    old = builtin_definitions()["ENR-A"]
    newer = old.model_copy(update={"version": old.version + 1, "decimals": 1})
    shown = table(database, now_ms=NOVEMBER_21, definitions={"ENR-A": newer})
    assert (shown.definition, shown.outdated) == (old, False)
    other = {rate_result.c.definition_hash: "0" * 64}
    database.run_now(lambda c: c.execute(update(rate_result).values(other)))
    strange = table(database, now_ms=NOVEMBER_21, definitions={"ENR-A": newer})
    assert (strange.definition_hash, strange.outdated) == ("0" * 64, True)


def test_the_definition_says_which_figure_leads(database: Database) -> None:
    database.run_now(fill_city)
    pooled, mean = table(database), table(database, definition_id="ENR-B")
    assert pooled.lead(pooled.city) == pooled.city.pooled != pooled.city.mean
    assert mean.lead(mean.city) == mean.city.mean != mean.city.pooled


def test_a_withdrawn_verification_takes_the_enterprise_out(database: Database) -> None:
    database.run_now(one_machine, OCTOBER)
    first = {"uscc": USCCS[0], "verified_on": date(2026, 1, 1), "verified_by": "张三"}
    database.run_now(lambda c: c.execute(insert(ledger_verification), [first]))
    assert reason_of(database) is Reason.NETWORKED
    withdrawn = update(enterprise).values(ledger_verified_on=None, ledger_verified_by=None)
    database.run_now(lambda c: c.execute(withdrawn))
    assert reason_of(database) is Reason.LEDGER_UNVERIFIED


STORED = set(builtin_definitions()) - {"ONL"}


async def freeze_all(database: Database) -> int:
    known = builtin_definitions()
    return await schedule.freeze_due(database, NOVEMBER_21, definitions=known, demonstration=False)


async def test_recomputing_an_old_month_reproduces_what_was_stored(database: Database) -> None:
    database.run_now(fill_city)
    assert set(database.run_now(due, NOVEMBER_21, demonstration=False)) == {
        (definition, "2026-10") for definition in STORED
    }
    assert await freeze_all(database) == len(STORED)
    assert database.run_now(due, NOVEMBER_21, demonstration=False) == []
    columns = [column for column in rate_result.c if column.name not in ("id", "vintage")]

    def rows(vintage: int) -> list[object]:
        query = select(*columns).where(
            rate_result.c.vintage == vintage, rate_result.c.definition == "ENR-A"
        )
        order = query.order_by(rate_result.c.dimension, rate_result.c.cell)
        return database.run_now(lambda c: [tuple(row) for row in c.execute(order)])

    again = Correction("error", "", "李四")
    freeze_month(database, "ENR-A", "2026-10", NOVEMBER_21, demonstration=False, correction=again)
    assert rows(1) == rows(2) != []


async def test_two_workers_freeze_a_month_once(database: Database) -> None:
    database.run_now(fill_city)
    counts = await asyncio.gather(*(freeze_all(database) for _ in range(3)))
    assert sum(counts) == len(STORED)
    vintages = select(rate_result.c.vintage).distinct()
    assert database.run_now(lambda c: list(c.scalars(vintages))) == [1]


async def test_ingest_writes_while_years_are_frozen(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two results the database is free; SQLite has one writer."""
    database.run_now(begin, OCTOBER[0])
    database.run_now(one_machine, OCTOBER)
    computed = freezing.tallies_of

    def slow(connection: Connection, inquiries: Sequence[Inquiry], **how: Any) -> object:
        database.run_now(
            lambda c: c.execute(update(enterprise).values(name=inquiries[0].period.month))
        )
        return computed(connection, inquiries, **how)

    monkeypatch.setattr(freezing, "tallies_of", slow)
    assert await freeze_all(database) == len(STORED)


def test_a_synthetic_result_is_never_shown_as_a_real_one(database: Database) -> None:
    database.run_now(one_machine, OCTOBER, synthetic=True)
    freeze_month(database, "ENR-A", "2026-10", NOVEMBER_21, demonstration=True)
    assert table(database, now_ms=NOVEMBER_21, demonstration=True).city.networked == 1
    real = table(database, now_ms=NOVEMBER_21)
    assert (real.vintage, real.city.networked) == (None, 0)
