"""Evidence is written every few seconds; what a kill leaves uncounted is recounted."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import Connection, select, text

from gateway.city.app import City
from gateway.city.db.tables import evidence, watermark
from gateway.city.evidence import flushing, uncounted
from gateway.city.evidence.adoption import orphan_query
from gateway.city.evidence.samples import Sample
from gateway.city.evidence.uncounted import Span, Uncounted, write_gathered
from gateway.city.ingest.commit import EpochUpdate, Quarantined, commit
from gateway.city.ingest.progress import Progress
from gateway.city.ledger.machines import MachineIds
from gateway.city.ledger.names import MachineName
from gateway.city.registry import enrolment
from gateway.core.days import DAY_MS, HOUR_MS, day_of
from gateway.relational.database import Database
from tests.support.broker import Mosquitto
from tests.support.city import (
    EPOCH_HEX,
    USCC,
    assembled,
    batch_of,
    city_config,
    city_file,
    city_on,
    fill_ledger,
    proofs_of,
    rows_of,
    running,
    schema_of,
    sender,
    system_ms,
    until,
)
from tests.support.city_db import add_enterprise

KEY = ("gw-1", EPOCH_HEX)


def spans(city: City) -> list[Span | None]:
    rows = city.database.run_now(lambda c: c.execute(select(watermark)).all())
    return [uncounted.span_of(row) for row in rows]


async def test_values_are_evidence_after_a_while_and_before_a_hand_over(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flushing, "FLUSH_S", 3_600)
    schema, at = schema_of("speed"), system_ms()
    async with (
        city_on(mosquitto.url, tmp_path, "gw-1") as city,
        sender(mosquitto.port, "gw-1") as gateway,
    ):
        await gateway.send(1, schema, batch_of(schema, at, 1.0), batch_of(schema, at - 9, 1.0))
        await gateway.acked(1)
        assert (spans(city), rows_of(city, evidence)) == ([(at - 9, at)], [])
        await gateway.send(2, batch_of(schema, at + 5, 1.0))
        await gateway.acked(2)
        assert spans(city) == [(at - 9, at + 5)]
        await city.ingest.drained()  # as before a partition is given back
        assert spans(city) == [None]
        (proof,) = rows_of(city, evidence)
        assert (proof["first_ms"], proof["last_ms"]) == (at - 9, at + 5)
        await gateway.send(3, batch_of(schema, at + 7, 1.0))
        await gateway.acked(3)
        assert spans(city) == [(at + 7, at + 7)]
    async with assembled(city_config(mosquitto.url, tmp_path)) as city:
        assert spans(city) == [None]  # an orderly stop leaves nothing
    monkeypatch.setattr(flushing, "FLUSH_S", 0.02)
    async with (
        assembled(city_config(mosquitto.url, tmp_path)) as city,
        running(city),
        sender(mosquitto.port, "gw-1") as gateway,
    ):
        await gateway.send(4, batch_of(schema, at + 9, 1.0))
        await until(lambda: rows_of(city, evidence)[0]["last_ms"] == at + 9)


_NEVER_WRITES = (
    "from gateway.city.evidence import flushing; flushing.FLUSH_S = 3_600\n"
    "from gateway.cli.main import main; main()"
)


@asynccontextmanager
async def killed_at_the_end(file: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A city as a process that gathers evidence and never writes it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _NEVER_WRITES, "city", str(file)), process_group=0
    )
    try:
        yield process
        assert process.returncode is None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def test_a_kill_before_evidence_is_written_loses_none(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """Twice, so that a span is widened that was left uncounted; one machine is in no ledger."""
    file = city_file(tmp_path, mosquitto.url)
    config = city_config(mosquitto.url, tmp_path)
    schema, now = schema_of("speed", assets=("B-001", "B-404")), system_ms()
    times = [now - 3 * HOUR_MS, now - 2 * HOUR_MS, now]
    async with assembled(config) as city:
        fill_ledger(city, "gw-1")
    for seq, time in enumerate(times, start=1):
        async with killed_at_the_end(file) as city, sender(mosquitto.port, "gw-1") as gateway:
            frame = await gateway.send(seq, schema, batch_of(schema, time, 1.0, 2.0))
            while not any(ack.upto >= seq for ack in gateway.acks):  # it may not listen yet
                assert city.returncode is None
                await gateway.raw(frame)
                await asyncio.sleep(0.2)
        async with assembled(config) as city:
            assert all(row["last_ms"] < time for row in rows_of(city, evidence))
            assert spans(city) == [(times[0], time)]
    async with assembled(config) as city:
        await city.store.open()
        proofs = await proofs_of(city)
        assert spans(city) == [None]
        (stranger,) = city.database.run_now(lambda c: c.execute(orphan_query(c)).all())
        assert stranger.days == len({day_of(time) for time in times})
        for machine in {row["machine_id"] for row in proofs}:
            own = [row for row in proofs if row["machine_id"] == machine]
            assert sum(row["good_hours"].bit_count() for row in own) == len(times)
            assert (own[0]["first_ms"], own[-1]["last_ms"]) == (times[0], times[-1])
        assert len({row["machine_id"] for row in proofs}) == 2


async def test_while_evidence_cannot_be_written_frames_are_taken(
    mosquitto: Mosquitto,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Up to a bound: then they wait, and nothing is acknowledged."""
    monkeypatch.setattr(flushing, "FLUSH_S", 0.02)
    monkeypatch.setattr(uncounted, "MAX_SAMPLES", 2)
    schemas = [schema_of("speed", assets=(name,)) for name in ("M-1", "M-2", "M-3")]
    at = system_ms()

    def rename(old: str, new: str) -> None:
        change = text(f"ALTER TABLE {old} RENAME TO {new}")
        city.database.run_now(lambda c: c.execute(change))

    async with city_on(mosquitto.url, tmp_path, "gw-1") as city:
        rename("evidence_month", "away")
        async with sender(mosquitto.port, "gw-1") as gateway:
            for seq, schema in enumerate(schemas[:2], start=1):
                await gateway.send(seq, schema, batch_of(schema, at, 1.0))
                await gateway.acked(seq)
            await until(lambda: "evidence cannot be written" in caplog.text)
            await gateway.send(3, schemas[2], batch_of(schemas[2], at, 1.0))
            assert not city.gateways.uncounted.has_room.is_set()
            await until(lambda: city.ingest._on_their_way)
            assert rows_of(city, watermark)[0]["upto"] == 2
            rename("away", "evidence_month")
            await gateway.acked(3)
        await until(lambda: len(rows_of(city, evidence)) == 3)
        assert caplog.text.count("evidence cannot be written") == 1


def sample(last_ms: int) -> Sample:
    name = MachineName(USCC, "1", "M-1")
    return Sample(name, day_of(last_ms), "controller", False, "gw-1", 1, last_ms, last_ms, 1)


def committed(database: Database, before: int, span: Span | None) -> None:
    update = EpochUpdate(Progress(before), Progress(before), Progress(before + 1), changed=True)
    update.uncounted = span
    database.run_now(commit, {KEY: update}, Quarantined(), 0)


def test_what_another_worker_has_widened_stays(database: Database) -> None:
    """It was not told here, so it is not written here."""

    def fill(connection: Connection) -> None:
        add_enterprise(connection, USCC)
        enrolment.add(connection, "gw-1", USCC, "1", 0)

    def span() -> Span | None:
        with database.engine.connect() as connection:
            return uncounted.span_of(connection.execute(select(watermark)).one())

    database.run_now(fill)
    committed(database, 0, (100, 200))
    committed(database, 1, (150, 300))  # by the other
    database.run_now(write_gathered, [sample(200)], {KEY: (100, 200)}, MachineIds(), 0)
    assert span() == (100, 300)
    committed(database, 2, None)  # a frame without values
    assert span() == (100, 300)
    database.run_now(write_gathered, [sample(300)], {KEY: (100, 300)}, MachineIds(), 0)
    assert span() is None


class World(RuleBasedStateMachine):
    """Commits, flushes, recounts and readings of the database in any order: a kill loses none.

    Each value is of a day of its own, so that samples are not merged.
    """

    def __init__(self) -> None:
        super().__init__()
        self.memory = Uncounted()
        self.span: Span | None = None
        self.stored, self.proven = set[int](), set[int]()
        self.flying: tuple[list[Sample], dict[uncounted.Epoch, Span]] | None = None

    @precondition(lambda self: self.flying is None)  # a lock holds that
    @rule(time=st.integers(0, 9).map(lambda day: day * DAY_MS))
    def frames_are_committed(self, time: int) -> None:
        self.stored.add(time)
        self.span = uncounted.joined((time, time), self.span)
        self.memory.gather([sample(time)], {KEY: (time, time)})

    @precondition(lambda self: self.flying is None)
    @rule()
    def a_flush_begins(self) -> None:
        samples, counted = self.memory.gathered()
        self.flying = list(samples), dict(counted)

    @precondition(lambda self: self.flying is not None)
    @rule()
    def a_flush_ends(self) -> None:
        assert self.flying is not None
        (samples, counted), self.flying = self.flying, None
        self.proven.update(one.last_ms for one in samples)
        if counted.get(KEY) == self.span:
            self.span = None
        self.memory.written(counted)

    @precondition(lambda self: self.flying is None)
    @rule()
    def the_database_is_read_anew(self) -> None:
        self.memory.owe(KEY, self.span)

    @rule()
    def what_is_owed_is_recounted(self) -> None:
        for key, span in list(self.memory.owed.items()):
            self.proven.update(at for at in self.stored if span[0] <= at <= span[1])
            self.memory.recounted(key, span)

    @invariant()
    def the_database_knows_what_is_not_proven(self) -> None:
        first, last = self.span or (1, 0)
        assert all(first <= at <= last for at in self.stored - self.proven)

    def teardown(self) -> None:
        if self.flying is not None:
            self.a_flush_ends()
        self.what_is_owed_is_recounted()
        self.a_flush_begins()
        self.a_flush_ends()
        assert self.stored == self.proven
        assert self.span is None


TestWorld = World.TestCase
