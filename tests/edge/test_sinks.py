"""Everybody gets each outcome; one that raises harms nobody else."""

import numpy as np
import pytest

from gateway.core.outcome import Outcome
from gateway.edge.buffer.incoming import GroupProgress
from gateway.edge.device.sinks import Sinks

OUTCOME = Outcome(None, {}, np.zeros(1, np.uint8), (np.ones(1),), 5)
PROGRESS = GroupProgress(5, 5)


class Collector:
    def __init__(self, fault: Exception | None = None) -> None:
        self.fault, self.got = fault, 0

    def processed(self, device: str, group: str, outcome: Outcome, progress: GroupProgress) -> None:
        assert (device, group, outcome, progress) == ("d", "g", OUTCOME, PROGRESS)
        if self.fault:
            raise self.fault
        self.got += 1


def test_a_sink_that_raises_costs_the_others_nothing_and_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    recorder, faulty, last, late = Collector(), Collector(ValueError()), Collector(), Collector()
    sinks = Sinks(recorder, faulty, last)
    sinks.deliver("d", "g", OUTCOME, PROGRESS)
    sinks.add(late)
    sinks.deliver("d", "g", OUTCOME, PROGRESS)
    assert (recorder.got, last.got, late.got) == (2, 2, 1)
    (line,) = caplog.messages
    assert "Collector could not take an outcome of device d" in line


def test_what_cannot_be_recorded_is_seen_by_nobody() -> None:
    other = Collector()
    with pytest.raises(ValueError, match="half a character"):
        Sinks(Collector(ValueError("half a character")), other).deliver("d", "g", OUTCOME, PROGRESS)
    assert other.got == 0
