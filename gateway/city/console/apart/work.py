"""The process that computes: it reads orders from the console, and ends when there is no more.

It has an interpreter of its own, so that no page waits while it computes.
"""

import contextlib
import gc
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

from edge_config.models.city import CityConfig
from gateway.city.console import log
from gateway.city.console.apart.messages import Done, Step, Work, packed
from gateway.city.rates.columns.kept import KeptLedger
from gateway.relational.database import Database, connect

Tell = Callable[[Step | Done], object]

_SWITCH_S = 0.0002
"""How long one of the two threads may keep the interpreter from the other. The database hands over
row by row, and who waits 5 ms for each (Python's own) reads a large ledger for a minute."""
_NEW_OBJECTS = 100_000
"""As in the console: what is computed has no cycles, and to look for them takes long."""


def main() -> None:
    """Read the configuration, then work after work, until the console has ended."""
    for ending in (signal.SIGINT, signal.SIGTERM):  # they reach the console, too, which ends this
        signal.signal(ending, signal.SIG_IGN)
    log.begin()
    gc.set_threshold(_NEW_OBJECTS)
    sys.setswitchinterval(_SWITCH_S)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print belongs to the log
    with contextlib.suppress(EOFError, pickle.UnpicklingError):  # the console ended in the middle
        _serve(sys.stdin.buffer, answers)
    os._exit(0)  # nobody asks any more for what is still computed


def _serve(orders: BinaryIO, answers: BinaryIO) -> None:
    config = pickle.load(orders)  # noqa: S301 - from the process that started this one
    assert isinstance(config, CityConfig)  # noqa: S101 - both are of one version
    database = connect(config.database.url, config.data_dir, config.database.password)
    ledgers, speaking = KeptLedger(), threading.Lock()

    def tell(answer: Step | Done) -> None:
        message = packed(answer)
        with speaking, contextlib.suppress(BrokenPipeError):  # orders end then, too
            answers.write(message)
            answers.flush()

    # Figures do not wait for a publication; but in either line the first is done soonest if
    # nothing else of it is done beside it: they would share one interpreter.
    computing, reading = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
    for work in _works(orders):
        line = computing if work.is_computing else reading
        line.submit(_do, work, database, ledgers, tell)


def _works(orders: BinaryIO) -> Iterator[Work]:
    while True:
        work = pickle.load(orders)  # noqa: S301 - from the process that started this one
        assert isinstance(work, Work)  # noqa: S101 - both are of one version
        yield work


def _do(work: Work, database: Database, ledgers: KeptLedger, tell: Tell) -> None:
    def progress(what: str, done: int, total: int) -> None:
        tell(Step(work.number, what, done, total))

    how = work.how | ({"progress": progress, "ledgers": ledgers} if work.is_computing else {})
    try:
        value = pickle.dumps(database.read_now(work.function, *work.what, **how))
    except Exception as error:  # noqa: BLE001 - whoever asked is told
        tell(Done(work.number, error=sent(error)))
    else:
        tell(Done(work.number, value))


def sent(error: Exception) -> Exception:
    """An error that arrives whole at the other side, with the place where it arose."""
    error.add_note("".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    except Exception:  # noqa: BLE001 - its class takes other arguments than it keeps
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
