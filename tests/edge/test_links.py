"""Devices of one key share a link, and each has its turn."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge_config.loading.resolved import LoadedGateway
from gateway.drivers.api import DriverSpec, LinkSpec
from gateway.edge.device.links import Links
from tests.edge.plant import Plant, Scripted, loaded


class Line:
    """A link that remembers for how many connections it was made."""

    turns = 1

    def __init__(self, connections: Sequence[Any]) -> None:
        self.size = len(connections)

    def driver(self, connection: Any) -> Scripted:
        driver = Scripted(Plant())
        driver.plant.link = self
        return driver


def three(folder: Path) -> LoadedGateway:
    """Three devices; the connection of the last has another key."""
    plan = loaded(folder)
    one = plan.devices[0]
    return replace(plan, devices=tuple(replace(one, connection=key) for key in ("a", "a", "b")))


def spec(link: LinkSpec | None) -> DriverSpec:
    return replace(Plant().spec(), link=link)


def test_devices_of_one_key_have_one_link_and_one_turn(tmp_path: Path) -> None:
    devices = three(tmp_path).devices
    shared = LinkSpec(key=lambda connection: connection, make=Line)
    links = Links(devices, {"plant": spec(shared)})
    ways = [links.way(device) for device in devices]
    lines = [make().plant.link for make, _ in ways]
    assert lines[0] is lines[1]
    assert lines[0] is not lines[2]
    assert [line.size for line in lines] == [2, 2, 1]
    assert ways[0][1] is ways[1][1]
    assert ways[0][1] is not ways[2][1]


def test_a_driver_without_links_is_made_on_its_own(tmp_path: Path) -> None:
    devices = three(tmp_path).devices
    links = Links(devices, {"plant": spec(None)})
    turns = [links.way(device)[1] for device in devices]
    assert len({id(turn) for turn in turns}) == 3


async def test_turns_are_granted_in_order_and_one_at_a_time(tmp_path: Path) -> None:
    device = three(tmp_path).devices[0]
    shared = LinkSpec(key=lambda connection: connection, make=Line)
    _, turn = Links([device], {"plant": spec(shared)}).way(device)
    order: list[str] = []
    inside = 0

    async def unit(name: str) -> None:
        nonlocal inside
        for _ in range(5):
            async with turn:
                inside += 1
                assert inside == 1
                await asyncio.sleep(0)
                order.append(name)
                inside -= 1

    await asyncio.gather(*(unit(name) for name in "abc"))
    assert all(Counter(order[at : at + 3]) == Counter("abc") for at in range(0, 15, 3))
