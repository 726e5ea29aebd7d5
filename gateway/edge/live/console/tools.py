"""What people do with devices on the pages, and what came of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request

from edge_config.models.tag import TagConfig
from gateway.edge.commands.writer import Writer
from gateway.edge.control.command import REFUSALS
from gateway.edge.device.fleet import Fleet, NoSuchDeviceError
from gateway.edge.device.runtime import DeviceRuntime
from gateway.edge.probing.prober import Prober

T = TypeVar("T")

KEPT_MS = 600_000
"""What came of a request is shown for so long."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What the pages may use beside what the edge knows.

    Attributes:
        devices: those of the gateway, to be asked.
        writer: writes to them, where the configuration allows.
        has_token: whether the pages ask for a token; without one anybody on the box sees them,
            and nothing is written.
        mistakes: what ``qulink check`` says of the configuration that runs, with file and line.
        prober: looks for devices; None: the pages ask for no token, so nobody may.
    """

    devices: Fleet
    writer: Writer
    has_token: bool
    mistakes: tuple[str, ...] = ()
    prober: Prober | None = None

    def find(self, device: str) -> DeviceRuntime | None:
        """A device by its id; None: there is none."""
        try:
            return self.devices[device]
        except NoSuchDeviceError:
            return None

    def demand(self, request: Request) -> DeviceRuntime:
        """The device that the address of a page names.

        Raises:
            HTTPException: 404 there is none.
        """
        found = self.find(request.path_params["device"])
        if found is None:
            raise HTTPException(404)
        return found

    def sentences(self) -> frozenset[Path]:
        """Where the drivers that may speak say what they say in Chinese."""
        named = {one.model.spec.sentences for one in self.devices}
        if self.prober is not None and self.prober.last is not None:
            named.add(self.prober.last.spec.sentences)
        return frozenset(one for one in named if one is not None)

    def may_write(self, tag: TagConfig) -> bool:
        """Whether a tag is offered for writing; the gate judges what is to be written."""
        return self.has_token and self.writer.is_enabled and tag.access == "read-write"

    def tabs(self, device: DeviceRuntime) -> list[tuple[str, str]]:
        """Addresses and catalogue keys of a device's pages."""
        here = f"/devices/{device.record.id}"
        search = device.model.spec.search
        further = _DETECTIVE if search is not None and search.detective is not None else ()
        return [(f"{here}{path}", key) for path, key in (*_TABS, *further)]


_TABS = (("", "edge.tab.values"), ("/frames", "edge.tab.frames"), ("/test", "edge.tab.test"))
_DETECTIVE = (("/detective", "edge.tab.detective"),)


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """What came of a request.

    Attributes:
        at_ms: when it was done, UTC milliseconds.
        result: what was asked for; None: it was refused.
        refusal: why it was, in words; empty: it was not.
    """

    at_ms: int
    result: T | None
    refusal: str = ""


class Results(Generic[T]):
    """The last result of a kind for each device; it outlives the form that asked for it.

    Args:
        now_ms: the gateway's clock.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._done: dict[str, Done[T]] = {}

    async def keep(self, device: str, asked: Awaitable[T]) -> Done[T]:
        """Wait for what was asked of a device; a refusal is a result too."""
        done: Done[T]
        try:
            result = await asked
            done = Done(self._now_ms(), result)
        except REFUSALS as error:
            done = Done(self._now_ms(), None, str(error) or "no answer in time")
        self._done[device] = done
        return done

    def of(self, device: str) -> Done[T] | None:
        """What came of the last request, unless that was long ago."""
        done = self._done.get(device)
        if done is not None and not 0 <= self._now_ms() - done.at_ms <= KEPT_MS:
            del self._done[device]
            return None
        return done
