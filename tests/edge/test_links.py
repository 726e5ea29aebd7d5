"""Devices of one key share a link: each has its turn, and the link follows what they say."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge_config.loading.resolved import ResolvedDevice
from gateway.drivers.spec import DriverSpec, LinkSpec
from gateway.edge.app import compose
from gateway.edge.buffer.buffer import Buffer
from gateway.edge.device.links import Links
from gateway.edge.live.view import Live
from tests.edge.plant import Plant, Scripted, loaded
from tests.support.consumers import for_city


class Line:
    """A link whose connections are pairs of a key and a setting."""

    def __init__(self, connections: Sequence[Any]) -> None:
        self.turns = 1
        self.said: list[Any] = []
        self.configure(connections)

    def configure(self, connections: Sequence[Any]) -> None:
        self.said = [setting for _, setting in connections]

    def driver(self, connection: Any) -> Scripted:
        driver = Scripted(Plant())
        driver.plant.link = self  # type: ignore[attr-defined]
        return driver


def devices(folder: Path, *connections: tuple[str, Any]) -> list[ResolvedDevice]:
    """Devices d0, d1 … with these connections."""
    one = loaded(folder).devices[0]
    return [
        replace(one, config=replace(one.config, id=f"d{at}"), connection=connection)
        for at, connection in enumerate(connections)
    ]


def spec(link: LinkSpec | None) -> DriverSpec:
    return replace(Plant().spec(), link=link)


SHARED = spec(LinkSpec(key=lambda connection: connection[0], make=Line))


def links(live: Live | None = None) -> Links:
    return Links({"plant": SHARED}, live or Live(), lambda: 0.0)


def turns(way: Any) -> Any:
    return way[1]._turns


def line(way: Any) -> Line:
    made: Line = way[0]().plant.link
    return made


def test_devices_of_one_key_have_one_link_and_its_turns(tmp_path: Path) -> None:
    known = links()
    ways = [known.join(one) for one in devices(tmp_path, ("a", 1), ("a", 2), ("b", 3))]
    assert line(ways[0]) is line(ways[1])
    assert line(ways[0]) is not line(ways[2])
    assert turns(ways[0]) is turns(ways[1])
    assert turns(ways[0]) is not turns(ways[2])


def test_a_driver_without_links_is_made_on_its_own(tmp_path: Path) -> None:
    known = Links({"plant": spec(None)}, Live(), lambda: 0.0)
    own = [known.join(one)[1] for one in devices(tmp_path, ("a", 1), ("a", 2))]
    assert own[0] is not own[1]


def test_a_link_follows_the_latest_word_of_each_device(tmp_path: Path) -> None:
    known = links()
    one, two = devices(tmp_path, ("a", 1), ("a", 2))
    ways = [known.join(one), known.join(two)]
    assert line(ways[0]).said == [2, 1]
    known.join(replace(one, connection=("a", 7)))
    assert line(ways[1]).said == [7, 2]
    known.leave("d0")
    assert line(ways[1]).said == [2]


def test_a_link_goes_with_its_last_device_and_the_next_one_makes_another(tmp_path: Path) -> None:
    live = Live()
    known = links(live)
    one, two = devices(tmp_path, ("a", 1), ("a", 2))
    first = line(known.join(one))
    known.join(two)
    known.leave("d0")
    assert [(load.devices, load.name[:5]) for load in live.shared_links()] == [(1, "plant")]
    known.leave("d1")
    assert not live.shared_links()
    assert line(known.join(one)) is not first


def test_a_device_that_moves_to_another_endpoint_leaves_its_link(tmp_path: Path) -> None:
    known = links()
    one, two = devices(tmp_path, ("a", 1), ("a", 2))
    before, _ = known.join(one), known.join(two)
    after = known.join(replace(one, connection=("b", 1)))
    assert line(before).said == [2]
    assert line(after).said == [1]
    known.leave("never seen")


@pytest.mark.parametrize("connection", [("a", 4), ("b", 4)])
async def test_a_device_that_is_replaced_takes_its_new_settings_along(
    tmp_path: Path, connection: tuple[str, int]
) -> None:
    plan = loaded(tmp_path)
    device = replace(plan.devices[0], connection=("a", 1))
    buffer = Buffer.open(tmp_path / "b.db", for_city(1 << 30, 1 << 50))
    edge = compose(replace(plan, devices=(device,)), {"plant": SHARED}, buffer)
    await edge.devices.replace(replace(device, connection=connection))
    assert [load.devices for load in edge.live.shared_links()] == [1]
    assert line(edge.devices["d"]._way).said == [4]
    await edge.devices.remove("d")
    assert not edge.live.shared_links()
    buffer.close()
