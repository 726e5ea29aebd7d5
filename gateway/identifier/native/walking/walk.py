"""From server to server until a handle is found (RFC 3651, 3.3; RFC 3652, 3.2 and 3.4)."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from gateway.identifier.irp.bodies import Held, Question
from gateway.identifier.irp.codes import Rc
from gateway.identifier.irp.data import Site
from gateway.identifier.native.walking.asking import Asker
from gateway.identifier.native.walking.exchange import Form
from gateway.identifier.native.walking.known import Known
from gateway.identifier.native.walking.places import NAMING_TYPES, Sites, service_in, sites_in
from gateway.identifier.native.walking.replies import Reply
from gateway.identifier.native.walking.trust import Scope
from gateway.identifier.native.walking.way import ABSENT, Hop, WalkError, Way, words

PATIENCE_S = 1.0
_NATIONAL = ("86.", "88.")
"""Prefixes whose sites are asked for by the prefix as it is; elsewhere ``0.NA/`` stands before."""


@dataclass(frozen=True, slots=True)
class Found:
    """A handle that was found, with the way to it."""

    held: Held
    hops: tuple[Hop, ...]


@dataclass(frozen=True, slots=True)
class Manner:
    """How handles are looked for.

    Attributes:
        timeout_s: for one question to one server.
        total_s: for a whole walk.
        patience_s: after which a second server is asked beside one that is not known yet.
        least: addresses that every server may refer to; each may name those as far inside as it
            is itself.
        by_prefix: the servers to begin with are asked for the sites of a prefix, and these for
            the handle; else the servers are asked for the handle.
        with_auth: how the servers to begin with want to be asked (see ``Form``).
    """

    timeout_s: float
    total_s: float = 10.0
    patience_s: float = PATIENCE_S
    least: Scope = Scope.PUBLIC
    by_prefix: bool = False
    with_auth: bool = False


class Walker:
    """Resolves handles from servers to begin with.

    Which sites answer for a prefix is kept as long as its values say; a failure there leads back
    to the beginning, and takes nothing away.

    Args:
        start: sites that are asked first: roots, a recursive node, or the node itself.
        manner: how.
        clock_s: a clock that only runs.
        now_s: seconds since 1970.
    """

    def __init__(
        self,
        start: tuple[Site, ...],
        manner: Manner,
        clock_s: Callable[[], float] = time.monotonic,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._start = Sites(start)
        self._manner = manner
        self._asker = Asker(manner.timeout_s, manner.patience_s, manner.least, clock_s)
        self._known = Known(now_s)

    def close(self) -> None:
        """Close all connections."""
        self._asker.close()

    async def resolve(self, question: Question) -> Found:
        """Find a handle, over referrals, aliases and services.

        Raises:
            WalkError: there is none, or nobody who knows could be asked.
        """
        way, total_s = Way(), self._manner.total_s
        try:
            async with asyncio.timeout(total_s):
                return Found(await self._behind_aliases(question, way), tuple(way.hops))
        except TimeoutError:
            raise WalkError(f"{question.handle}: not found in {total_s:g} s", way.hops) from None

    async def _behind_aliases(self, question: Question, way: Way) -> Held:
        asked = question
        while True:
            held = await self._held(asked, way)
            alias = _alias(held, question)
            if alias is None:
                return held
            asked = Question(alias, question.indexes, question.types)

    async def _held(self, asked: Question, way: Way) -> Held:
        """A handle by the sites that are known for its prefix; else from the beginning.

        That there is none is believed of known sites only where nobody can be asked who names
        them: the prefix may have moved.
        """
        known = self._known.sites(asked.handle.partition("/")[0])
        if known is None:
            return await self._from_start(asked, way)
        try:
            return await self._at(known, asked, way)
        except WalkError as before:
            way.begin_anew()
            try:
                return await self._from_start(asked, way)
            except WalkError as anew:
                raise before if before.is_certain and not anew.is_certain else anew from None

    async def _from_start(self, asked: Question, way: Way) -> Held:
        prefix = asked.handle.partition("/")[0]
        start = await self._sites_of(prefix, way) if self._manner.by_prefix else self._start
        return await self._at(start, asked, way)

    async def _at(self, sites: Sites, asked: Question, way: Way) -> Held:
        reply, sites = await self._answered(sites, asked, way)
        prefix, slash, _ = asked.handle.partition("/")
        if slash and reply.place.is_home:
            self._known.keep(prefix, sites)
        if reply.held is None:
            is_certain = reply.place.is_home and reply.rc in ABSENT
            why = words(reply.rc) if is_certain else reply.why or words(reply.rc)
            raise WalkError(f"{asked.handle}: {why}", way.hops, reply.rc, is_certain=is_certain)
        return reply.held

    async def _answered(
        self, sites: Sites, asked: Question, way: Way, form: Form | None = None
    ) -> tuple[Reply, Sites]:
        """What is said where referrals lead, and by whose sites."""
        form = form or Form(with_auth=self._manner.with_auth and not sites.told_by)
        is_reloaded = False
        while True:
            way.step(asked.handle, (asked, sites, form))
            reply = await self._asker.ask(sites, asked, way, form)
            if reply.referral is not None:
                sites, form = await self._referred(reply, sites, form, way)
            elif reply.rc == Rc.SITE_OUT_OF_DATE and not is_reloaded:
                sites = await self._asker.reloaded(reply, sites.until_s, way)
                is_reloaded = True
            else:
                return reply, sites

    async def _referred(
        self, reply: Reply, sites: Sites, form: Form, way: Way
    ) -> tuple[Sites, Form]:
        """Whom a referral leads to; where it names no site, once more the same, as its primary."""
        referral, told = reply.referral, None
        if referral is not None and referral.handle:
            told = await self._named(referral.handle, way)
        elif referral is not None:
            told = await self._told(Held("", referral.values), reply.address, way)
        if told is not None:
            return told, Form()
        if form.is_authoritative:
            raise WalkError(f"a referral by {reply.place} names no site", way.hops)
        return sites, replace(form, is_authoritative=True)

    async def _sites_of(self, prefix: str, way: Way) -> Sites:
        """Whom the servers to begin with name for a prefix, in either spelling.

        Raises:
            WalkError: nobody.
        """
        for handle in _spellings(prefix):
            if (sites := await self._named(handle, way)) is not None:
                return sites
        for parent in _parents(prefix):
            for handle in _spellings(parent):
                above = await self._named(handle, way, is_derived=True)
                sites = above and await self._named(_spellings(prefix)[0], way, above)
                if sites is not None:
                    return sites
        raise WalkError(f"{prefix}: nobody is named that answers for it", way.hops)

    async def _named(
        self, handle: str, way: Way, at: Sites | None = None, *, is_derived: bool = False
    ) -> Sites | None:
        """The sites that a handle names; asked for once more, of the primary, if it has none."""
        asked = Question(handle, (), NAMING_TYPES)
        for form in (None, Form(is_authoritative=True)):
            reply, _ = await self._answered(at or self._start, asked, way, form)
            if reply.held is None:
                return None
            told = await self._told(reply.held, reply.address, way, is_derived=is_derived)
            if told is not None:
                return told
        return None

    async def _told(
        self, held: Held, address: str, way: Way, *, is_derived: bool = False
    ) -> Sites | None:
        """The sites that values name, or that the service names which they name."""
        if sites := sites_in(held.values, is_derived=is_derived):
            return Sites(sites, address, self._known.until_s(held.values))
        service = service_in(held.values)
        return await self._named(service, way) if service else None


def _spellings(prefix: str) -> tuple[str, ...]:
    spelled = f"0.NA/{prefix.upper()}", prefix
    return spelled[::-1] if prefix.startswith(_NATIONAL) else spelled


def _parents(prefix: str) -> Iterator[str]:
    """What a prefix is derived from, the nearest first."""
    while "." in prefix:
        prefix = prefix.rpartition(".")[0]
        yield prefix


def _alias(held: Held, question: Question) -> str | None:
    if "HS_ALIAS" in question.types:
        return None
    values = [one.data for one in held.values if one.type == "HS_ALIAS"]
    return values[0].decode(errors="replace") if values else None
