"""Commands that came before: the same id gets the same answer, also after a restart.

What is remembered outlives what it is needed for: a command is refused by its times once nobody
can want it any more.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.edge.commands.lines import Entry, Line, brief
from gateway.wire.commands import Command, CommandAnswer, CommandState

_DOUBT = (
    "it may have been written: the gateway stopped between recording and answering; read the tag, "
    "and give a new command if it is wanted"
)


@dataclass(slots=True)
class Known:
    """One command that came.

    Attributes:
        what: device, tag and value.
        end_s: until when it is remembered, by the clock that never steps.
        answer: what is becoming of it.
    """

    what: tuple[str, str, str]
    end_s: float
    answer: asyncio.Future[CommandAnswer]


class KnownCommands:
    """Commands by id.

    Args:
        keep_s: how long one is remembered, seconds.
    """

    def __init__(self, keep_s: float) -> None:
        self._keep_s = keep_s
        self._known: dict[str, Known] = {}

    def find(self, command: Command) -> Known | None:
        """The command of this id, if there was one."""
        return self._known.get(command.id)

    def add(self, command: Command, answer: asyncio.Future[CommandAnswer]) -> None:
        """Remember a command that is about to be judged."""
        now_s = asyncio.get_running_loop().time()
        for id_, one in list(self._known.items()):  # the oldest first
            if one.end_s > now_s:
                break
            if one.answer.done():
                del self._known[id_]
        self._known[command.id] = Known(what_of(command), now_s + self._keep_s, answer)

    def resume(self, lines: Iterable[Line]) -> list[CommandAnswer]:
        """Go on with what a run before this one recorded.

        Returns:
            Answers that it did not live to record: what was begun may have been written.
        """
        written: dict[str, Entry] = {}
        lost: list[CommandAnswer] = []
        for line in lines:
            entry = line.entry
            if entry.event == "write":
                written[entry.id] = entry
            else:
                self._recall(written.pop(entry.id, entry), answer_of(entry))
        for entry in written.values():
            answer = CommandAnswer(entry.id, CommandState.UNKNOWN, _DOUBT, entry.before)
            self._recall(entry, answer)
            lost.append(answer)
        return lost

    def _recall(self, entry: Entry, answer: CommandAnswer) -> None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[CommandAnswer] = loop.create_future()
        future.set_result(answer)
        what = (entry.device, entry.tag, str(brief(entry.value)))
        self._known[entry.id] = Known(what, loop.time() + self._keep_s, future)


def what_of(command: Command) -> tuple[str, str, str]:
    """What makes two commands of one id the same; of long values the begin, as it is recorded."""
    return command.device, command.tag, str(brief(command.value))


def answer_of(entry: Entry) -> CommandAnswer:
    """The answer that a recorded result or refusal was."""
    state = CommandState(entry.state) if entry.state else CommandState.REFUSED
    return CommandAnswer(entry.id, state, entry.words, entry.before, entry.shows, entry.at_ms)
