"""Who gets the frames of a buffer in tests."""

from edge_config.models.gateway import CITY
from gateway.edge.buffer.storage.consumers import Consumer, QuotaRule


def for_city(quota_bytes: int = 1 << 30, max_age_ms: int = 1 << 50) -> list[Consumer]:
    """The city alone."""
    return [Consumer(CITY, QuotaRule(quota_bytes, max_age_ms))]
