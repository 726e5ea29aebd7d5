"""Which gateways' clocks are right, by what they say of them in their signs of life. Pure."""

from dataclasses import dataclass, field

from gateway.city.evidence.clock_doubt import Span
from gateway.core.days import MAX_AHEAD_MS
from gateway.wire.messages import State


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

    _newest: dict[str, tuple[int, bool]] = field(default_factory=dict)
    _unwritten: dict[str, Span] = field(default_factory=dict)

    def heard(self, gateway: str, state: State, received_ms: int) -> None:
        """A sign of life came."""
        span = right_span(state, received_ms)
        if span is None:
            return
        said = (state.steady_since_ms, state.clock_doubt)
        if state.clock_doubt or self._newest.get(gateway) != said:
            self._unwritten[gateway] = span
        self._newest[gateway] = said

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
