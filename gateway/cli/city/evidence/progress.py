"""How far a command is that goes through days of a store."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(name: str, steps: int) -> Iterator[Callable[[], None]]:
    """A bar on a terminal; in a log the lines of what is found are enough.

    Args:
        name: what stands before it.
        steps: so many times the function that is given is called.
    """
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(name, total=steps)
        yield lambda: progress.advance(task)
