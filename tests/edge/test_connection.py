"""One connection of a device: what ended it, in words; what is made anew without a loss."""

from pathlib import Path
from typing import Any

import pytest

from edge_config.models.gateway import DeviceConfig
from gateway.drivers.api import NotConnectedError
from gateway.edge.device.connection import Connection
from gateway.edge.device.knowledge.keeper import KnowledgeKeeper
from gateway.edge.device.timeouts import Timeouts
from gateway.edge.device.turns import Alone, Turns
from gateway.edge.live.records import LinkLoad
from tests.edge.plant import Plant, Scripted, device_model

NOTHING_KNOWN = KnowledgeKeeper(Path("/nonexistent/buffer.db.learnt"), ())


def connection(plant: Plant, **options: Any) -> Connection:
    config = DeviceConfig(
        id="d", driver="plant", profile="p", asset_no="M", connection={}, **options
    )
    made = Connection(
        device_model(config),
        Scripted(plant),
        Turns(Alone(), LinkLoad("d")).of_one_device(),
        Timeouts(),
        NOTHING_KNOWN,
    )
    made._plans["g"] = 1
    return made


async def test_slow_answers_that_all_come_are_counted_in_the_message() -> None:
    """Nobody is silent then: the wait for the whole reading is too short."""
    plant = Plant()
    plant.silent, plant.progress = True, "11 of 20 requests were answered"
    with pytest.raises(TimeoutError) as caught:
        await connection(plant, timeout_ms=50).read("g")
    assert str(caught.value) == (
        "11 of 20 requests were answered within 50 ms (timeout_ms): "
        "raise timeout_ms, or ask for less at once"
    )


async def test_a_device_that_says_nothing_names_the_setting_too() -> None:
    plant = Plant()
    plant.silent = True
    with pytest.raises(TimeoutError, match=r"no answer in time, within 50 ms \(timeout_ms\)"):
        await connection(plant, timeout_ms=50).read("g")


async def test_a_connection_that_takes_too_long_names_its_setting() -> None:
    plant = Plant()
    plant.open.clear()
    with pytest.raises(TimeoutError, match=r"no connection within 50 ms \(connect_timeout_ms\)"):
        await connection(plant, connect_timeout_ms=50).connect()


async def test_what_has_ended_is_made_anew_only_where_it_had_served() -> None:
    plant = Plant()
    made = connection(plant)
    with pytest.raises(NotConnectedError):
        await made.read("g")
    assert plant.connects == 0
    assert not (await made.read("g", may_renew=True)).status.any()
    assert (plant.connects, made.renewals) == (1, 1)
