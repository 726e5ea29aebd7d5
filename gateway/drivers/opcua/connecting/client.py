"""The library's client with what a gateway needs otherwise.

It keeps the channel, the session and its signs of life. Its own reconnection is off: the poller
owns that, and a session is never reused. Its log is silenced, because every fault leaves the
driver as an exception that the poller logs once, and because its debug log would show passwords.
"""

import logging
from typing import Any

from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.connection import TransportLimits
from asyncua.crypto.security_policies import SecurityPolicyNone

from gateway.drivers.api import DriverError, RefusedError
from gateway.drivers.opcua.config import Connection
from gateway.drivers.opcua.faults import LIBRARY_ERRORS, translated

logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)

_CHUNK = 65_535
"""Largest chunk that we take, bytes."""
_MESSAGE = 16 * 1024 * 1024
"""Largest message that we take, bytes; a full response of 10,000 numbers has 0.3 MB."""
_CHUNKS = _MESSAGE // 8_192
"""Most chunks of a message; no peer takes smaller ones (Part 6, 7.1.2.3)."""
_SIGNS = 3
"""Signs of life within a session's time-out."""
_FAILURES: tuple[type[Exception], ...] = (DriverError, *LIBRARY_ERRORS)


class _Limits(TransportLimits):
    """What we take, and what the server takes.

    The library applies what the server can *receive* to what it sends; a controller with little
    room for requests could then send no long response.
    """

    def update_client_limits(self, msg: ua.Acknowledge) -> None:
        """Take over what the server can receive."""
        self.max_send_buffer = min(_CHUNK, msg.ReceiveBufferSize)


class GatewayClient(Client):
    """One connection and session; refuses to send a password in clear unless told to.

    Attributes:
        may_show_password: whether a password may travel unencrypted.
        own_certificate: file that the server must trust, for messages.
    """

    may_show_password = False
    own_certificate = ""

    async def connect_socket(self) -> None:
        """Connect; see the library."""
        await super().connect_socket()
        limits = _Limits(_CHUNK, _CHUNK, _CHUNKS, _MESSAGE)
        protocol = self.uaclient.protocol
        assert protocol is not None  # noqa: S101 - connecting made it
        protocol._connection._limits = limits  # noqa: SLF001 - no other way to set them

    async def open_secure_channel(self, renew: bool = False) -> None:
        """Open or renew the channel; see the library."""
        try:
            await super().open_secure_channel(renew)
        except AssertionError as error:  # the library's, when the answer is a ServiceFault
            raise RefusedError(
                f"connect to {self.server_url.netloc}: the server refused the secure channel; it "
                f"must trust our certificate {self.own_certificate}"
            ) from error

    async def _renew_channel_loop(self) -> None:
        """Renew the channel in time; without it the connection has no future."""
        try:
            await super()._renew_channel_loop()
        except _FAILURES:  # told by whatever waits for the connection
            self.abort()

    async def _stale_watchdog_loop(self) -> None:
        """Watch nothing: subscriptions are ours, and Publishing watches them."""

    async def create_session(self) -> ua.CreateSessionResult:
        """Begin a session; signs of life follow the time-out that the server grants."""
        made = await super().create_session()
        self._watchdog_intervall = self.session_timeout / 1000 / _SIGNS
        return made

    async def activate_session(
        self, username: str | None = None, password: str | None = None, certificate: Any = None
    ) -> ua.ActivateSessionResult:
        """Log in; see the library."""
        if username and not self.may_show_password and self._would_show_password():
            raise RefusedError(
                f"log in to {self.server_url.netloc}: the server wants the password unencrypted; "
                "set security: basic256sha256, or password_in_clear: allow on a trusted network"
            )
        return await super().activate_session(username, password, certificate)

    def _would_show_password(self) -> bool:
        policy = self.server_policy(ua.UserTokenType.UserName)
        encrypted = self.security_policy.Mode == ua.MessageSecurityMode.SignAndEncrypt
        return not encrypted and policy.SecurityPolicyUri in ("", None, SecurityPolicyNone.URI)

    def abort(self) -> None:
        """Drop the connection at once, if there is one."""
        protocol = self.uaclient.protocol
        if protocol is not None and protocol.transport is not None:
            protocol.transport.abort()


def new_client(connection: Connection) -> GatewayClient:
    """A client for a connection; nothing is opened yet.

    Raises:
        RefusedError: the password cannot be read.
    """
    client = GatewayClient(connection.url, connection.request_timeout_ms / 1000)
    client.name = client.description = "qulink gateway"
    client.application_uri = "urn:qulink:gateway"
    client.product_uri = "urn:qulink"
    client.session_timeout = connection.session_timeout_ms
    client.max_messagesize, client.max_chunkcount = _MESSAGE, _CHUNKS
    client.may_show_password = connection.password_in_clear == "allow"  # noqa: S105 - a setting
    if connection.username and connection.password:
        with translated(f"log in to {connection.endpoint}"):
            client.set_user(connection.username)
            client.set_password(connection.password.reveal())
    return client
