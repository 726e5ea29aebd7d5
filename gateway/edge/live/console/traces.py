"""Small curves of what a visitor watches. Nothing is kept for devices that nobody looks at."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import isfinite

from gateway.edge.live.records import TagLive

LENGTH = 90
"""Points of a curve; at one a second a minute and a half."""
FORGET_MS = 120_000
WIDTH, HEIGHT = 100.0, 26.0


@dataclass(slots=True)
class _Watched:
    seen_ms: int = 0
    points: dict[str, deque[tuple[int, float]]] = field(default_factory=dict)


class Traces:
    """Recent numbers of the watched devices."""

    def __init__(self) -> None:
        self._devices: dict[str, _Watched] = {}

    def extended(self, device: str, tags: Iterable[TagLive], now_ms: int) -> dict[str, str]:
        """Add the newest values of a device and return its curves by tag.

        Returns:
            Points of an SVG polyline in a box of 100 × 26; tags without a curve are left out.
        """
        self._forget(now_ms)
        watched = self._devices.setdefault(device, _Watched())
        watched.seen_ms = now_ms
        for tag in tags:
            _add(watched, tag)
        curves = {name: polyline([value for _, value in p]) for name, p in watched.points.items()}
        return {name: curve for name, curve in curves.items() if curve}

    def _forget(self, now_ms: int) -> None:
        for name, watched in list(self._devices.items()):
            if now_ms - watched.seen_ms > FORGET_MS:
                del self._devices[name]


def _add(watched: _Watched, tag: TagLive) -> None:
    value = tag.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    points = watched.points.setdefault(tag.name, deque(maxlen=LENGTH))
    if isfinite(value) and (not points or points[-1][0] < tag.time_ms):
        points.append((tag.time_ms, float(value)))


def polyline(values: Sequence[float]) -> str:
    """A curve over its own range, a constant in the middle; empty for fewer than two values.

    Args:
        values: finite numbers of any size.
    """
    if len(values) < 2:  # noqa: PLR2004 - a line needs two points
        return ""
    step = WIDTH / (len(values) - 1)
    return " ".join(
        f"{at * step:.1f},{HEIGHT - 2 - share * (HEIGHT - 4):.1f}"
        for at, share in enumerate(_shares(values))
    )


def _shares(values: Sequence[float]) -> list[float]:
    """Where each value lies between the lowest (0) and the highest (1).

    Halves are subtracted, because the distance of two finite numbers may be infinite.
    """
    low, high = min(values) / 2, max(values) / 2
    if not high > low:
        return [0.5] * len(values)
    return [(value / 2 - low) / (high - low) for value in values]
