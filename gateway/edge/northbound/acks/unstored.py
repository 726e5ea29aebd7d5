"""What the city could not store: when its values are sent anew. Pure.

Report-by-exception rests on what was sent before. Of values that came and were quarantined the
store has an older state, which would stay there, GOOD, until the tag moves or its silence ends.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 300.0
"""A device that is refused again and again, for the type of one tag perhaps, is sent anew after
pauses that double up to this: else whole polls would be refused for ever."""

_LATEST_MS = 1 << 62
"""Beyond any time, as its negative is; the sum with a silence still has 64 bits."""


@dataclass(slots=True)
class _Loss:
    """Of one device.

    Attributes:
        unstored: how often values of it were not stored, and the newest of their times.
        is_owed: whether they have not been sent anew since.
        rests_until_s: they are not before this.
        pause_s: the next rest, if another loss follows soon.
    """

    unstored: tuple[int, int]
    is_owed: bool = True
    rests_until_s: float = -inf
    pause_s: float = FIRST_PAUSE_S


class Unstored:
    """The devices of which values came to the city and were not stored."""

    def __init__(self) -> None:
        self._losses: dict[str, _Loss] = {}

    def hear(self, unstored: Mapping[str, tuple[int, int]]) -> None:
        """Note what an acknowledgement says; the same said again is nothing new.

        Args:
            unstored: see :class:`gateway.wire.messages.Ack`.
        """
        for device, newest in unstored.items():
            known = self._losses.get(device)
            if known is None:
                self._losses[device] = _Loss(newest)
            elif known.unstored != newest:
                known.unstored, known.is_owed = newest, True

    def due(self, now_s: float) -> dict[str, int]:
        """What is to be sent anew now; each loss is named once.

        Args:
            now_s: a clock that never steps, seconds.

        Returns:
            By device ("": all of them) the newest time of what was lost, UTC milliseconds.
        """
        due = {
            device: loss
            for device, loss in self._losses.items()
            if loss.is_owed and now_s >= loss.rests_until_s
        }
        for loss in due.values():
            loss.is_owed = False
            was_quiet = now_s >= loss.rests_until_s + loss.pause_s
            loss.pause_s = FIRST_PAUSE_S if was_quiet else min(2 * loss.pause_s, LONGEST_PAUSE_S)
            loss.rests_until_s = now_s + loss.pause_s
        return {
            device: max(-_LATEST_MS, min(loss.unstored[1], _LATEST_MS))
            for device, loss in due.items()
        }
