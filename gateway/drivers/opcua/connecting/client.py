"""The library's client with what a gateway needs otherwise.

It keeps the channel, the session and its signs of life. Its own reconnection is off: the poller
owns that, and a session is never reused. Its log is silenced, because every fault leaves the
driver as an exception that the poller logs once, and because its debug log would show passwords.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.connection import TransportLimits
from asyncua.crypto.security_policies import SecurityPolicyNone
from asyncua.ua.ua_binary import struct_from_binary

from gateway.drivers.api import DriverError, RefusedError
from gateway.drivers.frames import NOT_KEPT, FrameLog
from gateway.drivers.opcua.config import Connection
from gateway.drivers.opcua.connecting.offers import matching, offered
from gateway.drivers.opcua.connecting.recording import RecordedConnection, note_ends
from gateway.drivers.opcua.faults import LIBRARY_ERRORS, translated

logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)

_CHUNK = 65_535
"""Largest chunk that we take, bytes."""
_MESSAGE = 16 * 1024 * 1024
"""Largest message that we take, bytes; a full response of 10,000 numbers has 0.3 MB."""
_CHUNKS = _MESSAGE // 8_192
"""Most chunks of a message; no peer takes smaller ones (Part 6, 7.1.2.3)."""
_ABANDON_S = 0.5
"""Longest wait for the answer to a session that nobody wants any more."""
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
        endpoints: what the server offers, as far as it was asked.
        server_time: the server's clock when it was asked for them, UTC; None: it does not say.
        frames: where messages are kept.
    """

    may_show_password = False
    own_certificate = ""
    endpoints: Sequence[ua.EndpointDescription] = ()
    server_time: datetime | None = None
    frames: FrameLog = NOT_KEPT

    async def connect_socket(self) -> None:
        """Connect; see the library."""
        await super().connect_socket()
        limits = _Limits(_CHUNK, _CHUNK, _CHUNKS, _MESSAGE)
        protocol = self.uaclient.protocol
        assert protocol is not None  # noqa: S101 - connecting made it
        connection = RecordedConnection(self.security_policy, limits, self.frames)
        protocol._connection = connection  # noqa: SLF001 - no other way to set limits and listen
        note_ends(protocol, self.frames)

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

    async def get_endpoints(self) -> list[ua.EndpointDescription]:
        """Ask for the endpoints; the response also tells the server's time."""
        protocol = self.uaclient.protocol
        if protocol is None:
            raise ConnectionError("the connection is closed")
        request = ua.GetEndpointsRequest()
        request.Parameters.EndpointUrl = self.server_url.geturl()
        body = await protocol.send_request(request)
        response: ua.GetEndpointsResponse = struct_from_binary(ua.GetEndpointsResponse, body)
        response.ResponseHeader.ServiceResult.check()
        self.server_time = response.ResponseHeader.Timestamp
        return list(response.Endpoints or ())

    async def create_session(self) -> ua.CreateSessionResult:
        """Begin a session; signs of life follow the time-out that the server grants."""
        create = self.uaclient.session.create_session

        async def completed(parameters: ua.CreateSessionParameters) -> ua.CreateSessionResult:
            making = asyncio.ensure_future(create(parameters))
            try:
                made = await asyncio.shield(making)
            except asyncio.CancelledError:
                # The server counts it until it is closed, and it has no name before the answer.
                await asyncio.wait([making], timeout=_ABANDON_S)
                making.cancel()
                raise
            await self._complete(made)
            return made

        self.uaclient.create_session = completed  # type: ignore[method-assign]
        made = await super().create_session()
        self._watchdog_intervall = self.session_timeout / 1000 / _SIGNS
        return made

    async def _complete(self, made: ua.CreateSessionResult) -> None:
        """Add what a server leaves out of its answer and has said of its endpoints.

        The library looks for the endpoint and the certificate there, and only there.
        """
        policy = self.security_policy
        found = matching(made.ServerEndpoints or (), policy.Mode, policy.URI)
        if found is None:
            self.endpoints = self.endpoints or await self.get_endpoints()
            found = matching(self.endpoints, policy.Mode, policy.URI)
        if found is None:
            listed = offered([*(made.ServerEndpoints or ()), *self.endpoints])
            raise RefusedError(
                f"connect to {self.server_url.netloc}: the server lists no endpoint as we are "
                f"connected, {policy.URI.rpartition('#')[2]}; it offers {listed}: set 'security' "
                "to one of them, or enable this one in the server"
            )
        found.EndpointUrl = found.EndpointUrl or self.server_url.geturl()
        found.UserIdentityTokens = found.UserIdentityTokens or []
        made.ServerEndpoints = [found]
        made.ServerCertificate = made.ServerCertificate or found.ServerCertificate

    async def activate_session(
        self, username: str | None = None, password: str | None = None, certificate: Any = None
    ) -> ua.ActivateSessionResult:
        """Log in; see the library."""
        if username and not self.may_show_password and self._would_show_password():
            raise RefusedError(
                f"log in to {self.server_url.netloc}: the server wants the password unencrypted; "
                "set security: auto, or password_in_clear: allow on a trusted network"
            )
        if username and not self.security_policy.peer_certificate and self._encrypts_password():
            raise RefusedError(
                f"log in to {self.server_url.netloc}: the server wants the password encrypted and "
                "shows no certificate to do so; set security: auto"
            )
        return await super().activate_session(username, password, certificate)

    def _encrypts_password(self) -> bool:
        policy = self.server_policy(ua.UserTokenType.UserName)
        return policy.SecurityPolicyUri not in ("", None, SecurityPolicyNone.URI)

    def _would_show_password(self) -> bool:
        policy = self.server_policy(ua.UserTokenType.UserName)
        encrypted = self.security_policy.Mode == ua.MessageSecurityMode.SignAndEncrypt
        return not encrypted and policy.SecurityPolicyUri in ("", None, SecurityPolicyNone.URI)

    def abort(self) -> None:
        """Drop the connection at once, if there is one."""
        protocol = self.uaclient.protocol
        if protocol is not None and protocol.transport is not None:
            protocol.transport.abort()


def new_client(
    connection: Connection, url: str | None = None, frames: FrameLog = NOT_KEPT
) -> GatewayClient:
    """A client for a connection; nothing is opened yet.

    Args:
        connection: to which server, and how.
        url: the address, if another than the connection's.
        frames: where messages are kept.

    Raises:
        RefusedError: the password cannot be read.
    """
    client = GatewayClient(url or connection.url, connection.request_timeout_ms / 1000)
    client.frames = frames
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
