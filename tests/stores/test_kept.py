"""How long a real store keeps values is asked of it, and compared with what is promised."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from edge_config.models.base import Secret
from edge_config.models.city import Influx1Store
from gateway.city.evidence.auditing.reach import Reach, Standing, reach
from gateway.city.stores.api import StoreMisconfiguredError
from gateway.city.stores.embedded import EmbeddedStore
from gateway.city.stores.influx1 import Influx1
from gateway.cli.main import build
from gateway.core.days import DAY_MS, day_start_ms
from tests.stores.cases import influx1, influx2
from tests.support.city import city_file
from tests.support.influx2_contract import ContractServer
from tests.support.influxd import Influxd

NOW = day_start_ms(date(2026, 11, 28)) + DAY_MS // 2


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    """A server that asks who somebody is; reader may read and write the database."""
    with Influxd(tmp_path_factory.mktemp("guarded"), auth=True) as server:
        for statement in (
            "CREATE USER reader WITH PASSWORD 'secret'",
            "GRANT ALL ON qulink TO reader",
            "CREATE USER stranger WITH PASSWORD 'secret'",
            "GRANT WRITE ON qulink TO stranger",
        ):
            server.query(statement)
        yield server


def judged(standing: Standing, kept: int | None, since: date | None) -> Reach:
    return Reach(standing, 365, kept, since)


@pytest.mark.parametrize(
    ("duration", "found"),
    [
        ("INF", judged(Standing.EVER, None, date(2025, 11, 28))),
        ("30d", judged(Standing.SHORTER, 30, date(2026, 10, 29))),
        ("1080m", judged(Standing.SHORTER, 0, date(2026, 11, 28))),
        ("365d", judged(Standing.PROMISED, 365, date(2025, 11, 28))),
        ("8761h", judged(Standing.LONGER, 365, date(2025, 11, 28))),
    ],
)
async def test_an_influxdb_1_says_it_by_its_policy(
    guarded: Influxd, monkeypatch: pytest.MonkeyPatch, duration: str, found: Reach
) -> None:
    monkeypatch.setenv("STORE_PASSWORD", "secret")
    guarded.query(
        f"CREATE RETENTION POLICY p{duration} ON qulink DURATION {duration} REPLICATION 1"
    )
    login = {"username": "reader", "password": Secret(env="STORE_PASSWORD")}
    at = {"url": guarded.url, "database": "qulink", "retention_policy": f"p{duration}"}
    store = Influx1(Influx1Store(type="influxdb1", **at, **login))
    await store.open()
    assert await reach(store, 365, NOW) == found
    await store.close()


async def test_the_default_policy_is_the_databases(influxd: Influxd) -> None:
    database = influxd.database()
    influxd.query(f"CREATE RETENTION POLICY d ON {database} DURATION 2d REPLICATION 1 DEFAULT")
    store = influx1(influxd.url, database)
    await store.open()
    assert (await reach(store, 365, NOW)).kept == 2
    influxd.query(f"DROP RETENTION POLICY d ON {database}")
    found = await reach(store, 365, NOW)
    assert (found.standing, found.since) == (Standing.UNKNOWN, None)
    assert "no default retention policy; create it" in found.why
    await store.close()


async def test_without_the_right_it_is_unknown(
    guarded: Influxd, contract: ContractServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE_PASSWORD", "secret")
    login = {"username": "stranger", "password": Secret(env="STORE_PASSWORD")}
    one = Influx1(Influx1Store(type="influxdb1", url=guarded.url, database="qulink", **login))
    two = influx2(monkeypatch, contract.url)
    contract.kept_s = None
    for store, words in ((one, "not authorized"), (two, "'read buckets'")):
        with pytest.raises(StoreMisconfiguredError):
            await store.open()
            await store.kept()
        found = await reach(store, 365, NOW)
        assert (found.standing, found.kept, found.audited_days) == (Standing.UNKNOWN, None, 365)
        assert words in found.why
        await store.close()


@pytest.mark.parametrize(
    ("seconds", "found"),
    [
        (0, judged(Standing.EVER, None, date(2025, 11, 28))),
        (30 * 86_400, judged(Standing.SHORTER, 30, date(2026, 10, 29))),
        (365 * 86_400, judged(Standing.PROMISED, 365, date(2025, 11, 28))),
    ],
)
async def test_an_influxdb_2_says_it_by_its_bucket(
    contract: ContractServer, monkeypatch: pytest.MonkeyPatch, seconds: int, found: Reach
) -> None:
    contract.kept_s = seconds
    store = influx2(monkeypatch, contract.url)
    await store.open()
    assert await reach(store, 365, NOW) == found
    await store.close()


async def test_a_file_is_kept_as_the_city_deletes_there(tmp_path: Path) -> None:
    found = await reach(EmbeddedStore(tmp_path / "telemetry.db"), 365, NOW)
    assert found == judged(Standing.PROMISED, 365, date(2025, 11, 28))


def test_the_command_says_what_cannot_be_audited(influxd: Influxd, tmp_path: Path) -> None:
    database = influxd.database()
    influxd.query(f"CREATE RETENTION POLICY d ON {database} DURATION 30d REPLICATION 1 DEFAULT")

    def said(**more: Any) -> tuple[int, str]:
        file = city_file(tmp_path, "127.0.0.1:1", **more)
        done = CliRunner().invoke(build(["city"]), ["city", "retention", "-c", str(file)])
        return done.exit_code, done.output

    code, told = said()
    assert code == 0 and "retention.telemetry_days\t730\nstore (embedded)\t730\n" in told
    store = {"type": "influxdb1", "url": influxd.url, "database": database}
    code, told = said(store=store)
    assert code == 1 and "store (influxdb1)\t30\n" in told
    assert "there are no values to audit evidence by: set the store's own retention to 730" in told
    code, told = said(store=store | {"url": "http://127.0.0.1:1"})
    assert code == 1 and "qulink city retention: InfluxDB http://127.0.0.1:1" in told
