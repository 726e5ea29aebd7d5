"""Commands that run until they are stopped: a city, a node."""

import sys
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Coroutine


class RunByDefault(TyperGroup):
    """``qulink city city.yaml`` means ``qulink city run city.yaml``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put ``run`` in front of what is no command."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["run", *args]
        return super().parse_args(ctx, args)


def run_to_its_end(
    work: "Callable[[], Coroutine[Any, Any, None]]",
    name: str,
    expected: tuple[type[Exception], ...],
) -> None:
    """Run a program; exits 2 if it ends by a fault.

    Args:
        work: makes what is run.
        name: as the faults' lines begin.
        expected: faults whose message says enough; anything else is a defect and shows where it is.
    """
    import asyncio

    faults: list[BaseException] = []
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(work())
    except* expected as group:
        faults += _flat(group)  # to exit here would be wrapped in a group before Python 3.11.4
    for fault in faults:
        typer.echo(f"{name}: {fault}", err=True)
    if faults:
        sys.exit(2)


def _loop_factory() -> "Callable[[], AbstractEventLoop] | None":
    try:
        import uvloop
    except ImportError:  # not on Windows
        return None
    return uvloop.new_event_loop


def _flat(group: BaseExceptionGroup[Exception]) -> list[BaseException]:
    return [
        one
        for error in group.exceptions
        for one in (_flat(error) if isinstance(error, BaseExceptionGroup) else [error])
    ]
