"""A row of the embedded store is one poll of each group: values of two are never mixed."""

from pathlib import Path

from gateway.city.stores.api import Rows
from gateway.city.stores.embedded import EmbeddedStore
from gateway.core.status import GOOD, Reason, uncertain
from tests.stores.cases import T0, rows, series

RANGE = uncertain(Reason.RANGE)


async def written(folder: Path, *tables: Rows) -> dict[str, tuple[object, int]]:
    """What a store holds after tables were written one after another: values and statuses."""
    store = EmbeddedStore(folder / "telemetry.db")
    await store.open()
    for table in tables:
        assert await store.write([table]) == []
    found = await store.latest(series("gw"))
    held = await store.count(["gw"], T0, T0 + 1)
    await store.close()
    assert held == len(found)
    return {name: (point.value, point.status) for name, point in found.items()}


def poll(a: float, b: float | None, status: int = GOOD) -> Rows:
    """A group of two fields; what report-by-exception held back is not present."""
    return rows(
        [T0],
        of=series("gw"),
        present=[[True, b is not None]],
        status=[[status, status if b is not None else GOOD]],
        a=("f8", [a]),
        b=("f8", [b or 0.0]),
    )


OTHER_GROUP = rows([T0], of=series("gw"), status=[[RANGE]], c=("f8", [9.0]))


async def test_of_two_polls_at_one_time_the_later_one_stands_alone(tmp_path: Path) -> None:
    found = await written(tmp_path, poll(1.0, 1.0, RANGE), OTHER_GROUP, poll(2.0, None))
    assert found == {"a": (2.0, GOOD), "c": (9.0, RANGE)}


async def test_a_poll_that_comes_again_or_in_pieces_is_one(tmp_path: Path) -> None:
    found = await written(tmp_path, poll(1.0, None), poll(1.0, 1.0), OTHER_GROUP, poll(1.0, None))
    assert found == {"a": (1.0, GOOD), "b": (1.0, GOOD), "c": (9.0, RANGE)}
