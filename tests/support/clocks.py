"""Clocks of the edge as tests want them."""

from gateway.edge.device.clock import Clock


class FixedClock(Clock):
    """Shows one time for ever, and is trusted."""

    def __init__(self, now_ms: int) -> None:
        super().__init__()
        self.fixed_ms = now_ms

    def system_ms(self) -> int:
        return self.fixed_ms

    def monotonic_ms(self) -> float:
        return 0.0

    def is_synchronised(self) -> bool:
        return True
