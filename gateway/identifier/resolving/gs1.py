"""GS1 codes by a conformant resolver (GS1-Conformant resolver standard 1.2)."""

import re
from collections.abc import Iterator
from typing import Any

from gateway.identifier.codes.code import Code
from gateway.identifier.codes.gs1 import Gs1
from gateway.identifier.resolving.answer import Answer, Item, Outcome
from gateway.identifier.resolving.web import Page, Web

_LINKSET = "application/linkset+json"
_TTL_S = 3_600
_LINK = re.compile(r'<(?P<target>[^>]*)>[^,]*?;\s*rel="?(?P<rel>[^";,]+)"?')


class Gs1Source:
    """A resolver of GS1 Digital Links.

    Args:
        name: as answers name it.
        url: of the resolver.
        timeout_s: for an answer.
    """

    def __init__(self, name: str, url: str, timeout_s: float) -> None:
        self.name = name
        self._web = Web(name, url, timeout_s)

    def takes(self, code: Code) -> bool:
        """See ``Source``."""
        return isinstance(code, Gs1)

    async def ask(self, code: Code) -> Answer:
        """The links of a thing; where the resolver gives no list, the one that it leads to."""
        path = code.link("") if isinstance(code, Gs1) else str(code)
        page = await self._web.get(path.partition("?")[0], _LINKSET, linkType="linkset")
        items = tuple(_items(page)) if page.outcome is Outcome.FOUND else ()
        outcome = page.outcome
        if outcome is Outcome.FOUND and not items:
            outcome = Outcome.BROKEN
        why = page.why or ("" if items else "the resolver gives no link")
        return Answer(str(code), outcome, items, self.name, why, _TTL_S, (page.hop,))

    async def close(self) -> None:
        """See ``Source``."""
        await self._web.close()


def _items(page: Page) -> Iterator[Item]:
    yield from _of_linkset(page.body)
    for link in _LINK.finditer(page.headers.get("link", "")):
        yield Item(link["rel"].rpartition("/")[2], link["target"])
    if location := page.headers.get("location"):
        yield Item("defaultLink", location)


def _of_linkset(body: Any) -> Iterator[Item]:
    """Links of RFC 9264: of each context, by relation."""
    contexts = body.get("linkset") if isinstance(body, dict) else None
    for context in contexts if isinstance(contexts, list) else ():
        if not isinstance(context, dict):
            continue
        for relation, targets in context.items():
            for target in targets if isinstance(targets, list) else ():
                if isinstance(target, dict) and isinstance(target.get("href"), str):
                    yield Item(relation.rpartition("/")[2], target["href"])
