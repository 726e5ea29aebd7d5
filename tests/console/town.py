"""A small city in real tables and a real embedded store, with gateways that just spoke."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np
from prometheus_client import CollectorRegistry
from sqlalchemy import Connection, insert

from edge_config.models.base import Secret
from edge_config.models.city import CityConfig
from edge_config.models.uscc import check_character
from edge_config.models.validation import validated
from gateway.city.console.apart.place import Here
from gateway.city.console.context import ConsoleContext
from gateway.city.console.live.present import Present
from gateway.city.db import tables
from gateway.city.db.schema.identifiers import identifier
from gateway.city.db.upgrade import upgrade
from gateway.city.evidence.rows import write_days
from gateway.city.ledger.machines import SINCE_EVER, alias_row
from gateway.city.ledger.names import MachineName
from gateway.city.live.server import LiveServer
from gateway.city.live.view import GatewayLive, Live
from gateway.city.stores.api import Rows, Series
from gateway.city.stores.embedded import EmbeddedStore
from gateway.core.batch import Batch
from gateway.core.days import day_of
from gateway.core.schema import Equipment, Kind, Schema, Tag, encode_schema
from gateway.core.status import GOOD, Reason, uncertain
from gateway.relational.database import Database, connect
from gateway.wire.messages import DeviceState, State

NOW_MS = 1_763_876_400_000 + 12_345
"""2025-11-23, early afternoon in Shanghai."""

PLACES = (
    ("330822", "3451", "常山精工轴承有限公司", 24, 17),
    ("330822", "3451", "常山恒滚轴承套圈厂", 12, 3),
    ("330881", "2032", "江山云杉木门股份有限公司", 30, 14),
    ("330881", "3595", "江山安泰消防器材有限公司", 16, 6),
    ("330825", "2221", "龙游青竹特种纸有限公司", 48, 24),
    ("330803", "2221", "衢江浮石纸业有限公司", 8, 0),
)
"""County, industry, name, machines, of which networked."""

TAGS = (
    Tag("spindle_speed", Kind.FLOAT64, "r/min", 0, "value", "主轴转速", "Spindle speed"),
    Tag("power", Kind.FLOAT64, "kW", 0, "value", "有功功率", "Active power"),
    Tag("temperature", Kind.FLOAT64, "°C", 0, "value", "轴承温度", "Bearing temperature"),
    Tag("parts", Kind.INT64, "", 0, "counter", "产量计数", "Parts completed"),
    Tag("state", Kind.INT64, "", 0, "state", "运行状态", "Machine state"),
    Tag("alarm", Kind.BOOL, "", 0, "alarm", "报警", "Alarm"),
)


DOUBTED_S = {
    Reason.RANGE: (410, 440),
    Reason.LAST_USABLE: (480, 500),
    Reason.CLOCK_DOUBT: (599, 600),
}
"""Between which seconds of the ten minutes the spindle's speed is in doubt, and why."""


def uscc_of(number: int) -> str:
    """A fictitious, valid code."""
    body = f"91330800MA{number:07d}"
    return body + check_character(body)


@dataclass
class Clock:
    """A clock that tests set."""

    now_ms: int = NOW_MS

    def __call__(self) -> int:
        return self.now_ms


@dataclass
class Town:
    """Everything a console is given, and what a test changes."""

    context: ConsoleContext
    database: Database
    live: Live
    store: EmbeddedStore
    clock: Clock
    health: dict[str, str]
    server: AsyncExitStack

    @property
    def machine(self) -> tuple[str, str, str]:
        """A machine that is connected."""
        return uscc_of(0), "1", "A-001"

    def speak(self, parts: int, status: int = GOOD) -> None:
        """The machine sends another reading, all of one status."""
        batch = batch_of(schema_of(*self.machine), self.clock.now_ms, parts)
        column = np.full(len(TAGS), status, np.uint8)
        self.live.keep_newest("gw-0", replace(batch, status=column if status else None))


@asynccontextmanager
async def town(
    folder: Path,
    *,
    demonstration: bool = True,
    token: Secret | None = None,
    accounts: bool = False,
    control: str | None = None,
    headline: str = "ENR-A",
    export_purpose: str = "recorded",
) -> AsyncIterator[Town]:
    """A city in ``folder``, filled."""
    config = validated(
        CityConfig,
        {
            "city": {"region": "330800", "name_zh": "衢州市", "name_en": "Quzhou"},
            "demonstration": demonstration,
            "data_dir": folder,
            "broker": {"url": "mqtt://127.0.0.1:1883"},
            "identifier": {"prefix": "88.999"},
            "console": {"accounts": accounts, "export_purpose": export_purpose}
            | ({"token": token} if token else {}),
            "demonstration_control": control,
            "definitions": {"headline": headline},
        },
    )
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    await asyncio.to_thread((folder / "city.db").write_bytes, _filled())
    database = connect(config.database.url, folder)
    store = EmbeddedStore(folder / "telemetry.db")
    try:
        await store.open()
        await store.write([_history(uscc_of(0))])
        live, clock, health = _live(), Clock(), dict[str, str]()
        server = LiveServer(folder, live, CollectorRegistry(), lambda: health)
        present = Present(folder, database, store, 60_000, clock)
        context = ConsoleContext(config, database, present, store, clock, Here(database))
        async with AsyncExitStack() as serving:
            await serving.enter_async_context(server.listening())
            await present.refresh()
            following = asyncio.create_task(present.run())
            try:
                yield Town(context, database, live, store, clock, health, serving)
            finally:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
                await present.close()
    finally:
        await store.close()
        database.close()


@cache
def _filled() -> bytes:
    """The database file, migrated and filled once for all tests."""
    with tempfile.TemporaryDirectory() as name:
        database = connect("sqlite:///city.db", Path(name))
        upgrade(database)
        database.run_now(_fill)
        database.close()  # the last connection moves the log into the file
        return (Path(name) / "city.db").read_bytes()


def _fill(connection: Connection) -> None:
    for number, (county, industry, name, machines, networked) in enumerate(PLACES):
        uscc = uscc_of(number)
        connection.execute(
            insert(tables.enterprise).values(
                uscc=uscc, name=name, county=county, industry=industry, above_scale=True,
                ledger_verified_by="经信局", ledger_verified_on=date(2025, 1, 10),
                identifier_code=f"{number + 1:08d}",
            )
        )  # fmt: skip
        connection.execute(
            insert(tables.ledger_verification).values(
                uscc=uscc, verified_on=date(2025, 1, 10), verified_by="经信局"
            )
        )
        connection.execute(
            insert(tables.roster_member).values(
                roster="KEY", uscc=uscc, valid_from=date(2020, 1, 1), approved_by="经信局"
            )
        )
        connection.execute(
            insert(tables.gateway).values(
                id=f"gw-{number}", uscc=uscc, site_no="1", enrolled_ms=NOW_MS - 10**9, partition=0
            )
        )
        _machines(connection, uscc, number, machines, networked)
    _records(connection)


def _machines(
    connection: Connection, uscc: str, number: int, machines: int, networked: int
) -> None:
    today = day_of(NOW_MS)
    evidence = []
    for at in range(machines):
        key = number * 1000 + at + 1
        name = MachineName(uscc, "1", f"A-{at + 1:03d}")
        connection.execute(insert(tables.machine).values(id=key, named_ms=NOW_MS))
        connection.execute(insert(tables.machine_alias), [alias_row(name, SINCE_EVER, key, 0)])
        connection.execute(
            insert(tables.equipment_rows).values(
                id=key, uscc=uscc, site_no="1", asset_no=f"A-{at + 1:03d}",
                name=("磨床", "车床", "清洗机", "装配机")[at % 4] + f" {at + 1} 号",
                workshop=f"{at // 12 + 1} 车间", line=f"{at // 6 + 1} 线",
                maker="示例机械", model="XM-200", equipment_class="production",
                key_equipment=at % 5 == 0, digital=True, commissioned_on=date(2020, 5, 1),
            )
        )  # fmt: skip
        connection.execute(
            insert(tables.status_rows).values(
                equipment_id=key, valid_from=date(2020, 5, 1), status="in_use"
            )
        )
        handle = f"88.999.{number + 1:08d}/PM.20251123.{key:06d}"
        if at != machines - 1:
            connection.execute(
                insert(identifier).values(
                    equipment_id=key, handle=handle, handle_key=handle.upper(),
                    issued_ms=NOW_MS - 10**8, registered_ms=NOW_MS - 9 * 10**7,
                    resolved_ms=NOW_MS - 8 * 10**7,
                )
            )  # fmt: skip
        if at < networked:
            _schema(connection, f"gw-{number}", schema_of(uscc, "1", f"A-{at + 1:03d}"))
            evidence += [
                {
                    "machine_id": key, "day": today - timedelta(days=back),
                    "source": "controller", "synthetic": True, "gateway": f"gw-{number}",
                    "good_hours": 4095, "uncertain_hours": 0, "replayed_hours": 0,
                    "first_ms": NOW_MS - back * 86_400_000 - 3_600_000,
                    "last_ms": NOW_MS - back * 86_400_000, "seeded": True,
                }
                for back in range(330) if back < 30 or at < networked - back // 60
            ]  # fmt: skip
    if evidence:
        write_days(connection, evidence)


def _schema(connection: Connection, gateway: str, schema: Schema) -> None:
    connection.execute(
        insert(tables.tag_schema).values(
            gateway=gateway, id=f"{schema.id:016x}", device=schema.device,
            body=encode_schema(schema), received_ms=NOW_MS - 10**6, used_on=day_of(NOW_MS),
        )
    )  # fmt: skip


def _records(connection: Connection) -> None:
    gap = {"device": "", "tag_group": "", "tags": "[]", "tags_key": "-", "to_ms": None}
    connection.execute(
        insert(tables.gap),
        [
            gap | {"gateway": "gw-3", "cause": "gateway_silent", "from_ms": NOW_MS - 95_000},
            gap
            | {
                "gateway": "gw-2", "device": "sander-4", "cause": "timeout",
                "from_ms": NOW_MS - 5_400_000, "to_ms": NOW_MS - 5_100_000,
            },
            gap
            | {
                "gateway": "gw-0", "device": "a-001", "tag_group": "fast", "tags": '["power"]',
                "tags_key": "p", "cause": "illegal_address", "from_ms": NOW_MS - 86_400_000,
                "to_ms": NOW_MS - 80_000_000,
            },
        ],
    )  # fmt: skip
    connection.execute(
        insert(tables.edge_books).values(
            gateway="gw-0", epoch="0" * 16, device="a-001", day=day_of(NOW_MS), due=86_400,
            ok=86_000, failed=300, skipped=100, suppressed=46_000, buffered=40_000,
            dropped='{"quota": 20}', uncertain='{"overflow": 7, "clock": 5}',
        )
    )  # fmt: skip
    connection.execute(
        insert(tables.watermark).values(
            gateway="gw-0", epoch="0" * 16, upto=900, ranges="[]", values_committed=39_900,
            values_quarantined=0, updated_ms=NOW_MS,
        )
    )  # fmt: skip
    connection.execute(
        insert(tables.quarantine).values(
            received_ms=NOW_MS - 3_600_000, topic="qulink/2/up/7/gw-2/frame", gateway="gw-2",
            reason="checksum does not match", value_count=0, size_bytes=512, payload=b"\x00",
        )
    )  # fmt: skip


def schema_of(uscc: str, site_no: str, asset_no: str) -> Schema:
    """What one device of a gateway sends."""
    machine = (Equipment(uscc, site_no, asset_no),)
    device = asset_no.lower()
    return Schema(device, "fast", "grinder", "controller", True, machine, TAGS, 1000)


def batch_of(schema: Schema, time_ms: int, parts: int) -> Batch:
    """One reading."""
    columns = (
        np.array([2840.5, 7.25, 46.1]),
        np.array([parts, 2], dtype=np.int64),
        np.array([False]),
    )
    return Batch(schema, time_ms, np.ones(len(TAGS), np.bool_), columns)


def _live() -> Live:
    live = Live()
    for number, (_, _, _, _, networked) in enumerate(PLACES):
        gateway, silent = f"gw-{number}", number in {3, 5}
        live.enrol(GatewayLive(gateway, uscc_of(number), "1"))
        if number == 5:
            continue
        devices = {
            f"a-{at + 1:03d}": DeviceState(
                "down" if number == 2 and at == 3 else "up",
                "timeout" if number == 2 and at == 3 else "",
                NOW_MS - 7_200_000,
            )
            for at in range(networked)
        }
        live.state(gateway, State(True, NOW_MS, "0" * 16, 900, devices=devices), NOW_MS - 95_000)
        for at in range(networked):
            schema = schema_of(uscc_of(number), "1", f"A-{at + 1:03d}")
            live.learn(gateway, schema)
            live.keep_newest(gateway, batch_of(schema, NOW_MS - 1_000, 12_000 + at))
        live.silent(gateway) if silent else live.heard(gateway, NOW_MS)
    return live


def _history(uscc: str) -> Rows:
    """Ten minutes of one machine with a silence in the middle."""
    seconds = np.array([at for at in range(600) if not 250 < at < 400], dtype=np.int64)
    times = NOW_MS - 600_000 + seconds * 1000
    wave = np.sin(seconds / 17.0)
    columns = (np.stack([2840 + 60 * wave, 7 + wave, 46 + seconds / 300], axis=1),)
    series = Series("grinder", uscc, "1", "gw-0", "a-001", "A-001")
    fields = ("spindle_speed", "power", "temperature")
    codes = np.full((len(times), 3), GOOD, np.uint8)
    for reason, (first, last) in DOUBTED_S.items():
        codes[(seconds >= first) & (seconds < last), 0] = uncertain(reason)
    return Rows(series, fields, times, columns, np.ones((len(times), 3), np.bool_), codes)
