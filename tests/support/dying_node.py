"""``qulink node`` that kills itself with kill -9 at a stage of a registration: STAGE NUMBER CONFIG.

The stages are those between which an identifier can be lost or issued twice; ``never`` is none.
"""

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

from gateway.identifier.node.keeping import records
from gateway.relational.database import Database

STAGES: dict[str, tuple[Any, str]] = {
    "added": (records, "add"),
    "withdrawn": (records, "withdraw"),
    "committed": (Database, "run_now"),
}
"""Whose end is the last thing that happens: identifiers are in the transaction, marks are, it is
committed; nothing of it is acknowledged."""


def main() -> None:
    """Run until the stage has been passed so many times."""
    stage, number, config = sys.argv[1:]
    if stage in STAGES:
        owner, name = STAGES[stage]
        setattr(owner, name, _ending(getattr(owner, name), int(number)))
    sys.argv = ["qulink", "node", config]
    from gateway.cli.main import main as command

    command()


def _ending(function: Callable[..., Any], number: int) -> Callable[..., Any]:
    """The same, after which the process is gone at the ``number``-th call."""
    calls = count(1)

    def working(*arguments: Any, **named: Any) -> Any:
        result = function(*arguments, **named)
        if next(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return working


if __name__ == "__main__":
    main()
