"""One command of the control socket, and all of them by name."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.drivers.api import DriverError
from gateway.edge.commands.gate import CommandRefusedError
from gateway.edge.control.protocol import ControlError
from gateway.edge.device.asking.requests import CannotAskError
from gateway.edge.device.fleet import NoSuchDeviceError

REFUSALS = (
    NoSuchDeviceError,
    CannotAskError,
    CommandRefusedError,
    DriverError,
    TimeoutError,
)
"""What a command may raise whose message says all: it becomes the answer."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        arguments: a msgspec structure that the arguments are converted to.
        run: carries it out with them; what it returns must be JSON to msgspec.
    """

    arguments: type[Any]
    run: Callable[[Any], Awaitable[Any]]


class Commands:
    """All commands by name.

    Args:
        known: the commands.
    """

    def __init__(self, known: Mapping[str, Command]) -> None:
        self._known = known

    async def run(self, name: str, arguments: dict[str, Any]) -> Any:
        """Carry a command out.

        Raises:
            ControlError: there is no such command, or it refuses.
        """
        command = self._known.get(name)
        if command is None:
            raise ControlError(f"there is no command {name!r}; known: {', '.join(self._known)}")
        try:
            return await command.run(msgspec.convert(arguments, command.arguments))
        except msgspec.ValidationError as error:
            raise ControlError(f"{name}: {error}") from error
        except REFUSALS as error:
            raise ControlError(str(error)) from error
