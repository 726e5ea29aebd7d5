"""The edge's metrics, read from the live view when somebody asks; at rest they cost nothing."""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.core.books import COUNTERS
from gateway.edge.live.view import Live


class EdgeCollector(Collector):
    """Books, devices, buffer and northbound of one edge."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def collect(self) -> Iterator[Metric]:
        """All families; labels are bounded by the configuration."""
        yield from self._books()
        yield from self._devices()
        yield from self._links()
        yield from self._buffer()
        yield from self._clock()
        north = self._live.northbound()
        yield GaugeMetricFamily(
            "gateway_northbound_up", "1 while a broker session stands.", int(north.connected)
        )
        yield CounterMetricFamily("gateway_frames_sent", "Frames published.", north.sent)
        yield CounterMetricFamily("gateway_frames_resent", "Frames published again.", north.resent)

    def _clock(self) -> Iterator[Metric]:
        clock = self._live.clock()
        yield GaugeMetricFamily(
            "gateway_clock_confirmed", "1 while the clock is confirmed.", int(not clock.in_doubt)
        )
        yield CounterMetricFamily(
            "gateway_clock_contradictions",
            "How often the city's clock began to contradict.",
            clock.contradictions,
        )

    def _books(self) -> Iterator[Metric]:
        counts = self._live.books()
        values = CounterMetricFamily(
            "gateway_values", "Values by what came of them (the books).", labels=["outcome"]
        )
        for name in COUNTERS:
            values.add_metric([name], getattr(counts, name))
        yield values
        yield _by_code(
            "gateway_values_dropped", "Buffered values given up.", "cause", counts.dropped
        )
        what = "Values that were UNCERTAIN, part of those that are ok."
        yield _by_code("gateway_values_uncertain", what, "reason", counts.uncertain)

    def _devices(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("gateway_device_up", "1 while the link is up.", labels=["device"])
        polls = CounterMetricFamily("gateway_polls", "Readings since start.", labels=["device"])
        failed = CounterMetricFamily(
            "gateway_polls_failed", "Failed readings since start.", labels=["device"]
        )
        bugs = CounterMetricFamily(
            "gateway_driver_bugs", "Exceptions a driver should not raise.", labels=["device"]
        )
        renewals = CounterMetricFamily(
            "gateway_connections_renewed",
            "Connections that ended between two readings and were made anew at once.",
            labels=["device"],
        )
        for device in self._live.records():
            up.add_metric([device.id], int(device.link == "up"))
            polls.add_metric([device.id], device.polls)
            failed.add_metric([device.id], device.failures)
            bugs.add_metric([device.id], device.driver_bugs)
            renewals.add_metric([device.id], device.renewals)
        yield from (up, polls, failed, bugs, renewals)

    def _links(self) -> Iterator[Metric]:
        busy = CounterMetricFamily(
            "gateway_link_busy_seconds",
            "Time for which devices held a turn; at most gateway_link_turns each second.",
            labels=["link"],
        )
        turns = GaugeMetricFamily(
            "gateway_link_turns", "Devices of the link that may be read at once.", labels=["link"]
        )
        overloaded = GaugeMetricFamily(
            "gateway_link_overloaded", "1 while it cannot keep up.", labels=["link"]
        )
        for load in self._live.shared_links():
            busy.add_metric([load.name], load.busy_s)
            turns.add_metric([load.name], load.turns)
            overloaded.add_metric([load.name], int(load.is_overloaded))
        yield from (busy, turns, overloaded)

    def _buffer(self) -> Iterator[Metric]:
        backlog = self._live.backlog()
        for name, what, value in (
            ("frames", "Frames that wait for the city.", backlog.frames),
            ("values", "Values that wait for the city.", backlog.values),
            ("bytes", "Size of the waiting frames.", backlog.bytes),
        ):
            yield GaugeMetricFamily(f"gateway_buffer_{name}", what, value)


def _by_code(name: str, what: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, what, labels=[label])
    for code, count in counts.items():
        family.add_metric([code], count)
    return family


def registry_of(live: Live) -> CollectorRegistry:
    """A registry that holds the edge's metrics."""
    registry = CollectorRegistry()
    registry.register(EdgeCollector(live))
    return registry
