"""How far a long piece of work is, told to whoever waits for it. Pure."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

Tell = Callable[[str, int, int], None]
"""Called with the step, how much of it is done, and of how much; 0: that is not known."""
EVERY = 2_000


def silent(_step: str, _done: int, _total: int) -> None:
    """Nobody waits."""


def told(items: Sequence[T], tell: Tell, step: str) -> Iterator[T]:
    """The same items; every some thousand it is told how many there were."""
    for done, item in enumerate(items):
        if done % EVERY == 0:
            tell(step, done, len(items))
        yield item
