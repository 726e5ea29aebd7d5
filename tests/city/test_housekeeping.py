"""What is older than its retention goes; the rest stays."""

from pathlib import Path

from sqlalchemy import insert, update

from edge_config.models.data.keeping import RetentionConfig
from gateway.city.db import housekeeping, tables
from gateway.city.db.schema.months import raw_days_size
from gateway.city.ingest import quarantine
from gateway.city.ingest.gaps import keep_gaps
from gateway.city.ingest.layout import batch_rows, layout_of
from gateway.city.ingest.uplink.inbox import Incoming
from gateway.core.batch import Gap
from gateway.core.status import Reason
from tests.support.city import assembled, batch_of, city_config, fill_ledger, rows_of, schema_of

DAY_MS = 86_400_000
NOW_MS = 400 * DAY_MS


async def test_old_values_gaps_and_messages_go(tmp_path: Path) -> None:
    schema, ages = schema_of("speed"), (0, 9, 11)
    times = [NOW_MS - age * DAY_MS for age in ages]
    async with assembled(city_config("mqtt://127.0.0.1:1", tmp_path), lambda: NOW_MS) as city:
        fill_ledger(city, "gw-1")
        await city.store.open()
        batches = [batch_of(schema, time, 1.0) for time in times]
        await city.store.write(batch_rows(layout_of("gw-1", schema), batches))
        entries = [
            quarantine.Entry.of("frame", Incoming("t", b"", time), "gw-1", "bad") for time in times
        ]
        await city.database.run(quarantine.keep, entries)
        for time in times:
            ended = Gap("line-1", "", (), Reason.TIMEOUT, time - 2 * DAY_MS, time)
            await city.database.run(keep_gaps, [("gw-1", ended)])
        lasting = Gap("line-1", "", (), Reason.TIMEOUT, 0)
        await city.database.run(keep_gaps, [("gw-1", lasting)])
        retention = RetentionConfig(telemetry_days=10, quarantine_days=5)
        await housekeeping.tidy(city.database, city.store, retention, NOW_MS)
        assert await city.store.count(["gw-1"], 0, NOW_MS + 1) == 2
        assert [row["received_ms"] for row in rows_of(city, tables.quarantine)] == [NOW_MS]
        assert {row["to_ms"] for row in rows_of(city, tables.gap)} == {*times[:2], None}
        counted = rows_of(city, raw_days_size)  # of the month that it has just made
        assert [(row["row_count"], row["counted_ms"]) for row in counted] == [(0, NOW_MS)]


async def test_what_a_large_import_has_replaced_goes(tmp_path: Path) -> None:
    """It was killed behind its last part, before it cleared anything itself."""
    async with assembled(city_config("mqtt://127.0.0.1:1", tmp_path), lambda: NOW_MS) as city:
        fill_ledger(city, "gw-1")
        await city.store.open()
        before = rows_of(city, tables.equipment)
        with city.database.engine.begin() as connection:
            connection.execute(insert(tables.ledger_import).values(id=7, begun_ms=0, finished=True))
            connection.execute(update(tables.equipment_rows).values(replaced_by=7))
            newer = [{**row, "name": "新名", "import_id": 7} for row in before]
            connection.execute(insert(tables.equipment_rows), newer)
        await housekeeping.tidy(city.database, city.store, RetentionConfig(), NOW_MS)
        rows = rows_of(city, tables.equipment_rows)
        assert [(row["name"], row["import_id"]) for row in rows] == [("新名", 7)] * len(before)
        assert len(before) > 0
