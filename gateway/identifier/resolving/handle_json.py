"""Handles by the JSON interface of Handle servers and of the global proxy."""

from typing import Any
from urllib.parse import quote

from gateway.identifier.codes.code import Code
from gateway.identifier.codes.handle import Handle
from gateway.identifier.irp.codes import Rc
from gateway.identifier.resolving.answer import Answer, Item, Outcome
from gateway.identifier.resolving.web import Page, Web

_REFUSALS: dict[int, Outcome] = {
    Rc.NOT_RESPONSIBLE: Outcome.NOT_RESPONSIBLE,
    Rc.INVALID_ADMIN: Outcome.DENIED,
    Rc.NOT_PERMITTED: Outcome.DENIED,
    Rc.CHALLENGE: Outcome.DENIED,
}
_TTL_S = 86_400


class HandleJsonSource:
    """A server with ``/api/handles``.

    Args:
        name: as answers name it.
        url: of the server.
        timeout_s: for an answer.
    """

    def __init__(self, name: str, url: str, timeout_s: float) -> None:
        self.name = name
        self._web = Web(name, url, timeout_s)

    def takes(self, code: Code) -> bool:
        """See ``Source``."""
        return isinstance(code, Handle)

    async def ask(self, code: Code) -> Answer:
        """See ``Source``."""
        page = await self._web.get(f"/api/handles/{quote(str(code))}")
        outcome, why, items = _read(page, str(code))
        ttl_s = _ttl_s(page.body) if outcome is Outcome.FOUND else 0
        return Answer(str(code), outcome, items, self.name, why, ttl_s, (page.hop,))

    async def close(self) -> None:
        """See ``Source``."""
        await self._web.close()


def _read(page: Page, code: str) -> tuple[Outcome, str, tuple[Item, ...]]:
    body = page.body if isinstance(page.body, dict) else {}
    rc = body.get("responseCode")
    rc = rc if type(rc) is int else 0  # true is no code, though Python takes it for 1
    if rc in (Rc.HANDLE_NOT_FOUND, Rc.VALUES_NOT_FOUND):
        return Outcome.NOT_FOUND, f"there is no {code}", ()
    if rc in _REFUSALS:
        return _REFUSALS[rc], f"the server does not tell us (code {rc})", ()
    if page.outcome is Outcome.NOT_FOUND:  # a page of some proxy; the server itself says 100
        return Outcome.BROKEN, "HTTP 404 without a code: is the address a Handle server's?", ()
    if page.outcome is not Outcome.FOUND:
        return page.outcome, page.why, ()
    values, handle = body.get("values"), str(body.get("handle", ""))
    if rc != Rc.OK or handle.upper() != code.upper() or not isinstance(values, list):
        return Outcome.BROKEN, f"the answer is not that of {code}", ()
    return Outcome.FOUND, "", tuple(_item(one) for one in values if isinstance(one, dict))


def _item(value: dict[str, Any]) -> Item:
    data = value.get("data")
    held = data.get("value") if isinstance(data, dict) else data
    index = value.get("index")
    return Item(str(value.get("type", "")), str(held), index if isinstance(index, int) else 0)


def _ttl_s(body: Any) -> int:
    ttls = [one.get("ttl") for one in body["values"] if isinstance(one, dict)]
    return min((one for one in ttls if isinstance(one, int) and one >= 0), default=_TTL_S)
