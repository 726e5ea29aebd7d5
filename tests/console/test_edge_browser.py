"""The box's own page in a real browser."""

from dataclasses import replace
from datetime import date

import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from edge_config.models.base import ConsoleConfig
from edge_config.models.gateway import (
    CITY,
    DeviceConfig,
    GatewayConfig,
    GroupConfig,
    Identity,
    ProfileConfig,
    QulinkNorthbound,
)
from edge_config.models.validation import validated
from gateway.core.books import Counts
from gateway.core.outcome import Outcome
from gateway.core.schema import Schema
from gateway.core.status import Quality, Reason, bad
from gateway.edge.live.console import build
from gateway.edge.live.view import Backlog, DeviceRecord, Live
from tests.console.conftest import served
from tests.console.http import get
from tests.console.test_browser import HIDDEN
from tests.console.town import NOW_MS, schema_of, uscc_of
from tests.support.chromium import chromium


def gateway_config() -> GatewayConfig:
    """One device; only identity and console matter to the pages."""
    group = GroupConfig(name="fast", tags_file=None, mode=None)
    profile = ProfileConfig(name="grinder", driver="modbus", source="controller", groups=(group,))
    device = DeviceConfig(
        id="a-001", driver="modbus", profile="grinder", asset_no="A-001", connection={}
    )
    identity = Identity(id="gw-0", enterprise_uscc=uscc_of(0), synthetic=True)
    north = validated(QulinkNorthbound, {"url": "mqtt://127.0.0.1:1883"})
    return GatewayConfig(
        gateway=identity,
        profiles=(profile,),
        devices=(device,),
        northbound=(north,),
        console=ConsoleConfig(),
    )


def outcome(schema: Schema, tick: int) -> Outcome:
    """A reading with one BAD tag."""
    status = np.zeros(len(schema.tags), np.uint8)
    status[2] = bad(Reason.RANGE)
    columns = (
        np.array([2800.0 + tick, 7.0, 46.0]),
        np.array([100 + tick, 2], dtype=np.int64),
        np.array([False]),
    )
    counts = {date(2025, 11, 23): Counts(due=6, ok=5, failed=1, buffered=5)}
    return Outcome(None, counts, status, columns, NOW_MS + tick * 1000)


def edge() -> tuple[Live, DeviceRecord, Schema]:
    """A live view with one device up and one down."""
    live = Live()
    schema = schema_of(uscc_of(0), "1", "A-001")
    record = DeviceRecord("a-001", "127.0.0.1:15020", "modbus", "grinder", "A-001")
    record.add_group(schema)
    live.add_device(record)
    live.add_device(DeviceRecord("press-2", "127.0.0.1:15021", "modbus", "press", "A-002"))
    live.set_link("a-001", "up", NOW_MS - 60_000)
    live.set_link("press-2", "down", NOW_MS - 30_000, Reason.TIMEOUT, "no answer in 3 s")
    record.groups["fast"].newest = outcome(schema, 0)
    live.set_books(Counts(due=6, ok=5, failed=1, buffered=5), NOW_MS)
    live.set_books(Counts(due=16, ok=15, failed=1, buffered=15), NOW_MS + 1000)
    live.set_backlog(Backlog(frames=3, values=1234, bytes=4096, last_seq=77, epoch="ab" * 8))
    live.note_northbound(CITY, connected=True, since_ms=NOW_MS, sent=9, acks=8)
    return live, record, schema


async def test_the_box_shows_devices_tags_and_buffer() -> None:
    live, record, schema = edge()
    now = [NOW_MS]
    async with served(build(live, gateway_config(), lambda: now[0])) as base, chromium() as page:
        for language, words in (("zh", "本地缓存"), ("en", "Values waiting")):
            for width in (1280, 390):
                await page.viewport(width, 844, mobile=width < 640)
                await page.goto(f"{base}/?lang={language}")
                text = await page.evaluate("document.body.innerText")
                assert words in text
                assert "1,234" in text
                assert "4.0 KiB / 1,024.0 MiB" in text
                assert "演示数据" in text
                assert await page.evaluate("document.documentElement.scrollWidth") <= width
                assert await page.barriers() == []
        await page.goto(f"{base}/devices/a-001?lang=en")
        assert await page.barriers() == []
        assert await page.evaluate(HIDDEN) == []
        await page.viewport(1280, 844)
        await page.goto(f"{base}/?lang=en")
        assert "no answer in time" in await page.evaluate("document.body.innerText")
        await page.click("a[href='/devices/a-001']")
        await page.until("document.querySelector('h1').textContent === 'a-001'")
        text = await page.evaluate("document.body.innerText")
        assert "out of range" in text
        now[0] += 1000
        record.groups["fast"].newest = outcome(schema, 1)
        await page.until("document.querySelector('[data-k=parts]').textContent.trim() === '101'")
        await page.until("document.querySelectorAll('.spark polyline').length >= 3")
        assert page.problems == []
        assert page.foreign(base) == []


async def test_a_box_that_sends_nowhere_is_not_called_disconnected() -> None:
    live, _, _ = edge()
    alone = replace(gateway_config(), northbound=())
    async with served(build(live, alone, lambda: NOW_MS)) as base:
        page = (await get(f"{base}/?lang=en")).text
    assert "None is configured" in page
    assert "Not connected" not in page


async def test_metrics_and_health_of_the_edge() -> None:
    live, _, _ = edge()
    async with served(build(live, gateway_config(), lambda: NOW_MS)) as base:
        assert (await get(f"{base}/healthz")).status_code == 200
        families = {
            family.name: family
            for family in text_string_to_metric_families((await get(f"{base}/metrics")).text)
        }
    up = {sample.labels["device"]: sample.value for sample in families["gateway_device_up"].samples}
    assert up == {"a-001": 1.0, "press-2": 0.0}
    values = {
        sample.labels["outcome"]: sample.value for sample in families["gateway_values"].samples
    }
    assert values["due"] == 16
    assert values["buffered"] == 15
    assert families["gateway_buffer_values"].samples[0].value == 1234


def test_counts_of_tags_agree_with_the_tags() -> None:
    """The first page counts in columns: objects for 100,000 tags would take half a second."""
    live, record, schema = edge()
    device = live.device("a-001")
    assert device is not None
    bad_tags = [tag.quality for tag in device.tags].count(Quality.BAD)
    assert (bad_tags, record.bad_reasons()) == (1, {Reason.RANGE: 1})
    assert (record.readable_count(), record.tag_count()) == (len(schema.tags) - 1, len(schema.tags))
    live.set_link("a-001", "down", NOW_MS, Reason.TIMEOUT)
    assert (record.readable_count(), record.bad_reasons()) == (0, {})
    fresh = DeviceRecord("b", "", "modbus", "grinder", "A-003")
    fresh.add_group(schema)
    assert (fresh.readable_count(), fresh.tag_count()) == (0, len(schema.tags))
