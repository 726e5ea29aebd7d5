"""Waits between requests that a link needs."""

from dataclasses import dataclass

HASTY_S = 0.1
"""Some converters ignore what is sent sooner after their last answer (Carlo Gavazzi EM330: 50 ms).
If no request sent so soon was ever answered, but one was when repeated, all wait that long."""


@dataclass(slots=True)
class Pauses:
    """Waits that a link needs, seconds; shared by its connections.

    Attributes:
        after_connect_s: between opening a connection and the first request.
        between_s: between an answer and the next request.
        may_need: whether a pause between requests may still turn out to be needed.
    """

    after_connect_s: float = 0.0
    between_s: float = 0.0
    may_need: bool = True

    def set(self, after_connect_ms: int | None, between_ms: int | None) -> None:
        """Follow what is written; what is not may be learnt anew."""
        self.after_connect_s = (after_connect_ms or 0) / 1000
        self.between_s = (between_ms or 0) / 1000
        self.may_need = True
