"""The edge's counters for Prometheus, read from the live view when they are asked for."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from gateway.core.books import COUNTERS
from gateway.edge.live import Live


class EdgeCollector(Collector):
    """Books, backlog, northbound and devices; labels are device ids and causes only."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def collect(self) -> Iterator[Metric]:
        """One sample a counter as it stands."""
        yield from self._books()
        yield from self._transport()
        yield from self._devices()

    def _books(self) -> Iterator[Metric]:
        books = self._live.books()
        values = CounterMetricFamily(
            "qulink_edge_values", "Values by what became of them", labels=["state"]
        )
        for name in COUNTERS:
            values.add_metric([name], getattr(books, name))
        yield values
        dropped = CounterMetricFamily(
            "qulink_edge_dropped_values", "Buffered values given up", labels=["cause"]
        )
        for cause, count in books.dropped.items():
            dropped.add_metric([cause], count)
        yield dropped

    def _transport(self) -> Iterator[Metric]:
        backlog, northbound = self._live.backlog(), self._live.northbound()
        gauges = {
            "backlog_frames": backlog.frames,
            "backlog_values": backlog.values,
            "backlog_bytes": backlog.bytes,
            "northbound_connected": int(northbound.connected),
        }
        for name, value in gauges.items():
            yield GaugeMetricFamily(f"qulink_edge_{name}", name.replace("_", " "), value=value)
        counters = {
            "frames_sent": northbound.sent,
            "frames_resent": northbound.resent,
            "acks": northbound.acks,
            "acks_ignored": northbound.ignored_acks,
        }
        for name, value in counters.items():
            yield CounterMetricFamily(f"qulink_edge_{name}", name.replace("_", " "), value=value)

    def _devices(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("qulink_edge_device_up", "1 while the link is up", labels=["device"])
        failures = CounterMetricFamily(
            "qulink_edge_device_failures", "Losses and failed attempts", labels=["device"]
        )
        bugs = CounterMetricFamily(
            "qulink_edge_driver_bugs", "Exceptions a driver must not raise", labels=["device"]
        )
        for record in self._live.records():
            up.add_metric([record.id], int(record.link == "up"))
            failures.add_metric([record.id], record.failures)
            bugs.add_metric([record.id], record.driver_bugs)
        yield from (up, failures, bugs)


def edge_registry(live: Live) -> CollectorRegistry:
    """A registry with the edge's counters only."""
    registry = CollectorRegistry()
    registry.register(EdgeCollector(live))
    return registry
