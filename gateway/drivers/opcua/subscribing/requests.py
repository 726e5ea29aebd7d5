# ruff: noqa: SLF001 - numbering and channel are the library's; a test names all that is used
"""Publish requests past the library: one goes out for every message that comes.

The library makes an object of each part of a request, and a task that waits for the response. Of
a message of 1,000 values that is a tenth of the whole cost, buffer and all.
"""

import asyncio
import time
from collections.abc import Sequence

from asyncua.client.ua_client import UaClient, UaClientState
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import nodeid_to_binary

from gateway.drivers.opcua.encoding.codec import Acknowledgement, encode_publish


class PublishRequests:
    """Publish requests of one session that is open."""

    def __init__(self, client: UaClient) -> None:
        self._client = client
        self._token = b""

    def send(self, received: Sequence[Acknowledgement]) -> asyncio.Future[Buffer]:
        """Send one, and go on.

        Args:
            received: messages that the server need not keep any more.

        Returns:
            A future of the body of its response, which may be a fault.

        Raises:
            ConnectionError: there is no connection any more.
            Exception: any other of ``faults.LIBRARY_ERRORS``.
        """
        protocol = self._client.protocol
        is_given_up = self._client.state is UaClientState.DISCONNECTED  # no sign of life came back
        if protocol is None or protocol.transport is None or is_given_up:
            raise ConnectionError("the connection is closed")
        if not self._token:
            self._token = nodeid_to_binary(protocol.authentication_token)
        protocol._request_handle += 1
        body = encode_publish(self._token, protocol._request_handle, time.time_ns(), received)
        protocol.revolve_security_token()
        protocol._request_id += 1
        message = protocol._connection.message_to_binary(body, request_id=protocol._request_id)
        answer: asyncio.Future[Buffer] = asyncio.get_running_loop().create_future()
        protocol._callbackmap[protocol._request_id] = answer
        protocol.transport.write(message)
        return answer
