"""GS1 codes by a conformant resolver (GS1-Conformant resolver standard 1.2)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from gateway.identifier.codes.code import Code, CodeError
from gateway.identifier.codes.gs1 import Gs1
from gateway.identifier.resolving.answer import Answer, Item, Outcome
from gateway.identifier.resolving.web import Page, Web

_LINKSET = "application/linkset+json"
_TTL_S = 3_600
_SCHEMES = ("http", "https")
"""What a link of a thing may begin with: a phone is sent there."""
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
        page = await self._web.get(
            path.partition("?")[0], _LINKSET, leads_on=True, linkType="linkset"
        )
        items = tuple(_items(page, code)) if page.outcome is Outcome.FOUND else ()
        outcome = page.outcome
        if outcome is Outcome.FOUND and not items:
            outcome = Outcome.BROKEN
        why = page.why or ("" if items else f"the resolver gives no link of {code}")
        return Answer(str(code), outcome, items, self.name, why, _TTL_S, (page.hop,))

    async def close(self) -> None:
        """See ``Source``."""
        await self._web.close()


def _items(page: Page, code: Code) -> Iterator[Item]:
    links = [*_of_linkset(page.body, code), *_of_headers(page.headers)]
    return (one for one in links if urlsplit(one.text).scheme.lower() in _SCHEMES)


def _of_headers(headers: Mapping[str, str]) -> Iterator[Item]:
    for link in _LINK.finditer(headers.get("link", "")):
        yield Item(link["rel"].rpartition("/")[2], link["target"])
    if location := headers.get("location"):
        yield Item("defaultLink", location)


def _of_linkset(body: Any, code: Code) -> Iterator[Item]:
    """Links of RFC 9264: of each context of the thing that was asked for, by relation."""
    contexts = body.get("linkset") if isinstance(body, dict) else None
    for context in contexts if isinstance(contexts, list) else ():
        if not isinstance(context, dict) or not _is_about(context.get("anchor"), code):
            continue
        for relation, targets in context.items():
            for target in targets if isinstance(targets, list) else ():
                if isinstance(target, dict) and isinstance(target.get("href"), str):
                    yield Item(relation.rpartition("/")[2], target["href"])


def _is_about(anchor: Any, code: Code) -> bool:
    """Whether a context is of a thing, or of the class that a single one belongs to.

    A resolver may know an article only, and not each piece of it (GS1-Conformant resolver
    standard). A context without an anchor is of what was asked for (RFC 9264, 4.2.1).
    """
    if anchor is None:
        return True
    try:
        told = Gs1.from_link(str(anchor))
    except CodeError:
        return False
    return isinstance(code, Gs1) and set(told.elements) <= set(code.elements)
