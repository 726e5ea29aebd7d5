"""A search as a process of its own: ``qulink probe``, as a person would type it.

The running edge has neither the models' validation nor the machine profiles that a search needs.
Whatever becomes of the search, the edge reads on: it is nicer than the edge, bounded in time and
in what it says, and gone when nobody waits for it.
"""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import msgspec

from gateway.edge.probing.order import Order

LONGEST_S = 3_600.0
"""Then it is asked to end, and what was found by then is shown."""
GRACE_S = 10.0
"""So long it may take to say what was found; then it is ended."""
MOST_BYTES = 8 * 2**20
"""Of what it says in the end."""
MOST_WORDS = 12
"""Lines that are kept of what it says beside."""
LONGEST_LINE = 500
"""Characters of each."""
NICER = 10
"""The gateway's readings go before."""


class Step(msgspec.Struct, frozen=True):
    """How far it is.

    Attributes:
        doing: what it does, in words.
        done: steps of it that are over.
        of: of how many.
        found: names of what was found so far.
    """

    doing: str
    done: int
    of: int
    found: list[str]


class Fit(msgspec.Struct, frozen=True):
    """How well a machine profile fits; see :class:`gateway.edge.detective.fitting.Fit`."""

    profile: str
    title: str
    given: int
    tags: int
    usual: int
    score: float


class Found(msgspec.Struct, frozen=True):
    """A device; see :class:`gateway.drivers.search.FoundDevice`.

    Attributes:
        profiles: that fit, the likeliest first.
        block: what is to be copied into the configuration.
    """

    name: str
    identity: dict[str, str]
    readable: list[str]
    remarks: list[str]
    profiles: list[Fit]
    block: str


class Report(msgspec.Struct, frozen=True):
    """What a search has found.

    Attributes:
        whole: it came to its end.
        remarks: what holds for all of it.
        devices: that are there.
    """

    whole: bool
    remarks: list[str]
    devices: list[Found]


class Outcome(NamedTuple):
    """What became of a search.

    Attributes:
        report: what it has found; None: it could not be begun, or was ended before it said so.
        words: what it said beside, or why it was ended.
    """

    report: Report | None
    words: str


async def searched(order: Order, tell: Callable[[Step], None], stop: asyncio.Event) -> Outcome:
    """Search to the end, or until ``stop`` is set; a cancelled search leaves nothing behind.

    Args:
        order: what is looked for.
        tell: told how far it is.
        stop: ends it early; what was found by then is in the outcome.

    Raises:
        OSError: no process can be started.
    """
    process = await asyncio.create_subprocess_exec(
        *command(order),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C in the gateway's terminal is the gateway's
    )
    ending = asyncio.ensure_future(_ended(process, stop))
    try:
        with suppress(OSError):  # it may be over already
            os.setpriority(os.PRIO_PROCESS, process.pid, NICER)
        output, words = await asyncio.gather(_output(process), _followed(process, tell))
        await process.wait()
    finally:
        ending.cancel()
        _kill(process)
        await process.wait()
    # One that was interrupted before it had begun says where it stood then, which is of no use.
    return _outcome(output, "" if stop.is_set() else words)


def command(order: Order) -> list[str]:
    """What is started; nothing of it is read by a shell, and no value is taken for an option."""
    return [
        *(sys.executable, "-P", "-m", "gateway", "probe", order.driver),
        *("--json", "--progress", "json"),
        *(*order.options, "--", order.url),
    ]


async def _ended(process: asyncio.subprocess.Process, stop: asyncio.Event) -> None:
    """Ask it to end when its time is over, or when it was told to; and end it if it does not."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LONGEST_S):
            await stop.wait()
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    await asyncio.sleep(GRACE_S)
    _kill(process)


def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()


async def _output(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None  # noqa: S101 - see above
    output = b""
    while part := await process.stdout.read(2**16):
        output += part
        if len(output) > MOST_BYTES:
            _kill(process)
            return b""
    return output


async def _followed(process: asyncio.subprocess.Process, tell: Callable[[Step], None]) -> str:
    """Pass on how far it is; returns what else it says."""
    assert process.stderr is not None  # noqa: S101 - see above
    said = deque[str](maxlen=MOST_WORDS)
    while line := await _line(process.stderr):
        try:
            tell(msgspec.json.decode(line, type=Step))
        except ValueError:
            said.append(line.decode(errors="replace").rstrip()[:LONGEST_LINE])
    return "\n".join(said).strip()


async def _line(said: asyncio.StreamReader) -> bytes:
    """The next line; of one that is longer than any of ours, nothing but its end."""
    try:
        return await said.readline()
    except ValueError:
        return b"\n"


def _outcome(output: bytes, words: str) -> Outcome:
    try:
        return Outcome(msgspec.json.decode(output, type=Report), words)
    except ValueError:
        return Outcome(None, words)
