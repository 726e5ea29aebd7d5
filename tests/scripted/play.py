"""Plays a story through the city: files of the ledger through the import, frames through ingest.

Nothing is put into a table by hand. Only the broker is left out: frames go to the worker as it
takes them from its inbox, and the clock is the story's.
"""

import asyncio
import csv
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from edge_config.models.city import CityConfig
from edge_config.models.validation import validated
from gateway.city.app import City, assembled
from gateway.city.db.operation import begin
from gateway.city.ingest.batching import FrameBatch
from gateway.city.ingest.quarantine import Budget
from gateway.city.ingest.uplink.inbox import Incoming
from gateway.city.ingest.worker import Stages
from gateway.city.ledger.importer import import_ledger
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.withdrawal import withdraw_machine
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.registry import enrolment
from gateway.core.batch import Batch
from gateway.core.days import day_of
from gateway.core.schema import READ_BYTES, UNIT_BYTES, Equipment, Kind, Schema, Tag
from gateway.core.status import GOOD, Reason, uncertain
from gateway.wire.frame import BodyEncoder, Header, seal
from gateway.wire.messages import DeviceState, State, encode_message
from gateway.wire.records import MachineRecord, Record
from gateway.wire.topics import frame_topic, state_topic
from tests.scripted.story import SITE, Row, Story, Value

EPOCH = 0xA1B2C3D4E5F60718
ENTERED_BY = "王录入"
STATUS = {"good": GOOD, "uncertain": uncertain(Reason.RANGE), "frozen": uncertain(Reason.FROZEN)}
TAGS = (Tag("speed", Kind.FLOAT64, "r/min"),)
PER_DAY = 60
"""Values due of a machine each day, as its edge counts them; only one of them travels."""


def milliseconds(at: datetime) -> int:
    """UTC milliseconds of a time."""
    return int(at.timestamp() * 1000)


@dataclass
class Clock:
    """The clock of the city."""

    now_ms: int

    def __call__(self) -> int:
        return self.now_ms


@dataclass
class Sender:
    """A gateway: what it has told already, and how many frames it has sent."""

    name: str
    sequence: int = 0
    told: set[int] = field(default_factory=set)
    counted: dict[tuple[Any, ...], MachineRecord] = field(default_factory=dict)
    devices: set[str] = field(default_factory=set)

    def frame(self, values: Iterable[Value]) -> bytes:
        """The next frame: schemas that are new, values, and what each machine gave."""
        records: list[Record] = []
        for value in values:
            schema = schema_of(value)
            if schema.id not in self.told:
                self.told.add(schema.id)
                self.devices.add(schema.device)
                records.append(schema)
            records += [_batch(schema, value), self._counts(schema.device, value)]
        self.sequence += 1
        count = sum(one.count for one in records if isinstance(one, Batch))
        return seal(BodyEncoder().encode(records), Header(EPOCH, self.sequence, count))

    def _counts(self, device: str, value: Value) -> MachineRecord:
        valid, at = (PER_DAY if value.quality == "good" else 0), milliseconds(value.at)
        first = at if valid else None
        machine = (device, SITE, value.asset_no, value.day)
        self.counted[machine] = MachineRecord(*machine, valid, PER_DAY, first, first)
        return self.counted[machine]

    def state(self, now_ms: int) -> bytes:
        """Its sign of life."""
        devices = {one: DeviceState("up", "", now_ms) for one in self.devices}
        state = State(True, now_ms, f"{EPOCH:016x}", self.sequence, devices=devices)
        return encode_message(state)


def schema_of(value: Value) -> Schema:
    """What the device of a machine says of its values."""
    unit = value.unit.encode().ljust(UNIT_BYTES, b"\0") if value.unit else b""
    reads = bytes(READ_BYTES) if value.unit else b""
    # by its source, too: a sensor beside a controller is a device of its own
    device = f"{value.asset_no.lower()}-{value.source}"
    machine = (Equipment(value.uscc, SITE, value.asset_no),)
    return Schema(
        device, "fast", "grinder", value.source, value.synthetic, machine, TAGS, 1000, unit, reads
    )


def _batch(schema: Schema, value: Value) -> Batch:
    status = np.array([STATUS[value.quality]], np.uint8)
    ones = np.ones(1)
    return Batch(schema, milliseconds(value.at), ones.astype(np.bool_), (ones,), status)


def configuration(story: Story, folder: Path) -> CityConfig:
    """The city's, with a file of definitions of its own; written down for commands, too."""
    folder.mkdir(parents=True, exist_ok=True)
    definitions = folder / "definitions.yaml"
    text = yaml.safe_dump({"definitions": records(story)}, allow_unicode=True)
    definitions.write_text(text, encoding="utf-8")
    sections = {
        "city": {"region": "330800", "name_zh": "衢州市", "name_en": "Quzhou"},
        "data_dir": str(folder),
        "broker": {"url": "mqtt://127.0.0.1:1883"},
        "identifier": {"prefix": "88.999"},
        "console": {"accounts": True},
        "definitions": {"file": str(definitions)},
    }
    (folder / "city.yaml").write_text(yaml.safe_dump(sections, allow_unicode=True), "utf-8")
    return validated(CityConfig, sections)


def records(story: Story) -> list[dict[str, Any]]:
    """The city's own definitions, each like one of the product but for what it says."""
    known = {name: one.model_dump(mode="json") for name, one in builtin_definitions().items()}
    return [
        known[own["like"]]
        | {"id": name, "version": 1}
        | {key: value for key, value in own.items() if key != "like"}
        for name, own in story.data["definitions"].items()
    ]


@dataclass
class Player:
    """Plays a story up to a moment."""

    story: Story
    city: City
    clock: Clock
    folder: Path
    senders: dict[str, Sender] = field(default_factory=dict)

    async def begin(self) -> None:
        """The first act of the ledger, and the gateways enrolled for its enterprises."""
        database, ingest = self.city.database, self.city.ingest
        database.run_now(begin, self.story.began)
        first = next(iter(_acts(self.story.rows)))
        self._write(*first)
        for name, facts in self.story.data["gateways"].items():
            uscc = self.story.uscc(facts["of"])
            database.run_now(enrolment.add, name, uscc, SITE, self.clock.now_ms)
            self.senders[name] = Sender(name)
        await ingest.persistence.store(ingest.store.open)
        self.city.uplink.connected_since_ms = self.clock.now_ms
        await self.city.gateways.refresh(self.clock.now_ms, 0)

    async def until(self, end: datetime) -> None:
        """Everything that happens after where the clock stands, up to a time."""
        for at, what in self._events(milliseconds(end)):
            self.clock.now_ms = at
            if isinstance(what[0], Row):
                self._write(at, what)
            else:
                await self._send(what)
        self.clock.now_ms = milliseconds(end)

    def _events(self, end_ms: int) -> list[tuple[int, list[Any]]]:
        rows, values = self.story.rows, self.story.values
        written = [(at, list(group)) for at, group in _acts(rows)]
        came = itertools.groupby(values, key=lambda value: milliseconds(value.came))
        events = [*written, *((at, list(group)) for at, group in came)]
        ahead = (one for one in events if self.clock.now_ms < one[0] <= end_ms)
        return sorted(ahead, key=lambda event: event[0])

    def _write(self, at: int, rows: Iterable[Row]) -> None:
        by_kind: dict[str, list[Mapping[str, str]]] = defaultdict(list)
        for row in rows:
            by_kind[row.kind].append(row.values)
        files = [
            _table(self.folder / f"{kind}-{at}.csv", by_kind[kind])
            for kind in ("enterprise", "equipment")
            if by_kind[kind]
        ]
        self.clock.now_ms = at
        if files:
            import_ledger(self.city.database, files, at, made_by=ENTERED_BY)
        for one in by_kind["withdrawal"]:
            name = MachineName(one["uscc"], SITE, one["asset_no"])
            self.city.database.run_now(withdraw_machine, name, one["reason"], at, ENTERED_BY)

    async def _send(self, values: list[Value]) -> None:
        now_ms, ingest = self.clock.now_ms, self.city.ingest
        batch = FrameBatch(Budget(), day_of(now_ms))
        ingest._on_their_way.append(batch)  # as the worker's own loop does
        by_gateway: dict[str, list[Value]] = defaultdict(list)
        for value in values:
            by_gateway[value.gateway].append(value)
        for name, group in by_gateway.items():
            frame = self.senders[name].frame(group)
            again = group[-1].day in self.story.data["gateways"][name].get("again", ())
            for _ in range(1 + again):
                message = Incoming(frame_topic(name), frame, now_ms)
                batch.messages.append(message)
                await ingest.handle(message, batch)
        batch.seal()
        stages = Stages()
        await stages.storing.acquire()
        await ingest.deliver(batch, stages)
        assert not batch.refused, batch.refused
        await ingest.evidence.flush()
        await self._signs_of_life()

    async def _signs_of_life(self) -> None:
        now_ms = self.clock.now_ms
        for name, sender in self.senders.items():
            if self.story.is_alive(name, now_ms):
                message = Incoming(state_topic(name), sender.state(now_ms), now_ms)
                self.city.uplink.states.put(message)
        await self.city.presence.tick()


def _acts(rows: Iterable[Row]) -> Iterable[tuple[int, list[Row]]]:
    for at, group in itertools.groupby(rows, key=lambda row: row.at):
        yield milliseconds(at), list(group)


def _table(file: Path, rows: list[Mapping[str, str]]) -> Path:
    columns = dict.fromkeys(itertools.chain.from_iterable(rows))
    with file.open("w", encoding="utf-8-sig", newline="") as target:
        writer = csv.DictWriter(target, list(columns), restval="")
        writer.writeheader()
        writer.writerows(rows)
    return file


def played(
    story: Story, folder: Path, at_moment: Callable[[str, City, int], None], moments: Iterable[str]
) -> None:
    """Play a story, and hand the city over at each of some of its moments, in their order."""

    async def play() -> None:
        first = min(row.at for row in story.rows)
        clock = Clock(milliseconds(first - timedelta(hours=1)))
        async with assembled(configuration(story, folder), clock) as city:
            player = Player(story, city, clock, folder)
            await player.begin()
            for name in moments:
                await player.until(story.moment(name))
                at_moment(name, city, clock.now_ms)

    asyncio.run(play())
