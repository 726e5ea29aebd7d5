"""The counters of all workers in one page for Prometheus."""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families


class _Families:
    """Metric families as something that can be collected."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        """The families."""
        return self._families


def together(texts: Mapping[str, str]) -> bytes:
    """Texts of several workers as one: a family stands once, its samples say whose they are.

    Args:
        texts: what each worker counts, in Prometheus' text format; a single one stays as it is.
    """
    if len(texts) < 2:  # noqa: PLR2004 - nothing to tell apart
        return "".join(texts.values()).encode()
    families: dict[str, Metric] = {}
    for worker, text in texts.items():
        for family in text_string_to_metric_families(text):
            known = families.setdefault(
                family.name, Metric(family.name, family.documentation, family.type)
            )
            for sample in family.samples:
                known.add_sample(sample.name, {**sample.labels, "worker": worker}, sample.value)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(families.values()))
    return generate_latest(registry)
