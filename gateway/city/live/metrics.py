"""Counters of the city for Prometheus; labels come from small fixed sets."""

from collections.abc import Mapping
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class CityMetrics:
    """What ingest and housekeeping count, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._of_what_came(partial(Counter, registry=self.registry))
        self._of_what_is(partial(Gauge, registry=self.registry))
        self.commit_seconds = Histogram(
            "qulink_city_commit_seconds",
            "From the first frame of a batch to its acknowledgement",
            buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
            registry=self.registry,
        )

    def _of_what_came(self, counter: partial[Counter]) -> None:
        self.frames = counter(
            "qulink_city_frames",
            "Frames by what became of them: committed, duplicate, schema_missing, "
            "too_many_holes, quarantined",
            ["outcome"],
        )
        self.values = counter(
            "qulink_city_values",
            "Values by what became of them: committed, quarantined",
            ["outcome"],
        )
        self.states = counter("qulink_city_states", "State messages received")
        self.quarantined = counter(
            "qulink_city_quarantined_messages",
            "Messages and parts put into quarantine, by kind of reason",
            ["kind"],
        )
        self.shed = counter(
            "qulink_city_shed_messages",
            "Messages not taken in because the city was behind; the edges send them again",
        )
        self.orphans = counter(
            "qulink_city_orphan_values", "Values stored of machines that are not in the ledger"
        )

    def _of_what_is(self, gauge: partial[Gauge]) -> None:
        self.connected = gauge("qulink_city_broker_connected", "1 while the broker answers")
        self.store_up = gauge("qulink_city_store_up", "1 while the store takes values")
        self.store_misconfigured = gauge(
            "qulink_city_store_misconfigured",
            "1 while the store refuses credentials, database or bucket: a person must act",
        )
        self.inbox_bytes = gauge("qulink_city_inbox_bytes", "Bytes received and not yet handled")
        self.partitions_heard = gauge(
            "qulink_city_partitions_heard", "Partitions whose gateways this process hears"
        )
        self.partitions_free = gauge(
            "qulink_city_partitions_free",
            "Partitions that no process held when this one last looked",
        )
        self.gateways_online = gauge("qulink_city_gateways_online", "Gateways heard of lately")

    def add_frames(self, outcomes: Mapping[str, int], refused: Mapping[str, int]) -> None:
        """Count frames by what became of them, and what was quarantined by kind of reason."""
        for outcome, frames in outcomes.items():
            self.frames.labels(outcome).inc(frames)
        for kind, number in refused.items():
            self.quarantined.labels(kind).inc(number)

    def set_store(self, is_up: bool, is_misconfigured: bool) -> None:
        """Say whether the store takes values, and whether a person must act."""
        self.store_up.set(is_up)
        self.store_misconfigured.set(is_misconfigured)
