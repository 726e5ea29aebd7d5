"""Which sites answer for a prefix, kept from one question to the next. Pure."""

from collections import OrderedDict
from collections.abc import Callable, Sequence

from gateway.identifier.irp.values import Value, left_s
from gateway.identifier.native.walking.places import Sites

_MOST = 1024


class Known:
    """Sites by prefix, each until its time is over.

    Args:
        now_s: seconds since 1970.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._sites: OrderedDict[str, Sites] = OrderedDict()

    def sites(self, prefix: str) -> Sites | None:
        """Those of a prefix, if they are known."""
        sites = self._sites.get(prefix.upper())
        return sites if sites is not None and sites.until_s > self._now_s() else None

    def keep(self, prefix: str, sites: Sites) -> None:
        """Note those of a prefix; the ones noted longest ago make room."""
        if sites.until_s <= self._now_s():
            return
        self._sites[prefix.upper()] = sites
        self._sites.move_to_end(prefix.upper())
        if len(self._sites) > _MOST:
            self._sites.popitem(last=False)

    def until_s(self, values: Sequence[Value]) -> float:
        """How long values that came just now are good, in seconds since 1970."""
        now_s = self._now_s()
        return now_s + min((left_s(one, now_s) for one in values), default=0)
