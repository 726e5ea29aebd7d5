"""How far a computation is."""

from collections.abc import Callable

Progress = Callable[[str, int, int], object]
"""Is told how far a computation is: what is read (``ledger`` or ``evidence``), done, of all."""


def unreported(_what: str, _done: int, _all: int) -> None:
    """Nobody asks how far it is."""
