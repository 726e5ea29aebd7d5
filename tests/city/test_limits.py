"""A hostile gateway fills neither the memory nor the database of the city."""

import time
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select, text
from sqlalchemy.exc import OperationalError

from edge_config.models.limits import MAX_DEVICES, MAX_STATE_BYTES, MAX_TAGS
from gateway.city.db.tables import enterprise, quarantine, tag_schema, watermark
from gateway.city.evidence.adoption import orphan_query
from gateway.city.evidence.recording import record
from gateway.city.evidence.samples import EARLIEST_MS, Sample
from gateway.city.ingest.admission import Enrolment, read_state
from gateway.city.ingest.batching import FrameBatch
from gateway.city.ingest.enrolled.gateway import Gateway
from gateway.city.ingest.limits import (
    HOURLY_ROWS,
    INBOX_STATES,
    KEPT_BYTES,
    MAX_CAUSES,
    MAX_REFUSED,
    MAX_WAITING,
    UNUSED_DAYS,
)
from gateway.city.ingest.progress import Progress
from gateway.city.ingest.quarantine import Budget, Entry
from gateway.city.ingest.uplink.inbox import Incoming
from gateway.city.ingest.verdict import Accepted, Malformed, Verdict, verdict_on
from gateway.city.ledger.machines import MachineIds
from gateway.city.ledger.names import MachineName
from gateway.city.registry import enrolment
from gateway.core.batch import Gap
from gateway.core.books import BY_CODE, Counts
from gateway.core.days import day_of
from gateway.core.status import Reason
from gateway.relational.database import Database
from gateway.wire.frame import BodyEncoder, Frame, Header, seal
from gateway.wire.messages import DeviceState, State, encode_message
from gateway.wire.records import BooksRecord, Record
from gateway.wire.topics import state_topic
from tests.support.broker import Mosquitto
from tests.support.city import (
    OTHER_USCC,
    USCC,
    assembled,
    batch_of,
    city_config,
    city_on,
    rows_of,
    schema_of,
    sender,
)
from tests.support.waiting import until

TODAY = date(2026, 3, 1)


def gateway() -> Gateway:
    return Gateway(Enrolment("gw-1", USCC, "1"))


def said(state: State) -> bytes:
    return encode_message(state)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b" " * (MAX_STATE_BYTES + 1), "bytes are over the limit"),
        (
            said(State(True, devices={f"d{i}": DeviceState("up") for i in range(2_001)})),
            f"2001 devices are over the limit of {MAX_DEVICES}",
        ),
        (said(State(True, time_ms=-1)), "a time is outside"),
        (said(State(True, devices={"d": DeviceState("up", "", 10**17)})), "a time is outside"),
        (said(State(True, backlog_values=2**63)), "a count is below 0 or above"),
        (b"{", "truncated"),
    ],
)
def test_states_that_say_too_much(payload: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_state(payload)


def test_refused_schemas_are_remembered_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    sender_ = gateway()
    for number in range(3 * MAX_REFUSED):
        assert not sender_.learn(
            schema_of("speed", uscc=OTHER_USCC, device=f"line-{number}"), TODAY
        )
    assert len(sender_.schemas) == len(sender_.refused) == MAX_REFUSED
    large = schema_of(*(f"t{i}" for i in range(MAX_TAGS + 1)))
    assert not sender_.learn(large, TODAY)
    assert large.id not in sender_.schemas
    assert "20001 tags" in sender_.why_refused(large.id)


def test_tags_of_a_gateway_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.city.ingest.enrolled.gateway.MAX_GATEWAY_TAGS", 5)
    sender_ = gateway()
    assert sender_.learn(schema_of("a", "b", "c"), TODAY)
    large, small = schema_of("a", "b", "c", device="line-2"), schema_of("a", device="line-3")
    assert not sender_.learn(large, TODAY)
    assert "uses 1 schemas with 3 tags" in sender_.why_refused(large.id)
    assert sender_.learn(small, TODAY)


def test_schemas_out_of_use_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.city.ingest.enrolled.gateway.MAX_SCHEMAS", 2)
    sender_, later = gateway(), TODAY + timedelta(days=UNUSED_DAYS)
    idle, busy, new = (schema_of("speed", device=f"line-{number}") for number in range(3))
    assert sender_.learn(idle, TODAY)
    assert sender_.learn(busy, TODAY)
    assert not sender_.is_first_use(busy.id, TODAY)
    assert sender_.is_first_use(busy.id, later)
    assert sender_.learn(new, later)
    assert sender_.schemas.keys() == sender_.layouts.keys() == {busy.id, new.id}
    assert sender_.tags == 2
    assert not sender_.learn(idle, later)
    assert "uses 2 schemas with 2 tags" in sender_.why_refused(idle.id)


def test_a_schema_without_room_is_tried_again_when_others_are_out_of_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its gateway was told that the city has it, and sends only values from then on."""
    monkeypatch.setattr("gateway.city.ingest.enrolled.gateway.MAX_SCHEMAS", 1)
    sender_, message = gateway(), Incoming("t", b"", 0)
    idle, new = (schema_of("speed", device=f"line-{number}") for number in range(2))
    assert sender_.learn(idle, TODAY)
    accepted, quarantined = [], []
    for seq in range(1, UNUSED_DAYS + 2):
        batch = FrameBatch(Budget(), TODAY + timedelta(days=seq - 1))
        records = (new, batch_of(new, 5, 1.0)) if seq == 1 else (batch_of(new, 5, 1.0),)
        batch.add(message, sender_, Accepted("a" * 16, Frame(Header(1, seq, 1), records)))
        (update,) = batch.updates.values()
        accepted.append(update.schemas)
        quarantined.append(update.quarantined)
    assert accepted == [[]] * UNUSED_DAYS + [[new]]
    assert quarantined == [1] * UNUSED_DAYS + [0]
    assert (sender_.layouts.keys(), sender_.tags) == ({new.id}, 1)
    assert not sender_.refused


def test_a_sender_that_is_counted_keeps_its_budget_when_too_many_strangers_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.city.ingest.quarantine.MAX_SENDERS", 2)
    budget = Budget()

    def allows(name: str) -> bool:
        return budget.allows(Entry.of("frame", Incoming("t", b"", 0), name, "bad"))

    for name in ("gw-1", "gw-2", *["stranger"] * HOURLY_ROWS):
        assert allows(name)
    assert not allows("another-stranger")
    assert allows("gw-1")


def test_epochs_of_a_gateway_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.city.ingest.verdict.MAX_EPOCHS", 1)
    sender_ = gateway()
    sender_.progress[f"{1:016x}"] = Progress(5)
    frame = seal(BodyEncoder().encode([]), Header(2, 1, 0))
    verdict = verdict_on(frame, sender_, (f"{2:016x}",), 10_000)
    assert isinstance(verdict, Malformed)
    assert verdict.epoch is None
    assert "would be one more than 1 of this gateway" in verdict.reason


@pytest.mark.parametrize("name", BY_CODE)
@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ({f"c{number}": 1 for number in range(MAX_CAUSES + 1)}, "more or longer causes"),
        ({"c" * 1_000: 1}, "more or longer causes"),
        ({"timeout": -1}, "a count below 0"),
        ({"timeout": 2**63}, "a count below 0"),
    ],
)
def test_books_by_cause_that_no_database_holds_are_refused(
    name: str, counts: dict[str, int], reason: str
) -> None:
    def verdict(**by_code: dict[str, int]) -> Verdict:
        books = BooksRecord.of("line-1", TODAY, Counts(due=5, ok=5, buffered=5, **by_code))
        payload = seal(BodyEncoder().encode([books]), Header(1, 1, 0))
        return verdict_on(payload, gateway(), (), 10_000)

    refused = verdict(**{name: counts})
    assert isinstance(refused, Malformed)
    assert reason in refused.reason
    assert isinstance(verdict(**{name: {"timeout": 5}}), Accepted)


def test_records_of_a_frame_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.city.ingest.verdict.MAX_RECORDS", 2)
    gaps: list[Record] = [Gap("line-1", "", (), Reason.TIMEOUT, at) for at in range(3)]
    verdict = verdict_on(seal(BodyEncoder().encode(gaps), Header(1, 1, 0)), gateway(), (), 10_000)
    assert isinstance(verdict, Malformed)
    assert verdict.reason == "3 records are over the limit of 2"


async def test_a_gateway_that_announces_too_much_until_it_is_enrolled_anew(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.city.ingest.enrolled.gateway.MAX_SCHEMAS", 2)
    at = time.time_ns() // 1_000_000
    async with (
        city_on(mosquitto.url, tmp_path, "gw-1") as city,
        sender(mosquitto.port, "gw-1") as gateway,
    ):
        for seq in (1, 2, 3):
            schema = schema_of("speed", device=f"line-{seq}")
            await gateway.send(seq, schema, batch_of(schema, at, 1.0))
        await gateway.acked(3)
        (mark,) = rows_of(city, watermark)
        assert (mark["values_committed"], mark["values_quarantined"]) == (2, 1)
        (entry,) = rows_of(city, quarantine)
        assert "revoke it and enrol it again" in entry["reason"]
        assert len(rows_of(city, tag_schema)) == 2
        city.database.run_now(enrolment.revoke, "gw-1", at)
        await until(lambda: "gw-1" not in city.live.gateways())
        city.database.run_now(enrolment.add, "gw-1", USCC, "1", at)
        await until(lambda: "gw-1" in city.live.gateways())
        await gateway.send(4, schema, batch_of(schema, at + 1, 1.0))
        await gateway.acked(4)
        assert len(rows_of(city, tag_schema)) == 1
        assert rows_of(city, watermark)[0]["values_committed"] == 3


async def test_refused_states_do_not_pile_up_while_the_database_refuses(tmp_path: Path) -> None:
    async with assembled(city_config("mqtt://127.0.0.1:1", tmp_path)) as city:
        await city.presence.tick()
        city.database.run_now(lambda c: c.execute(text("DROP TABLE quarantine")))
        for number in range(MAX_WAITING + 5):
            topic = state_topic(f"stranger-{number}")
            assert city.uplink.states.put(Incoming(topic, bytes(KEPT_BYTES + number), 0)) == 0
            if city.uplink.states.bytes > INBOX_STATES.bytes // 2:
                with pytest.raises(OperationalError):
                    await city.presence.tick()
        with pytest.raises(OperationalError):
            await city.presence.tick()
        waiting = city.presence._entries
        assert len(waiting) == MAX_WAITING
        assert (waiting[-1].size_bytes, len(waiting[-1].payload)) == (
            KEPT_BYTES + MAX_WAITING - 1,
            KEPT_BYTES,
        )


@pytest.mark.timeout(600)
def test_more_machines_in_a_round_than_a_query_takes_parameters(database: Database) -> None:
    """SQLite takes 32,766 parameters, PostgreSQL 65,535; a gateway may name more machines."""
    day = day_of(EARLIEST_MS)
    many = 33_000 if database.engine.dialect.name == "sqlite" else 66_000
    samples = [
        Sample(MachineName(USCC, "1", f"M-{n}"), day, "controller", False, "gw-1", 1, 5, 5, 1)
        for n in range(many)
    ]

    def enrol(connection: Connection) -> None:
        row = {"uscc": USCC, "name": "甲", "county": "330822", "industry": "3451"}
        connection.execute(insert(enterprise).values(**row, above_scale=True))
        enrolment.add(connection, "gw-1", USCC, "1", 0)

    database.run_now(enrol)
    assert database.run_now(record, samples, MachineIds(), EARLIEST_MS) == len(samples)
    assert database.run_now(record, samples[:1], MachineIds(), EARLIEST_MS) == 1
    query = database.run_now(orphan_query).subquery()
    counted = select(func.count()).select_from(query)
    assert database.run_now(lambda c: c.scalar(counted)) == many
