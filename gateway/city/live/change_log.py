"""Which gateways changed since when, so that a copy elsewhere is kept true by what is new."""

from itertools import takewhile


class ChangeLog:
    """Numbers every change; remembers the newest of each gateway only, so it never grows."""

    def __init__(self) -> None:
        self.number = 0
        self._newest: dict[str, int] = {}

    def note(self, gateway_id: str) -> int:
        """A gateway changed; returns the number of the change."""
        self.number += 1
        self._newest.pop(gateway_id, None)  # so that the dictionary stays in order of the numbers
        self._newest[gateway_id] = self.number
        return self.number

    def since(self, number: int) -> list[tuple[str, int]]:
        """Gateways that changed after ``number`` with their newest change, oldest first."""
        newest_first = reversed(self._newest.items())
        return list(takewhile(lambda change: change[1] > number, newest_first))[::-1]
