"""An MQTT client as the configuration wants it; one for each session."""

import asyncio
import socket
import ssl
from typing import Any
from urllib.parse import urlsplit

import aiomqtt

from edge_config.base import ClientTls
from edge_config.gateway import MqttNorthbound
from gateway.wire.messages import State, encode_message
from gateway.wire.topics import state_topic

MAX_INFLIGHT = 20
"""Publishes without PUBACK; brokers allow 20 unless told otherwise (mosquitto, MQTT 5)."""

_NO_DELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
"""Frames and acknowledgements are few; waiting to join them costs 40 ms each."""

_VERSIONS = {"3.1.1": aiomqtt.ProtocolVersion.V311, "5": aiomqtt.ProtocolVersion.V5}


def make_client(config: MqttNorthbound, gateway: str) -> aiomqtt.Client:
    """A client that is not connected yet; its will says that the gateway is offline.

    Raises:
        SecretUnavailableError: the password cannot be read.
        OSError: a file of the TLS settings cannot be read (``ssl.SSLError`` is one).
    """
    url = urlsplit(config.url)
    tls = _tls(config.tls) if url.scheme == "mqtts" else None
    clean: dict[str, Any] = {"clean_start": True}
    if config.protocol == "3.1.1":
        clean = {"clean_session": True}
    client = aiomqtt.Client(
        url.hostname or "",
        url.port or (1883 if tls is None else 8883),
        username=config.username or gateway,
        password=config.password.reveal() if config.password else None,
        identifier=f"qulink-{gateway}",
        protocol=_VERSIONS[config.protocol],
        will=aiomqtt.Will(state_topic(gateway), encode_message(State(online=False)), qos=1),
        timeout=config.connect_timeout_ms / 1000,
        keepalive=config.keepalive_s,
        max_inflight_messages=min(config.window + 2, MAX_INFLIGHT),
        tls_context=tls,
        socket_options=[_NO_DELAY],
        **clean,
    )
    client.pending_calls_threshold = config.window + 10
    return client


def heed_cancellation() -> None:
    """End the task if it has been cancelled and the MQTT client has swallowed that.

    The client waits with ``asyncio.wait_for``, which in Python 3.11 loses a cancellation that
    comes in the same turn as the answer; and leaving the client may put its own error in place.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _tls(config: ClientTls | None) -> ssl.SSLContext:
    config = config or ClientTls()
    context = ssl.create_default_context(cafile=config.ca_file)
    if config.cert_file is not None:
        context.load_cert_chain(config.cert_file, config.key_file)
    return context
