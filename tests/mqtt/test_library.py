"""Private members of paho and aiomqtt that we use: a release that renames one fails here.

``pyproject.toml`` admits one release of each only; whoever raises it goes through this list.
"""

import asyncio
import inspect
from importlib.metadata import version

import aiomqtt
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

import gateway.mqtt
from gateway.mqtt.client import Client as Session
from tests.support.privates import project, touched

METHODS = {
    "_packet_read": [],
    "_packet_handle": [],
    "_packet_queue": ["command", "packet", "mid", "qos", "info"],
    "_sock_recv": ["bufsize"],
}
ATTRIBUTES = {"_in_packet": dict, "_last_bytes_received": float, "_out_packet": object}
OF_AIOMQTT = {"_client", "_connected", "_disconnected", "_queue"}
OVERRIDDEN = {"_on_connect", "_on_disconnect", "_on_publish", "_wait_for"}


def test_the_releases_are_those_whose_private_members_we_know() -> None:
    for library, known in (("paho-mqtt", "2.2.0"), ("aiomqtt", "2.5.1")):
        assert version(library) == known
        assert f"{library}=={known}" in project()["dependencies"]


def test_every_private_member_is_there_as_we_use_it() -> None:
    client = Client(CallbackAPIVersion.VERSION2)
    for name, parameters in METHODS.items():
        assert list(inspect.signature(getattr(client, name)).parameters) == parameters
    for name, kind in ATTRIBUTES.items():
        assert isinstance(getattr(client, name), kind)
    assert {"command", "packet", "pos", "remaining_length"} <= client._in_packet.keys()
    assert len(client._out_packet) == 0


async def test_what_we_use_of_aiomqtt_is_there() -> None:
    client = aiomqtt.Client("localhost")
    assert set(dir(client)) >= OF_AIOMQTT
    for name in OVERRIDDEN:
        theirs, ours = getattr(aiomqtt.Client, name), getattr(Session, name)
        assert len(inspect.signature(theirs).parameters) == len(inspect.signature(ours).parameters)
    assert isinstance(client._client, Client)
    assert isinstance(client._disconnected, asyncio.Future)


def test_we_touch_no_others() -> None:
    assert touched(gateway.mqtt) == METHODS.keys() | ATTRIBUTES.keys() | OF_AIOMQTT | OVERRIDDEN
