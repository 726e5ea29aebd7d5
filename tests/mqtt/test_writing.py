"""A session that ends in the turn in which something was given to it to send."""

import asyncio
import os
import socket
from typing import Any

import pytest

from edge_config.models.gateway import QulinkNorthbound
from edge_config.models.validation import validated
from gateway.mqtt.client import Client
from tests.support.broker import Mosquitto

TURNS = 5


@pytest.fixture
def broker(mosquitto: Mosquitto) -> QulinkNorthbound:
    return validated(QulinkNorthbound, {"url": mosquitto.url})


async def turns() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def test_a_socket_that_was_closed_meanwhile_is_not_watched(broker: QulinkNorthbound) -> None:
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, fault: faults.append(fault))
    async with Client(broker, username="gw") as client:
        client.send([("t", b"last words")])
        client._client._sock_close()
        await turns()
    assert faults == []


async def test_the_next_owner_of_its_number_keeps_its_own_writer(broker: QulinkNorthbound) -> None:
    """As a device would be that is connected to just then."""
    loop, written = asyncio.get_running_loop(), 0

    def write() -> None:
        nonlocal written
        written += 1

    async with Client(broker, username="gw") as client:
        sock = client._client.socket()
        assert sock is not None
        number = sock.fileno()
        client.send([("t", b"last words")])
        ours, theirs = socket.socketpair()
        client._client._sock_close()
        with ours, theirs, socket.socket(fileno=os.dup2(ours.fileno(), number)):
            loop.add_writer(number, write)
            await turns()
            before = written
            await turns()
            assert written > before > 0
            loop.remove_writer(number)
