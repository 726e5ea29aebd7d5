"""Giving a gateway a command and waiting for what becomes of it.

Neither a command nor an answer is sure to arrive. So the same command, under its id, is sent again
until there is a final answer: the gateway never carries it out twice.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import msgspec

from edge_config.models.city import BrokerConfig
from gateway.mqtt.client import Client
from gateway.wire.commands import (
    Command,
    CommandAnswer,
    CommandState,
    decode_answer,
    encode_command,
)
from gateway.wire.topics import command_topic, reply_topic

AGAIN_S = 2.0
"""A command without a final answer is sent again so often."""

_GRACE_S = 6.0
"""So long after its end it is still asked what became of it: a device may take a time-out."""

_NO_ANSWER = (
    "the gateway did not answer: it is away, or of a version without commands, or its broker's "
    "rules keep them from it"
)


async def send(
    broker: BrokerConfig,
    gateway: str,
    command: Command,
    told: Callable[[CommandAnswer], None],
) -> CommandAnswer:
    """Give a command and wait for the final answer.

    Args:
        broker: of the city.
        gateway: gateway id.
        command: what to do; its life is counted from now.
        told: is told what is answered before that.

    Returns:
        The final answer; with the state ``unknown`` if there was none.

    Raises:
        MqttError, OSError, SecretUnavailableError: there is no session with the broker.
    """
    life_s = (command.expires_ms - command.issued_ms) / 1000
    heard: list[CommandAnswer] = []
    async with Client(broker, username=broker.username) as client:
        await client.listen(reply_topic(gateway))
        asking = asyncio.create_task(_keep_asking(client, gateway, command))
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(life_s + _GRACE_S):
                    async for answer in _answers(client, command.id):
                        if answer.state is not CommandState.ACCEPTED:
                            return answer
                        if not heard:
                            told(answer)
                        heard.append(answer)
        finally:
            asking.cancel()
            await asyncio.wait([asking])
    words = "it was accepted, and then there was no answer" if heard else _NO_ANSWER
    return CommandAnswer(command.id, CommandState.UNKNOWN, f"{words}; it may have been written")


async def _keep_asking(client: Client, gateway: str, command: Command) -> None:
    message = encode_command(command)
    while True:
        await client.publish(command_topic(gateway), message, qos=1)
        await asyncio.sleep(AGAIN_S)


async def _answers(client: Client, command_id: str) -> AsyncIterator[CommandAnswer]:
    """What is answered to one command; answers to others are theirs."""
    async for messages in client.received():
        for message in messages:
            payload = message.payload
            with contextlib.suppress(msgspec.DecodeError):
                answer = decode_answer(payload if isinstance(payload, bytes) else b"")
                if answer.id == command_id:
                    yield answer
