"""Private members of asyncua that we override or set: a release that renames one fails here.

``pyproject.toml`` admits one release only; whoever raises it goes through this list.
"""

import inspect
from datetime import UTC, datetime
from importlib.metadata import version

from asyncua import Client, ua
from asyncua.client.ua_client import UaClient, UASocketProtocol
from asyncua.common.connection import SecureConnection, TransportLimits
from asyncua.ua.ua_binary import nodeid_to_binary, struct_to_binary

import gateway.drivers.opcua
from gateway.drivers.opcua.connecting.client import GatewayClient
from gateway.drivers.opcua.encoding.codec import encode_publish
from tests.support.privates import project, touched

OVERRIDDEN = {"_renew_channel_loop", "_stale_watchdog_loop"}
SET = {"_watchdog_intervall"}
USED = {"_connection", "_request_id", "_request_handle", "_callbackmap"}


def test_the_release_is_the_one_whose_private_members_we_know() -> None:
    assert version("asyncua") == "2.1.0"
    assert "asyncua==2.1.0" in project()["optional-dependencies"]["opcua"]


def test_we_touch_no_others() -> None:
    assert touched(gateway.drivers.opcua) == OVERRIDDEN | SET | USED


def test_what_we_override_is_there_and_is_called_alike() -> None:
    for name in OVERRIDDEN:
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


async def test_what_publish_requests_use_is_there() -> None:
    protocol = UASocketProtocol()
    for name in ("_request_id", "_request_handle", "_callbackmap"):
        assert name in vars(protocol)
    assert {"authentication_token", "transport"} <= vars(protocol).keys()
    assert inspect.signature(UASocketProtocol.revolve_security_token).parameters.keys() == {"self"}
    signature = inspect.signature(SecureConnection.message_to_binary)
    assert list(signature.parameters) == ["self", "message", "message_type", "request_id"]
    request = ua.PublishRequest()
    request.RequestHeader.RequestHandle = ua.UInt32(17)
    request.RequestHeader.Timestamp = datetime(2026, 11, 27, tzinfo=UTC)
    request.RequestHeader.AuthenticationToken = ua.NodeId(b"token", ua.Int16(1))
    one = ua.SubscriptionAcknowledgement(ua.UInt32(7), ua.UInt32(9))
    request.Parameters.SubscriptionAcknowledgements = [one]
    token = nodeid_to_binary(request.RequestHeader.AuthenticationToken)
    time_ns = int(request.RequestHeader.Timestamp.timestamp()) * 1_000_000_000
    assert encode_publish(token, 17, time_ns, [(7, 9)]) == struct_to_binary(request)
