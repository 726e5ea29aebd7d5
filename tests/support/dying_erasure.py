"""``qulink city erase`` killing itself by kill -9 before a step: STEP and the words."""

import os
import signal
import sys
from typing import Any

from gateway.city.erasing import erasing
from gateway.cli.city.erasing import erase_command

STEPS = ("_erase_rows", "_erase_again", "_certify")
"""Begun and nothing erased; rows and values gone; everything done but the certificate."""


def main() -> None:
    """Run until the step is due; those before it are committed."""
    step, *words = sys.argv[1:]
    setattr(erasing, step, _die)
    erase_command.SETTLE_S = 0
    sys.argv = ["qulink", "city", "erase", *words]
    from gateway.cli.main import main as command

    command()


def _die(*_given: Any, **_more: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
