"""An enterprise's values can be counted and deleted in every store; its neighbours' stay."""

from dataclasses import replace
from pathlib import Path

from edge_config.models.city import Influx1Store
from gateway.city.stores.api import Store
from gateway.city.stores.embedded import EmbeddedStore
from gateway.city.stores.influx1 import Influx1
from tests.stores.cases import T0, influx1, rows, series
from tests.support.influxd import Influxd


async def test_values_of_one_enterprise_go_and_all_others_stay(store: Store, gateway: str) -> None:
    own, other = f"E{abs(hash(gateway))}A", f"E{abs(hash(gateway))}B"
    mine = replace(series(gateway), enterprise=own)
    machines = [mine, replace(mine, measurement="press", equipment="P-1")]
    theirs = replace(series(gateway), enterprise=other, equipment="B-002")
    tables = [
        rows([T0 - 10**11, T0], of=one, speed=("f8", [1.5, 2.5])) for one in (*machines, theirs)
    ]
    assert not await store.write(tables)
    assert await store.held(own) == {"grinder": 2, "press": 2}
    before = await store.latest(theirs), await store.hours(gateway, T0 - 1, T0 + 1)
    await store.erase(own)
    assert await store.held(own) == {}
    assert [await store.latest(one) for one in machines] == [{}, {}]
    assert await store.history(mine, "speed", T0 - 10**12, T0 + 1, 10) == []
    assert await store.held(other) == {"grinder": 2}
    assert await store.latest(theirs) == before[0]
    mine_gone = [one for one in before[1] if one.series == theirs]
    assert list(await store.hours(gateway, T0 - 1, T0 + 1)) == mine_gone
    await store.erase(own)  # of nothing it is nothing
    await store.write(tables[:1])  # a later agreement may bring new ones
    assert await store.held(own) == {"grinder": 2}
    await store.erase(own)


async def test_values_of_all_retention_policies_are_counted_and_go(influxd: Influxd) -> None:
    """A city that was given another policy has its older values in the one before."""
    database = influxd.database()
    influxd.query(f"CREATE RETENTION POLICY older ON {database} DURATION INF REPLICATION 1")
    of = Influx1Store(
        type="influxdb1", url=influxd.url, database=database, retention_policy="older"
    )
    before, now = Influx1(of), influx1(influxd.url, database)
    for one, count in ((before, 1), (now, 2)):
        await one.open()
        await one.write([rows([T0 + n for n in range(count)], speed=("f8", [1.5] * count))])
    enterprise = series().enterprise
    assert await now.held(enterprise) == await before.held(enterprise) == {"grinder": 3}
    await now.erase(enterprise)
    assert await now.held(enterprise) == await before.held(enterprise) == {}
    await before.close()
    await now.close()


async def test_what_another_process_erased_comes_back_as_nobody_elses(tmp_path: Path) -> None:
    """A city knows numbers of series by heart, and a number that went is given again."""
    city, command = (EmbeddedStore(tmp_path / "telemetry.db") for _ in range(2))
    await city.open()
    await command.open()
    gone = series()
    theirs = replace(gone, enterprise="another", equipment="B-2")
    await city.write([rows([T0], of=gone, speed=("f8", [1.5]))])
    await command.erase(gone.enterprise)
    late = [
        rows([T0], of=one, speed=("f8", [value])) for one, value in ((theirs, 7.0), (gone, 8.0))
    ]
    assert not await city.write(late)
    assert await city.held(gone.enterprise) == await city.held("another") == {"grinder": 1}
    assert (await city.latest(theirs))["speed"].value == 7.0
    await city.close()
    await command.close()
