"""Why a machine is counted: the days of its month, as the command shows them."""

import json
import random
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, delete, event, insert, update

from gateway.city.db.schema.clock import doubted_evidence
from gateway.city.db.tables import evidence, gap, machine_books, tag_schema
from gateway.city.db.tables import gateway as gateway_table
from gateway.city.evidence.rows import write_days
from gateway.city.rates.proving.days import Mark, deciding
from gateway.city.rates.proving.proof import Proof, ProofError, proof_of
from gateway.city.rates.proving.raw import known_by
from gateway.city.rates.reasons import Reason
from gateway.cli.city.evidence.proof_output import known_json, print_known, print_proof, proof_json
from gateway.core.days import HOUR_MS, day_start_ms
from gateway.core.schema import Equipment, Kind, Schema, Tag, encode_schema
from gateway.relational.database import Database
from tests.support.city_db import (
    USCCS,
    add_days,
    add_enterprise,
    add_machine,
    by_hand,
    days_between,
    months_anew,
    raw_day,
)
from tests.support.records import EVERY_DAY

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
NOW = day_start_ms(date(2026, 11, 3))
NUMBER = "1#/磨床"
TEXT = f"{USCCS[0]}/1/{NUMBER}"
BUILT_IN = EVERY_DAY


def shown(database: Database, text: str = TEXT, month: str | None = "2026-10") -> Proof:
    return database.read_now(
        proof_of,
        text,
        month,
        NOW,
        demonstration=False,
        headline=BUILT_IN["ENR-A"],
        definitions=BUILT_IN,
    )


def fill(connection: Connection, *, undated: Sequence[date] = ()) -> None:
    """Sealed until the 10th, 20 days of data; a gap over midnight, two tags lack at one time."""
    add_enterprise(connection, USCCS[0])
    history = [(date(2020, 1, 1), "sealed"), (date(2026, 10, 11), "in_use")]
    machine = add_machine(
        connection,
        USCCS[0],
        NUMBER,
        history=history,
        undated=undated,
        commissioned_on=date(2020, 1, 1),
    )
    add_days(connection, machine, days_between(date(2026, 10, 11), date(2026, 10, 30)))
    by_hand(connection, update(evidence).values(good_hours=0b101, uncertain_hours=0b10))
    row: dict[str, Any] = {"id": "gw-1", "uscc": USCCS[0], "site_no": "1"}
    row |= {"partition": 0, "enrolled_ms": 0}
    connection.execute(insert(gateway_table).values(row))
    book = {"gateway": "gw-1", "device": "d", "machine_id": machine, "day": date(2026, 10, 12)}
    both = [book | {"epoch": one, "valid": 9, "expected": 10, "seq": 1} for one in ("a", "b")]
    connection.execute(insert(machine_books), both)
    start = day_start_ms(date(2026, 10, 13))
    lacks = [
        ("d", "x", "power_off", start - HOUR_MS, start + 2 * HOUR_MS),
        ("d", "y", "power_off", start, start + HOUR_MS),
        ("d", "z", "link_down", start, start + HOUR_MS),
        ("other", "x", "power_off", start, start + 9 * HOUR_MS),
    ]
    names = ("device", "tags_key", "cause", "from_ms", "to_ms")
    rows = [dict(zip(names, one, strict=True)) for one in lacks]
    connection.execute(
        insert(gap), [one | {"gateway": "gw-1", "tag_group": "", "tags": "[]"} for one in rows]
    )
    doubted = {"gateway": "gw-1", "machine_id": machine, "day": LAST, "source": "controller"}
    doubted |= {"synthetic": False, "hours": 0b111, "first_ms": 0, "last_ms": 0}
    connection.execute(insert(doubted_evidence).values(doubted))


def test_each_day_says_what_is_known_of_it(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    database.run_now(fill)
    proof = shown(database)
    days = {one.day: one for one in proof.days}
    assert (proof.machine.asset_no, list(days)) == (NUMBER, days_between(FIRST, LAST))
    assert [days[date(2026, 10, one)].service for one in (10, 11)] == [False, True]
    assert [one.day for one in proof.days if one.sources] == days_between(
        date(2026, 10, 11), date(2026, 10, 30)
    )
    book_day, gap_day = days[date(2026, 10, 12)], days[date(2026, 10, 13)]
    assert (book_day.counts, gap_day.counts) == ((18, 20), None)
    assert book_day.gaps_ms == {"power_off": HOUR_MS}
    assert gap_day.gaps_ms == {"power_off": 2 * HOUR_MS, "link_down": HOUR_MS}
    assert days[LAST].doubted_hours == 0b111
    assert proof.verdicts["ENR-A"].valid_days == 20
    assert proof.verdicts["ENR-A"].reason is Reason.NETWORKED
    assert set(proof.verdicts) == {
        name for name, one in BUILT_IN.items() if one.measure == "networked"
    }
    print_proof(proof)
    lines = capsys.readouterr().out.splitlines()
    assert "2026-10-09  " + "." * 24 + "  out of service, no evidence" in lines
    assert "2026-10-03  " + "." * 24 + "  out of service, day of rest, no evidence" in lines
    (twelfth,) = (one for one in lines if one.startswith("2026-10-12"))
    assert twelfth.startswith("2026-10-12  #?#" + "." * 21 + "  in service, controller (N2) by ")
    assert twelfth.endswith("; 18 of 20 values valid; gap power_off 1.0 h")
    assert "ENR-A: networked; valid data on 20 of 21 days in service" in lines
    told = json.loads(proof_json(proof))
    assert told["days"][11]["values"] == {"valid": 18, "expected": 20}
    assert told["days"][11]["sources"][0]["level"] == "N2"
    assert told["verdicts"]["ENR-A"]["networked"] is True


def test_raw_days_are_shown_as_they_were_known(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """What came later is left out, with a digest that is that of the day before it came."""

    def more(connection: Connection) -> None:
        late = raw_day(1, date(2026, 10, 12), 0b1000, late_days=9)
        write_days(connection, [late, raw_day(1, date(2026, 10, 13), 0b1000, late_days=2)])

    database.run_now(fill)
    before = shown(database)
    database.run_now(more)
    after = shown(database)
    for day, later in ((date(2026, 10, 14), 18), (date(2026, 10, 20), 11), (date(2026, 11, 1), 0)):
        told = json.loads(known_json(after, day))
        assert (told["later"], len(told["raw"]["rows"])) == (later, 22 - later)
    assert told["raw"]["digest"] == after.block
    print_known(after, date(2026, 10, 20))
    lines = capsys.readouterr().out.splitlines()
    days = [line[:10] for line in lines if line.startswith("2026")]
    assert days == [f"2026-10-{day}" for day in range(11, 21)]
    assert [line[:10] for line in lines if "data came 2 days late" in line] == ["2026-10-13"]
    assert "data came 9 days late" not in "".join(lines)
    known = [one for one in before.raw if one.day <= date(2026, 10, 14)]
    assert known_by(after.raw, date(2026, 10, 14)) == known
    print_known(after, date(2026, 10, 10))
    assert "nothing of this month was known then" in capsys.readouterr().out


def test_a_day_whose_status_nobody_dated_is_undetermined(database: Database) -> None:
    database.run_now(fill, undated=[date(2026, 10, 11)])
    days = {one.day: one.service for one in shown(database).days}
    assert [days[date(2026, 10, one)] for one in (1, 10, 11)] == [None, None, True]


@pytest.mark.parametrize("text", ["nobody", f"{USCCS[0]}/1/other", "88.1/2"])
def test_a_machine_that_the_ledger_does_not_know_is_said(text: str, database: Database) -> None:
    database.run_now(fill)
    with pytest.raises(ProofError, match="write USCC/site/asset_no, or its identifier"):
        shown(database, text)


def learn(connection: Connection, schema: Schema, used_on: date) -> None:
    """Keep a schema of gw-1 that came before the month."""
    row = {"gateway": "gw-1", "id": f"{schema.id:016x}", "device": schema.device}
    row |= {"body": encode_schema(schema), "received_ms": 0, "used_on": used_on}
    connection.execute(insert(tag_schema).values(row))


def group(name: str, *machines: str) -> Schema:
    """A group of device d: each machine has a tag of its own number in it."""
    equipment = tuple(Equipment(USCCS[0], "1", one) for one in machines)
    tags = tuple(Tag(f"t{at}", Kind.FLOAT64, equipment=at) for at in range(len(machines)))
    return Schema("d", name, "grinder", "controller", False, equipment, tags, 1000)


def test_a_device_that_told_no_counters_shows_its_gaps(database: Database) -> None:
    """It was silent all month: the schemas of before say that the machine is behind it."""
    database.run_now(fill)
    database.run_now(lambda c: c.execute(delete(machine_books)))
    day = date(2026, 10, 13)
    assert {one.day: one for one in shown(database).days}[day].gaps_ms == {}
    database.run_now(learn, group("", NUMBER), date(2026, 9, 1))
    proof = shown(database)
    gaps = {one.day: one for one in proof.days}[day].gaps_ms
    assert gaps == {"power_off": 2 * HOUR_MS, "link_down": HOUR_MS}
    assert proof.behind.points == 1


def test_gaps_of_other_machines_behind_a_device_are_not_its_own(database: Database) -> None:
    database.run_now(fill)
    database.run_now(learn, group("both", "other", NUMBER), LAST)
    database.run_now(learn, group("others", "other"), LAST)
    start = day_start_ms(date(2026, 10, 20))
    lacks = (
        ("both", ["t0"], "timeout"),
        ("both", ["t0", "t1"], "overflow"),
        ("others", [], "illegal_address"),
        ("never sent", [], "bad_config"),
    )
    rows = [
        {
            "gateway": "gw-1", "device": "d", "tag_group": name, "tags": json.dumps(tags),
            "tags_key": cause, "cause": cause, "from_ms": start, "to_ms": start + HOUR_MS,
        }
        for name, tags, cause in lacks
    ]  # fmt: skip
    database.run_now(lambda c: c.execute(insert(gap), rows))
    gaps = {one.day: one for one in shown(database).days}[date(2026, 10, 20)].gaps_ms
    assert gaps == {"overflow": HOUR_MS, "bad_config": HOUR_MS}


def strange_month(connection: Connection, seed: int) -> None:
    """A machine with a status that changes and days of every kind of data."""
    chance = random.Random(seed)
    add_enterprise(connection, USCCS[0])
    history = [(date(2020, 1, 1), "in_use")]
    changes = sorted(chance.sample(days_between(FIRST, LAST), 3))
    history += [(day, chance.choice(["in_use", "sealed", "standby"])) for day in changes]
    undated = [day for day, _ in history[1:] if chance.random() < 0.3]
    machine = add_machine(
        connection, USCCS[0], NUMBER, history=history, undated=undated,
        commissioned_on=date(2020, 1, 1),
    )  # fmt: skip
    for source in ("controller", "sensor"):
        for synthetic in (False, True):
            some = [day for day in days_between(FIRST, LAST) if chance.random() < 0.4]
            add_days(connection, machine, some, source=source, synthetic=synthetic)
    days = evidence.c.day
    for day in days_between(FIRST, LAST):
        if chance.random() < 0.3:
            doubtful = {"good_hours": 0, chance.choice(["uncertain_hours", "replayed_hours"]): 1}
            by_hand(connection, update(evidence).where(days == day).values(doubtful))
    months_anew(connection)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_days_shown_are_those_that_the_rate_counted(database: Database, seed: int) -> None:
    """What a page says of single days adds up to the verdict, by every definition."""
    database.run_now(strange_month, seed)
    records = dict(BUILT_IN)
    base = BUILT_IN["ENR-A"]
    for name, change in (
        ("N1", {"level": 1}),
        ("U", {"count_uncertain": True}),
        ("S", {"days": "scheduled"}),
        ("ST", {"statuses": ("in_use",)}),
    ):
        records[name] = base.model_copy(update={"id": name} | change)
    proof = database.read_now(
        proof_of, TEXT, "2026-10", NOW,
        demonstration=bool(seed % 2), headline=base, definitions=records,
    )  # fmt: skip
    for name, verdict in proof.verdicts.items():
        if records[name].window_days is not None:
            continue
        marks = list(proof.marks[name].values())
        served = [one for one in marks if one not in {Mark.OUT, Mark.REST, Mark.STOPPED}]
        assert marks.count(Mark.VALID) == verdict.valid_days, name
        assert (len(served), marks.count(Mark.UNDATED)) == (
            verdict.service_days,
            verdict.undated_days,
        )
        decided = deciding(verdict.reason, proof.marks[name], verdict.last_valid)
        valid = [day for day, mark in proof.marks[name].items() if mark is Mark.VALID]
        assert max(valid, default=None) == verdict.last_valid
        if verdict.reason is Reason.NETWORKED:
            assert decided == valid
        elif verdict.reason is Reason.SILENT_AT_END:
            assert decided
            assert decided[0] > max(valid)


def test_a_machine_is_shown_without_reading_of_other_enterprises(database: Database) -> None:
    """Rosters and verifications of ten thousand were read for each definition."""
    database.run_now(fill)
    asked: list[str] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def _note(*said: Any) -> None:
        asked.append(" ".join(str(said[2]).split()))

    shown(database)
    for table in ("roster_member", "ledger_verification"):
        read = [one for one in asked if f"FROM {table}" in one]
        assert read, table
        assert not [one for one in read if "uscc = " not in one.rpartition("WHERE")[2]], table
