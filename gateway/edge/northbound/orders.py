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
from gateway.edge.northbound.intake import MOST_AT_ONCE, REFILL_S, Intake
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


class _DroppedError(Exception):
    """A message is not obeyed, and not answered: why, in a word and in a sentence."""


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
        self._intake = Intake()
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
        """Begin to carry out a command, or drop what is none or too much."""
        try:
            command = self._taken(message)
        except _DroppedError as error:
            why, words = error.args
            if count := self._intake.dropped(why):
                _log.warning("%s (%d since this was said last)", words, count)
            return
        task = tasks.create_task(self._answer(client, command))
        self.answering.add(task)
        task.add_done_callback(self.answering.discard)

    def _taken(self, message: Message) -> Command:
        if message.retain:
            raise _DroppedError(
                "retained",
                f"a retained command on {self._topic} is ignored: the broker would give it again "
                "after each connection; publish commands without retain, and remove it",
            )
        try:
            command = decode_command(bytes_of(message))
        except msgspec.DecodeError as error:
            words = f"a message on {self._topic} is no command: {error}"
            raise _DroppedError("no command", words) from error
        if len(self.answering) >= MOST_UNANSWERED:
            words = f"command {command.id} is dropped: {MOST_UNANSWERED} wait for their answer"
            raise _DroppedError("unanswered", words)
        assert self._writer is not None  # noqa: S101 - else nothing is heard
        if not self._writer.knows(command) and not self._intake.takes():
            raise _DroppedError(
                "many",
                f"command {command.id} is dropped: more new ones than {MOST_AT_ONCE} and one in "
                f"{REFILL_S:g} s come from the city; whoever gets no answer sends it again",
            )
        return command

    async def _answer(self, client: Client, command: Command) -> None:
        assert self._writer is not None  # noqa: S101 - else nothing is heard

        def say(answer: CommandAnswer) -> None:
            with contextlib.suppress(MqttError):  # the session ends; who wants to know asks again
                client.send([(self._reply, encode_answer(answer))])

        say(await self._writer.write(command, CITY_COMMAND, say))
