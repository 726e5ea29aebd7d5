"""Which gateways' clocks are right, by what they say of them in their signs of life."""

import logging
from collections.abc import Collection
from dataclasses import dataclass, field

from gateway.city.evidence.clock_doubt import Span
from gateway.core.days import MAX_AHEAD_MS
from gateway.wire.messages import State

log = logging.getLogger(__name__)

_WITNESSES = 2
"""One gateway alone says nothing of the city's clock."""
_AHEAD = (
    "the clock of gateway %s is %d s ahead of this city's: what it sends is stored, but counts for "
    "no rate until its clock, or this one, is right: check time synchronisation (NTP)"
)


def right_span(state: State, received_ms: int) -> Span | None:
    """From when to when the clock of a gateway was right; None if that cannot be said.

    A clock that agrees with ours, and that nobody has set for a while, was right all that while.

    Args:
        state: what the gateway says.
        received_ms: when it came, by the city's clock, UTC milliseconds.
    """
    is_sound = 0 < state.steady_since_ms <= state.time_ms
    if not is_sound or abs(received_ms - state.time_ms) > MAX_AHEAD_MS:
        return None
    return state.steady_since_ms, state.time_ms


@dataclass(slots=True)
class Clocks:
    """What is to be written of the clocks that are right.

    That is little: a span that begins, and goes on while the gateway doubts its clock. Once that
    is confirmed, values carry no doubt, and nobody asks how far the span goes.
    """

    _ahead_ms: dict[str, int] = field(default_factory=dict)
    _newest: dict[str, tuple[int, bool]] = field(default_factory=dict)
    _unwritten: dict[str, Span] = field(default_factory=dict)

    def heard(self, gateway: str, state: State, received_ms: int) -> None:
        """A sign of life came."""
        self._compare(gateway, state.time_ms - received_ms)
        span = right_span(state, received_ms)
        if span is None:
            return
        said = (state.steady_since_ms, state.clock_doubt)
        if state.clock_doubt or self._newest.get(gateway) != said:
            self._unwritten[gateway] = span
        self._newest[gateway] = said

    def _compare(self, gateway: str, lead_ms: int) -> None:
        """Say once that a clock is ahead of ours, and once that it is not any more.

        Not of those that are behind: what they say may have waited somewhere.
        """
        is_known = gateway in self._ahead_ms
        if lead_ms > MAX_AHEAD_MS:
            if not is_known:
                log.warning(_AHEAD, gateway, lead_ms / 1000)
            self._ahead_ms[gateway] = lead_ms
        elif is_known:
            del self._ahead_ms[gateway]
            log.info("the clock of gateway %s is right again", gateway)

    def problem(self, heard: Collection[str]) -> str:
        """What is wrong with the city's own clock, by the word of most gateways; empty: nothing.

        Args:
            heard: gateways that are heard now.
        """
        leads = sorted(self._ahead_ms[name] for name in heard if name in self._ahead_ms)
        if len(leads) < _WITNESSES or 2 * len(leads) <= len(heard):
            return ""
        behind_s = leads[len(leads) // 2] // 1000
        return (
            f"{len(leads)} of {len(heard)} gateways say that this city's clock is {behind_s} s "
            "slow: check its time synchronisation (NTP); what they send counts once it is right"
        )

    def unwritten(self) -> dict[str, Span]:
        """Spans that are to be written now, by gateway."""
        spans, self._unwritten = self._unwritten, {}
        return spans

    def put_back(self, spans: dict[str, Span]) -> None:
        """They could not be written."""
        self._unwritten = spans | self._unwritten

    def forget(self) -> None:
        """Other gateways are heard from now on."""
        self._newest.clear()
        self._ahead_ms.clear()
