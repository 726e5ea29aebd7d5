"""What the servers share."""

from typing import Protocol


class LineServer(Protocol):
    """Shows the machines of a line under one protocol."""

    async def start(self) -> None:
        """Listen.

        Raises:
            PortInUseError: the port cannot be listened on.
        """

    async def refresh(self) -> None:
        """Show the machines as they are now."""

    async def stop(self) -> None:
        """Close the port and every connection."""


class PortInUseError(Exception):
    """A port cannot be listened on; the message names it."""


def port_in_use(host: str, port: int, protocol: str) -> PortInUseError:
    """The error for a port that could not be listened on."""
    message = f"cannot listen on {host}:{port} for {protocol}: in use, or not ours to listen on"
    return PortInUseError(message)
