"""Private members of asyncua that we override or set: a release that renames one fails here.

``pyproject.toml`` admits one minor release only; whoever raises it goes through this list.
"""

import inspect
from importlib.metadata import version

from asyncua import Client
from asyncua.client.ua_client import UaClient, UASocketProtocol
from asyncua.common.connection import SecureConnection, TransportLimits

from gateway.drivers.opcua.client import GatewayClient


def test_the_release_is_the_one_whose_private_members_we_know() -> None:
    assert version("asyncua").startswith("2.1.")


def test_what_we_override_is_there_and_is_called_alike() -> None:
    for name in ("_renew_channel_loop", "_stale_watchdog_loop"):
        theirs, ours = getattr(Client, name), getattr(GatewayClient, name)
        assert inspect.iscoroutinefunction(theirs)
        assert (
            inspect.signature(theirs).parameters.keys() == inspect.signature(ours).parameters.keys()
        )
    assert inspect.signature(TransportLimits.update_client_limits).parameters.keys() == {
        "self",
        "msg",
    }


async def test_what_we_set_is_there() -> None:
    client = Client("opc.tcp://127.0.0.1:4840")
    assert "_watchdog_intervall" in vars(client)
    assert isinstance(client.uaclient, UaClient)
    connection = UASocketProtocol()._connection
    assert isinstance(connection, SecureConnection)
    assert isinstance(connection._limits, TransportLimits)
