"""An enterprise's values can be counted and deleted in every store; its neighbours' stay."""

from dataclasses import replace

from gateway.city.stores.api import Store
from tests.stores.cases import T0, rows, series


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
