"""Counters of the city for Prometheus; labels come from small fixed sets."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class CityMetrics:
    """What ingest and housekeeping count, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.frames = Counter(
            "qulink_city_frames",
            "Frames by what became of them: committed, duplicate, schema_missing, "
            "too_many_holes, quarantined",
            ["outcome"],
            registry=self.registry,
        )
        self.values = Counter(
            "qulink_city_values",
            "Values by what became of them: committed, quarantined",
            ["outcome"],
            registry=self.registry,
        )
        self.states = Counter(
            "qulink_city_states", "State messages received", registry=self.registry
        )
        self.quarantined = Counter(
            "qulink_city_quarantined_messages",
            "Messages and parts put into quarantine, by kind of reason",
            ["kind"],
            registry=self.registry,
        )
        self.shed = Counter(
            "qulink_city_shed_messages",
            "Messages not taken in because the city was behind; the edges send them again",
            registry=self.registry,
        )
        self.orphans = Counter(
            "qulink_city_orphan_values",
            "Values stored of machines that are not in the ledger",
            registry=self.registry,
        )
        self.connected = Gauge(
            "qulink_city_broker_connected", "1 while the broker answers", registry=self.registry
        )
        self.store_up = Gauge(
            "qulink_city_store_up", "1 while the store takes values", registry=self.registry
        )
        self.store_misconfigured = Gauge(
            "qulink_city_store_misconfigured",
            "1 while the store refuses credentials, database or bucket: a person must act",
            registry=self.registry,
        )
        self.inbox_bytes = Gauge(
            "qulink_city_inbox_bytes", "Bytes received and not yet handled", registry=self.registry
        )
        self.commit_seconds = Histogram(
            "qulink_city_commit_seconds",
            "From the first frame of a batch to its acknowledgement",
            buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
            registry=self.registry,
        )
        self.partitions_heard = Gauge(
            "qulink_city_partitions_heard",
            "Partitions whose gateways this process hears",
            registry=self.registry,
        )
        self.partitions_free = Gauge(
            "qulink_city_partitions_free",
            "Partitions that no process held when this one last looked",
            registry=self.registry,
        )
        self.gateways_online = Gauge(
            "qulink_city_gateways_online", "Gateways heard of lately", registry=self.registry
        )

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
