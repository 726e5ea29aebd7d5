"""Who gets what processing made of a reading: the recorder first, then everybody else."""

import logging
from typing import Protocol

from gateway.core.outcome import Outcome
from gateway.edge.buffer.incoming import GroupProgress

_log = logging.getLogger(__name__)


class Sink(Protocol):
    """Anything that wants each processed outcome."""

    def processed(self, device: str, group: str, outcome: Outcome, progress: GroupProgress) -> None:
        """Take what processing made of a poll or of arrivals. Plain and quick; keeps no time.

        Args:
            device: device id.
            group: group name.
            outcome: its arrays are shared by all sinks: never change them.
            progress: how far the group has come with it.
        """


class Sinks:
    """The sinks of an edge; derived tags may hand in outcomes of their own as devices do.

    Args:
        recorder: makes outcomes durable. It comes first, and what it cannot take is a fault of
            the reading: it raises, and nobody else hears of it.
        others: a sink that raises harms none of the others; that is logged once for each.
    """

    def __init__(self, recorder: Sink, *others: Sink) -> None:
        self._recorder = recorder
        self._others = list(others)
        self._faulty: set[int] = set()

    def add(self, sink: Sink) -> None:
        """Let one more have all outcomes from now on."""
        self._others.append(sink)

    def deliver(self, device: str, group: str, outcome: Outcome, progress: GroupProgress) -> None:
        """Hand an outcome to all sinks; see :meth:`Sink.processed` for the arguments."""
        self._recorder.processed(device, group, outcome, progress)
        for sink in self._others:
            try:
                sink.processed(device, group, outcome, progress)
            except Exception:  # noqa: BLE001 - one sink's bug must cost the others no value
                self._log_once(sink, device)

    def _log_once(self, sink: Sink, device: str) -> None:
        if id(sink) not in self._faulty:
            self._faulty.add(id(sink))
            _log.exception(
                "%s could not take an outcome of device %s; it goes on getting them, and its "
                "further faults are not logged",
                type(sink).__name__,
                device,
            )
