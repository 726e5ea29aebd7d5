"""A prepared reading: which requests, and how their answers become columns. Pure.

Layouts are shared: a thousand equal devices hold one. What one of them learns about its own
addresses is not in here but in ``reading``.
"""

from collections.abc import Callable, Hashable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from gateway.drivers.toolkit.decode import Decoder, Place
from gateway.drivers.toolkit.merge import Block, Limits, Planner, Wall


@dataclass(frozen=True, eq=False)
class Layout:
    """The requests of one plan.

    Attributes:
        places: where each point is.
        planner: the merging rules.
        blocks: the requests; their answers one after the other are the image.
        requests: what the driver made of them.
        size: bytes of the image.
        decoder: from the image to columns.
    """

    places: Sequence[Place]
    planner: Planner
    blocks: tuple[Block, ...]
    requests: tuple[Any, ...]
    size: int
    decoder: Decoder

    @classmethod
    def of(
        cls,
        places: Sequence[Place],
        limits: Callable[[Any], Limits],
        request: Callable[[Any, int, int], Any],
    ) -> "Layout":
        """The fewest requests; see :class:`Planner` for the arguments."""
        planner = Planner([place.span for place in places], limits, request)
        return _arranged(places, planner, frozenset())

    def apart(self, walls: AbstractSet[Wall]) -> "Layout":
        """The same points with requests that join nothing over these walls."""
        return _arranged(self.places, self.planner, walls)


def _arranged(places: Sequence[Place], planner: Planner, walls: AbstractSet[Wall]) -> Layout:
    blocks = planner.blocks(walls)
    requests = tuple(block.request for block in blocks)
    size = blocks[-1].offset // 8 + blocks[-1].size if blocks else 0
    return Layout(places, planner, blocks, requests, size, Decoder(places, blocks))


class Layouts:
    """Remembers the layouts in use, so that equal devices share one.

    Args:
        make: a layout of points under the rules of a connection.
        rules: what of a connection makes a difference to it.
    """

    def __init__(
        self,
        make: Callable[[Sequence[Any], Any], Layout],
        rules: Callable[[Any], Hashable],
    ) -> None:
        self._make = make
        self._rules = rules
        self._known: WeakValueDictionary[Hashable, Kept] = WeakValueDictionary()

    def get(self, points: Sequence[Any], connection: Any) -> "Kept":
        """The layout of these points; shared with whoever asks for the same tuple of points."""
        if not isinstance(points, tuple):
            points = tuple(points)
        key = id(points), self._rules(connection)
        kept = self._known.get(key)
        if kept is None:
            kept = self._known[key] = Kept(points, self._make(points, connection))
        return kept


@dataclass(frozen=True, eq=False)
class Kept:
    """A layout, and the points it is known by: while it lives, no others have their identity."""

    points: tuple[Any, ...]
    layout: Layout
