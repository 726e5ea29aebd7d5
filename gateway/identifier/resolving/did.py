"""DIDs, BIDs among them, by a universal resolver (W3C DID resolution, HTTPS binding)."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from gateway.identifier.codes.code import Code
from gateway.identifier.codes.did import Did
from gateway.identifier.resolving.answer import Answer, Item, Outcome
from gateway.identifier.resolving.web import Page, Web

_TTL_S = 3_600


class DidSource:
    """A resolver of DIDs.

    Args:
        name: as answers name it.
        url: of the resolver.
        timeout_s: for an answer.
        path: what stands before the DID; resolvers of BIDs have none.
    """

    def __init__(
        self, name: str, url: str, timeout_s: float, path: str = "/1.0/identifiers"
    ) -> None:
        self.name = name
        self._web = Web(name, url, timeout_s)
        self._path = path.rstrip("/")

    def takes(self, code: Code) -> bool:
        """See ``Source``."""
        return isinstance(code, Did)

    async def ask(self, code: Code) -> Answer:
        """See ``Source``."""
        page = await self._web.get(f"{self._path}/{quote(str(code), safe=':')}")
        document = _document(page)
        if page.outcome is not Outcome.FOUND:
            return Answer(str(code), page.outcome, (), self.name, page.why, hops=(page.hop,))
        if document is None or document.get("id") != str(code):
            why = f"the answer is no document of {code}"
            return Answer(str(code), Outcome.BROKEN, (), self.name, why, hops=(page.hop,))
        items = tuple(_items(document))
        return Answer(str(code), Outcome.FOUND, items, self.name, "", _ttl_s(document), (page.hop,))

    async def close(self) -> None:
        """See ``Source``."""
        await self._web.close()


def _document(page: Page) -> dict[str, Any] | None:
    """Bare, beside metadata, or within ``data`` as resolvers of BIDs have it."""
    body = page.body
    if isinstance(body, dict) and isinstance(body.get("data"), dict):
        body = body["data"]
    if isinstance(body, dict) and isinstance(body.get("didDocument"), dict):
        body = body["didDocument"]
    return body if isinstance(body, dict) else None


def _items(document: dict[str, Any]) -> Iterator[Item]:
    for one in _listed(document.get("alsoKnownAs")):
        yield Item("alsoKnownAs", str(one.get("id", "")) if isinstance(one, dict) else str(one))
    for one in _listed(document.get("service")):
        if isinstance(one, dict):
            yield Item(str(one.get("type", "service")), str(one.get("serviceEndpoint", "")))
    extension = document.get("extension")
    for one in _listed(extension.get("attributes") if isinstance(extension, dict) else None):
        if isinstance(one, dict):
            yield Item(str(one.get("key", "")), str(one.get("value", "")))


def _listed(thing: Any) -> list[Any]:
    return thing if isinstance(thing, list) else []


def _ttl_s(document: dict[str, Any]) -> int:
    extension = document.get("extension")
    ttl = extension.get("ttl") if isinstance(extension, dict) else None
    return ttl if isinstance(ttl, int) and ttl >= 0 else _TTL_S
