"""An MQTT client as a configuration wants it; one for each session.

The library does the protocol. Here is what it lacks: it loses cancellations and the words of
faults, waits for an answer from a broker that has hung up, takes a refusal for success, watches
sockets that are closed, and leaves others open. Reconnection belongs to the caller.
"""

import asyncio
import math
import socket
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from types import TracebackType
from typing import Any, Literal, Protocol, Self, TypeVar
from urllib.parse import urlsplit

import aiomqtt
from aiomqtt import Message, MqttError, Will
from paho.mqtt.client import Client as Paho
from paho.mqtt.client import ConnectFlags, DisconnectFlags
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge_config.models.base import ClientTls, Secret, SecretUnavailableError
from gateway.mqtt.faults import Ear, fault_of, is_too_large
from gateway.mqtt.receiver import Deliver, Receiver, publish_packet, send
from gateway.mqtt.tls import tls_context
from gateway.mqtt.writing import Writing

__all__ = ["LOSSES", "Client", "Message", "MqttError", "Will", "is_too_large"]

LOSSES = (MqttError, OSError, TimeoutError, SecretUnavailableError)
"""What making and using a client raises when there is no session; see ``faults.reason``."""

_T = TypeVar("_T")
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_VERSIONS = {"3.1.1": aiomqtt.ProtocolVersion.V311, "5": aiomqtt.ProtocolVersion.V5}

_TOPICS_A_REQUEST = 200
_MOST_WAITING = 64
"""Bundles of messages that wait for a broker that takes nothing in."""

_NO_DELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
"""Frames and acknowledgements are few; waiting to join them costs 40 ms each."""


class Broker(Protocol):
    """What the configurations of edge and city both say of a broker."""

    @property
    def url(self) -> str:
        """``mqtt://host:port`` or ``mqtts://host:port``."""

    @property
    def password(self) -> Secret | None:
        """Read anew for each session."""

    @property
    def tls(self) -> ClientTls | None:
        """For ``mqtts``."""

    @property
    def protocol(self) -> Literal["3.1.1", "5"]:
        """MQTT version."""

    @property
    def keepalive_s(self) -> int:
        """MQTT keep-alive, seconds."""

    @property
    def connect_timeout_ms(self) -> int:
        """Longest wait for the broker to answer, milliseconds."""


class Client(aiomqtt.Client):
    """A client that is not connected yet; a context that is a session.

    Args:
        broker: where and how.
        username: who we are to the broker.
        identifier: client id; None: the broker chooses one.
        will: what the broker publishes if we vanish.
        inflight: publishes without PUBACK; brokers allow 20 unless told otherwise.
        deliver: takes all messages as they come, in place of :meth:`received`.

    Attributes:
        max_packet_bytes: the largest packet that the broker says it takes; None: it says nothing,
            as one of MQTT 3.1.1 never does.
        has_refused: whether the broker has refused something that was published.

    Raises:
        SecretUnavailableError: the password cannot be read.
        OSError: a file of the TLS settings cannot be read (``ssl.SSLError`` is one).
    """

    def __init__(
        self,
        broker: Broker,
        *,
        username: str,
        identifier: str | None = None,
        will: Will | None = None,
        inflight: int = 20,
        deliver: Deliver | None = None,
    ) -> None:
        url = urlsplit(broker.url)
        self._ear = Ear()
        super().__init__(
            url.hostname or "",
            url.port or _PORTS[url.scheme],
            username=username,
            password=broker.password.reveal() if broker.password else None,
            logger=self._ear,
            identifier=identifier,
            protocol=_VERSIONS[broker.protocol],
            will=will,
            timeout=broker.connect_timeout_ms / 1000,
            keepalive=broker.keepalive_s,
            max_inflight_messages=inflight,
            tls_context=tls_context(broker.tls) if url.scheme == "mqtts" else None,
            socket_options=[_NO_DELAY],
        )
        self._client.connect_timeout = self.timeout
        self.max_packet_bytes: int | None = None
        self.has_refused = False
        Writing(self._client, self._disconnected)
        if deliver is not None:
            Receiver(self._client, deliver)

    async def listen(self, *topics: str) -> None:
        """Subscribe at QoS 1, some hundred topics a request.

        Raises:
            MqttError: the broker refuses one, or does not answer in time.
        """
        for start in range(0, len(topics), _TOPICS_A_REQUEST):
            some = topics[start : start + _TOPICS_A_REQUEST]
            for topic, refusal in zip(some, await self._refusals(some), strict=True):
                if refusal:
                    raise MqttError(f"the broker refuses to subscribe us to {topic}: {refusal}")

    async def try_to_listen(self, topic: str) -> str:
        """Subscribe to a topic that the broker may keep from us.

        Returns:
            Why it refuses; empty: it does not.

        Raises:
            MqttError: it does not answer in time.
        """
        (refusal,) = await self._refusals([topic])
        return refusal

    async def _refusals(self, topics: Sequence[str]) -> list[str]:
        answers = await self.subscribe([(topic, 1) for topic in topics])
        failures = [isinstance(one, ReasonCode) and one.is_failure for one in answers]
        return [str(one) if failed else "" for one, failed in zip(answers, failures, strict=True)]

    def send(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Publish messages (topic, payload) together at QoS 0, without waiting.

        While the broker takes nothing in they are dropped: what waits must not fill memory.

        Raises:
            MqttError: there is no session.
        """
        if self._client.socket() is None:
            raise MqttError("there is no session")
        packets = bytearray()
        for topic, payload in messages:
            packets += publish_packet(topic, payload, self._client.protocol)
        if packets and len(self._client._out_packet) < _MOST_WAITING:  # noqa: SLF001 - asked nowhere else
            send(self._client, packets)

    async def ended(self) -> None:
        """Wait for the end of the session.

        Raises:
            MqttError: it has ended.
        """
        await asyncio.wait([self._disconnected])
        fault = self._disconnected.exception()
        raise MqttError(str(fault) if fault else "the session has ended") from fault

    async def received(self) -> AsyncIterator[list[Message]]:
        """What comes, some messages at a time, until the session ends.

        The library hands out a message in several turns of the event loop and takes in more in
        the same time; what it holds would grow without bound.

        Raises:
            MqttError: the session has ended.
        """
        async for first in self.messages:
            yield [first, *(self._queue.get_nowait() for _ in range(self._queue.qsize()))]

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            MqttError: the broker cannot be reached or refuses us.
        """
        try:
            return await super().__aenter__()
        except UnicodeError:
            raise MqttError("no host can have the name in 'url': a part is too long") from None
        except BaseException:  # cancellation, too
            self._client.disconnect()  # the socket of a broker that did not answer is still open
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Disconnect; a fault of that never takes the place of the one that led here."""
        try:
            await super().__aexit__(kind, fault, trace)
        except MqttError as error:
            self._ear.heard = str(error)
        finally:
            self._client.disconnect()
            if self._disconnected.done() and not self._disconnected.cancelled():
                self._disconnected.exception()  # one that nobody asks for would be logged

    # -- in place of the library's own ----------------------------------------------------

    async def _wait_for(
        self,
        fut: Awaitable[_T],
        timeout: float | None,  # noqa: ASYNC109 - as inherited
    ) -> _T:
        """Wait for an answer of the broker.

        The library's ``asyncio.wait_for`` of Python 3.11 loses a cancellation that comes in the
        same turn as the answer.
        """
        seconds = self.timeout if timeout is None else timeout
        try:
            async with asyncio.timeout(None if seconds == math.inf else seconds):
                return await fut
        except TimeoutError:
            raise MqttError(f"no answer from the broker within {seconds:g} s") from None

    def _on_connect(
        self,
        client: Paho,
        userdata: Any,
        flags: ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        """Keep what the broker says of itself."""
        self.max_packet_bytes = getattr(properties, "MaximumPacketSize", None)
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_disconnect(
        self,
        client: Paho,
        userdata: Any,
        flags: DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        """Tell whoever waits – also for the answer to CONNECT – why there will be none."""
        waiting = self._disconnected if self._connected.done() else self._connected
        if not reason_code.is_failure:
            super()._on_disconnect(client, userdata, flags, reason_code, properties)
        elif not waiting.done() and not self._is_refused:
            words = self._ear.heard or "the broker hung up"
            if flags.is_disconnect_packet_from_server:
                words = f"the broker ended the session: {reason_code}"
            waiting.set_exception(fault_of(words, reason_code))

    @property
    def _is_refused(self) -> bool:
        """Whether the answer to CONNECT was no; then nobody waits for the end of a session."""
        return self._connected.done() and self._connected.exception() is not None

    def _on_publish(
        self,
        client: Paho,
        userdata: Any,
        mid: int,
        reason_code: ReasonCode,
        properties: Properties,
    ) -> None:
        """End the session when the broker refuses what we publish; sending it again is no use."""
        if reason_code.is_failure and not self._disconnected.done():
            words = f"the broker refuses what we publish: {reason_code}"
            self.has_refused = True  # before whoever publishes goes on
            self._disconnected.set_exception(fault_of(words, reason_code))
        super()._on_publish(client, userdata, mid, reason_code, properties)
