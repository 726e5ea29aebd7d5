"""Private members of paho that the receiver uses: a release that renames one fails here.

``pyproject.toml`` admits one release only; whoever raises it goes through this list.
"""

import inspect
import re
from importlib.metadata import version
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

import gateway.mqtt

METHODS = {
    "_packet_read": [],
    "_packet_handle": [],
    "_packet_queue": ["command", "packet", "mid", "qos", "info"],
    "_sock_recv": ["bufsize"],
}
ATTRIBUTES = {"_in_packet": dict, "_last_bytes_received": float, "_out_packet": object}


def test_the_release_is_the_one_whose_private_members_we_know() -> None:
    assert version("paho-mqtt") == "2.2.0"


def test_every_private_member_is_there_as_we_use_it() -> None:
    client = Client(CallbackAPIVersion.VERSION2)
    for name, parameters in METHODS.items():
        assert list(inspect.signature(getattr(client, name)).parameters) == parameters
    for name, kind in ATTRIBUTES.items():
        assert isinstance(getattr(client, name), kind)
    assert {"command", "packet", "pos", "remaining_length"} <= client._in_packet.keys()
    assert len(client._out_packet) == 0


def test_we_use_no_others() -> None:
    files = Path(gateway.mqtt.__path__[0]).glob("*.py")
    used = {name for file in files for name in re.findall(r"client\.(_[a-z]\w*)", file.read_text())}
    assert used == METHODS.keys() | ATTRIBUTES.keys()
