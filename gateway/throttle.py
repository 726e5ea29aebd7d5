"""Slow down who guesses secrets. Pure: clocks come in, and what is to be logged goes out.

A secret of the least length that is taken cannot be guessed in a lifetime at this pace; and who
mistypes a few times does not notice.
"""

from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

FREE_ATTEMPTS = 5
"""So many wrong ones in a row cost nothing."""
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 300.0
FORGOTTEN_S = 3_600.0
"""After so long without a wrong one, an earlier one is forgotten."""
MOST_WATCHED = 10_000
"""Guessers who are remembered; of more, those who have not tried for longest are forgotten."""
_SITE_BITS = 64
"""An IPv6 site has so many bits of addresses for itself, so all of them count as one."""


@dataclass(slots=True)
class _Guesser:
    wrong: int = 0
    last_s: float = 0.0
    until_s: float = 0.0


class Throttle:
    """Counts wrong secrets by who tries them: a user name, an address, or both."""

    def __init__(self) -> None:
        self._guessers: OrderedDict[str, _Guesser] = OrderedDict()

    def pause_s(self, who: str, now_s: float) -> float:
        """How long ``who`` must wait before the next attempt is looked at, seconds; 0: not.

        Args:
            who: as for :meth:`wrong`.
            now_s: a clock that only runs, seconds.
        """
        guesser = self._guessers.get(who)
        return max(0.0, guesser.until_s - now_s) if guesser else 0.0

    def wrong(self, who: str, now_s: float) -> bool:
        """Count a wrong secret; True for the one with which pauses begin: the one to be logged."""
        guesser = self._guessers.setdefault(who, _Guesser())
        self._guessers.move_to_end(who)
        if now_s - guesser.last_s > FORGOTTEN_S:
            guesser.wrong = 0
        guesser.wrong, guesser.last_s = guesser.wrong + 1, now_s
        doublings = guesser.wrong - FREE_ATTEMPTS
        if doublings >= 0:
            longest = min(doublings, 20)  # far beyond the longest pause; 2**1000 is no float
            guesser.until_s = now_s + min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**longest)
        while len(self._guessers) > MOST_WATCHED:
            self._guessers.popitem(last=False)
        return doublings == 0

    def right(self, who: str) -> None:
        """Forget the wrong ones: the secret is known."""
        self._guessers.pop(who, None)


def site_of(address: str) -> str:
    """What counts as one visitor: an IPv4 address, or the site of an IPv6 one (its /64).

    Args:
        address: as a socket names its peer; anything else is taken as it is.
    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{IPv6Address(int(parsed) >> _SITE_BITS << _SITE_BITS)}/{_SITE_BITS}"
