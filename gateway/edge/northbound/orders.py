"""Commands of the city: heard, handed to the one gate, and answered.

Answers are sent once, without waiting: who misses one sends the same command again, and is
answered with what became of it.
"""

import asyncio
import contextlib
import logging

import msgspec

from gateway.edge.commands.record import Origin
from gateway.edge.commands.writer import Writer
from gateway.mqtt.client import Client, Message, MqttError
from gateway.wire.commands import Command, CommandAnswer, decode_command, encode_answer
from gateway.wire.topics import command_topic, reply_topic

_log = logging.getLogger(__name__)

CITY_COMMAND = Origin("city", has_times=True)

MOST_UNANSWERED = 64
"""So many commands, repeated ones included, wait for their answer; more are dropped."""


def bytes_of(message: Message) -> bytes:
    """The body of a message; empty if it is none."""
    return message.payload if isinstance(message.payload, bytes) else b""


class Orders:
    """What the city commands over the sessions of one northbound.

    Args:
        gateway: gateway id.
        writer: carries commands out; None: nobody commands here.

    Attributes:
        answering: what waits for an answer.
    """

    def __init__(self, gateway: str, writer: Writer | None) -> None:
        self._topic = command_topic(gateway)
        self._reply = reply_topic(gateway)
        self._writer = writer
        self._refusal = ""
        self.answering: set[asyncio.Task[None]] = set()

    async def begin(self, client: Client) -> None:
        """A session begins: hear commands, unless the broker keeps them from us."""
        if self._writer is None:
            return
        refusal = await client.try_to_listen(self._topic)
        if refusal and refusal != self._refusal and self._writer.is_enabled:
            _log.warning(
                "the broker does not let this gateway hear commands (%s): %s; give it the access "
                "rules of deploy/mosquitto/acl",
                *(self._topic, refusal),
            )
        self._refusal = refusal

    def are_on(self, topic: str) -> bool:
        """Whether a topic is that of commands."""
        return topic == self._topic

    def hear(self, client: Client, tasks: asyncio.TaskGroup, message: Message) -> None:
        """Begin to carry out a command."""
        if message.retain:
            _log.warning(
                "a retained command on %s is ignored: the broker would give it again after each "
                "connection; publish commands without retain, and remove it",
                self._topic,
            )
            return
        try:
            command = decode_command(bytes_of(message))
        except msgspec.DecodeError as error:
            _log.warning("a message on %s is no command: %s", self._topic, error)
            return
        if len(self.answering) >= MOST_UNANSWERED:
            _log.warning("command %s is dropped: too many wait for an answer", command.id[:64])
            return
        task = tasks.create_task(self._answer(client, command))
        self.answering.add(task)
        task.add_done_callback(self.answering.discard)

    async def _answer(self, client: Client, command: Command) -> None:
        assert self._writer is not None  # noqa: S101 - else nothing is heard

        def say(answer: CommandAnswer) -> None:
            with contextlib.suppress(MqttError):  # the session ends; who wants to know asks again
                client.send([(self._reply, encode_answer(answer))])

        say(await self._writer.write(command, CITY_COMMAND, say))
