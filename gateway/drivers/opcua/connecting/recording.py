"""The connection of the library, with a flight recorder and limits of our own."""

import asyncio
from typing import Any  # of types of messages, which are bytes declared otherwise

from asyncua import ua
from asyncua.client.ua_client import UASocketProtocol
from asyncua.common.connection import SecureConnection, TransportLimits
from asyncua.common.utils import Buffer
from asyncua.crypto.security_policies import SecurityPolicy

from gateway.drivers.frames import FrameLog
from gateway.drivers.opcua.faults import name_of
from gateway.drivers.opcua.trace.keeping import kept_request, kept_response


class RecordedConnection(SecureConnection):
    """Messages pass here once each, before encryption and after decryption.

    Args:
        policy: how they are secured.
        limits: what either side takes.
        frames: where they are kept.
    """

    def __init__(self, policy: SecurityPolicy, limits: TransportLimits, frames: FrameLog) -> None:
        super().__init__(policy, limits)
        self._frames = frames

    def message_to_binary(
        self,
        message: bytes,
        message_type: Any = ua.MessageType.SecureMessage,
        request_id: int = 0,
    ) -> bytes:
        """Keep a message that goes out; see the library."""
        self._frames.sent(kept_request(message_type, request_id, message))
        return super().message_to_binary(message, message_type, request_id)

    def receive_from_header_and_body(self, header: ua.Header, body: Buffer) -> Any:
        """Keep a message that came whole; see the library."""
        try:
            message = super().receive_from_header_and_body(header, body)
        except Exception as error:  # the library ends the connection then
            self._frames.note(
                f"a message that cannot be read: {str(error) or type(error).__name__}"
            )
            raise
        if isinstance(message, ua.Message):
            content = bytes(message.body())
            kind: Any = header.MessageType
            self._frames.received(kept_response(kind, message.request_id(), content))
        elif isinstance(message, ua.ErrorMessage):
            self._frames.note(f"the server ends the connection: {_error(message)}")
        return message


def _error(message: ua.ErrorMessage) -> str:
    name = name_of(int(message.Error.value))
    return f"{name}: {message.Reason}" if message.Reason else name


def note_ends(protocol: UASocketProtocol, frames: FrameLog) -> None:
    """Note what cuts a conversation off: answers that do not come, and the connection's end."""
    send, lost = protocol.send_request, protocol.on_connection_lost

    async def noted(
        request: Any,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's
        message_type: Any = ua.MessageType.SecureMessage,
    ) -> Buffer:
        try:
            return await send(request, timeout, message_type)
        except TimeoutError:
            frames.note(f"no answer to {_service(request)} in time")
            raise
        except asyncio.CancelledError:
            frames.note(f"no answer to {_service(request)} while somebody waited for it")
            raise

    def ended(error: Exception | None) -> None:
        frames.note(f"the connection ended{f': {error}' if error else ''}")
        if lost is not None:
            lost(error)

    protocol.send_request = noted  # type: ignore[method-assign]
    protocol.on_connection_lost = ended


def _service(request: Any) -> str:
    return type(request).__name__.removesuffix("Request")
