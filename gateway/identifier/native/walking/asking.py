"""One question to all who may know: the first good answer counts."""

import asyncio
from collections.abc import Callable
from itertools import takewhile

from gateway.identifier.irp.bodies import Question
from gateway.identifier.native.walking.exchange import Exchange, Form
from gateway.identifier.native.walking.places import Place, Sites, places_of
from gateway.identifier.native.walking.pool import Pool
from gateway.identifier.native.walking.replies import Reply
from gateway.identifier.native.walking.standing import Standing
from gateway.identifier.native.walking.trust import Scope, may_refer
from gateway.identifier.native.walking.way import Hop, WalkError, Way

AT_ONCE = 4
"""Servers that are asked beside each other."""
_PLAIN = Form()
_Asking = dict[asyncio.Task[Reply | None], Place]


class Asker:
    """Asks servers, and remembers how they did.

    Args:
        timeout_s: for one question to one server.
        patience_s: after which another one is asked beside a server that is not known yet.
        least: addresses that every server may refer to.
        clock_s: a clock that only runs.
    """

    def __init__(
        self, timeout_s: float, patience_s: float, least: Scope, clock_s: Callable[[], float]
    ) -> None:
        self._pool = Pool(timeout_s)
        self._standing = Standing(patience_s, clock_s)
        self._exchange = Exchange(self._pool, self._standing, clock_s)
        self._least = least

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    async def ask(self, sites: Sites, asked: Question, way: Way, form: Form = _PLAIN) -> Reply:
        """The first answer that decides; where none does, the last one.

        A server that takes longer than its answers used to, is not waited for alone.

        Raises:
            WalkError: nobody could be asked.
        """
        left = self._standing.ordered(self._allowed(sites, asked, way))
        asking: _Asking = {}
        last: Reply | None = None
        try:
            while left or asking:
                patience_s = self._begin(left, asking, asked, way, form)
                for task in await _done(asking, patience_s):
                    reply = task.result()
                    if reply is not None and reply.is_good:
                        self._note_overtaken(task, asking)
                        return reply
                    last = reply or last
                    del asking[task]
        finally:
            await _let_go(asking)
        if last is None:
            raise WalkError(f"{asked.handle}: no server could be asked", way.hops)
        return last

    async def reloaded(self, reply: Reply, until_s: float, way: Way) -> Sites:
        """The site of a server that has answered, as it describes it now.

        Raises:
            WalkError: it does not.
        """
        site = await self._exchange.site(reply.place, way)
        if site is None:
            raise WalkError(f"{reply.place} does not say who belongs to its site", way.hops)
        return Sites((site,), reply.address, until_s)

    def _begin(
        self, left: list[Place], asking: _Asking, asked: Question, way: Way, form: Form
    ) -> float | None:
        """Ask the next one, if there is room; for how long it is waited for alone."""
        if not left or len(asking) >= AT_ONCE:
            return None
        place = left.pop(0)
        asking[asyncio.create_task(self._exchange.resolve(place, asked, form, way))] = place
        return self._standing.patience_s(place) if left else None

    def _allowed(self, sites: Sites, asked: Question, way: Way) -> list[Place]:
        """Places that whoever told them may send us to; the others are said.

        Raises:
            WalkError: there are none.
        """
        places = places_of(sites.sites, asked.handle)
        if not sites.told_by:
            return places
        inside = [one for one in places if not may_refer(sites.told_by, one.address, self._least)]
        for one in inside:
            way.hops.append(Hop(asked.handle, str(one), f"not asked: {sites.told_by} said it", 0.0))
        if inside and len(inside) == len(places):
            raise WalkError(
                f"{asked.handle}: {sites.told_by} refers to {inside[0]}, which is further inside "
                "than that server itself; `referrals` says what is followed",
                way.hops,
            )
        return [one for one in places if one not in inside]

    def _note_overtaken(self, quickest: asyncio.Task[Reply | None], asking: _Asking) -> None:
        """Those that were asked before and still say nothing are asked last for a while."""
        for task in takewhile(lambda one: one is not quickest, asking):
            if not task.done():
                self._standing.failed(asking[task])


async def _done(asking: _Asking, timeout_s: float | None) -> list[asyncio.Task[Reply | None]]:
    """Those that came to an end, in the order in which they were asked."""
    done, _ = await asyncio.wait(asking, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    return [task for task in asking if task in done]


async def _let_go(asking: _Asking) -> None:
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
