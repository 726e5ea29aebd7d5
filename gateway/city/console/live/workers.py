"""The processes of this machine that receive values: found, followed, missed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gateway.city.console.live.gateways import Copy, GatewayView
from gateway.city.console.live.source import Source, SourceAwayError
from gateway.city.live import sockets


@dataclass(slots=True)
class Worker:
    """One of them.

    Attributes:
        source: how it is asked.
        copy: what it has said of its gateways.
        lost_ms: since when it does not answer, UTC milliseconds; None: it does.
    """

    source: Source
    copy: Copy = field(default_factory=Copy)
    lost_ms: int | None = None


class Workers:
    """All workers whose socket lies in the city's folder.

    Args:
        data_dir: the city's folder.
        now_ms: the clock, UTC milliseconds.
    """

    def __init__(self, data_dir: Path, now_ms: Callable[[], int]) -> None:
        self._data_dir = data_dir
        self._now_ms = now_ms
        self._begun_ms = now_ms()
        self._workers: dict[Path, Worker] = {}

    @property
    def all(self) -> list[Worker]:
        """Those that were found, whether they answer or not."""
        return list(self._workers.values())

    @property
    def answering(self) -> list[Worker]:
        """Those that answered last time."""
        return [worker for worker in self._workers.values() if worker.lost_ms is None]

    @property
    def missing_since_ms(self) -> int | None:
        """Since when live values of some gateways, or of all, are missing; None: none are."""
        lost = [one.lost_ms for one in self._workers.values() if one.lost_ms is not None]
        if lost or self._workers:
            return min(lost, default=None)
        return self._begun_ms

    def gateway(self, gateway_id: str) -> GatewayView | None:
        """A gateway as the worker that heard it last sees it; None if none hears it."""
        views = [
            view
            for worker in self.answering
            if (view := worker.copy.gateways.get(gateway_id)) is not None
        ]
        return max(views, key=lambda view: view.last_seen_ms or 0, default=None)

    async def follow(self) -> None:
        """Look for sockets, and learn from each worker what changed."""
        for path in sockets.found(self._data_dir):
            if path not in self._workers:
                self._workers[path] = Worker(Source(path))
        for worker in self.all:
            await self._ask(worker)
        for path, worker in list(self._workers.items()):
            if worker.lost_ms is not None and self._is_replaced(worker):
                await worker.source.close()
                del self._workers[path]

    async def _ask(self, worker: Worker) -> None:
        try:
            more = True
            while more:
                changes = await worker.source.changes(worker.copy.run, worker.copy.upto)
                worker.copy.learn(changes)
                more = changes.more
        except SourceAwayError:
            worker.lost_ms = worker.lost_ms or self._now_ms()
        else:
            worker.lost_ms = None

    def _is_replaced(self, worker: Worker) -> bool:
        """Whether other workers hear all gateways of one that is lost."""
        return all(self.gateway(gateway_id) for gateway_id in worker.copy.gateways)

    async def close(self) -> None:
        """Close all connections."""
        for worker in self._workers.values():
            await worker.source.close()
