"""Codes by an address that was configured for them: one GET, a record in JSON.

For what has no public resolver that is documented: OID arcs of one country, Ecode, VAA, GS1
numbers of one company.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from gateway.identifier.codes.code import Code, System
from gateway.identifier.codes.gs1 import Gs1
from gateway.identifier.resolving.answer import Answer, Item, Outcome
from gateway.identifier.resolving.web import Page, Web

CODE = "{code}"
"""Where the code stands in a path."""
_TTL_S = 3_600
_MAX_ITEMS, _MAX_TEXT = 256, 4_096
_LABELLED = frozenset({System.OID, System.HANDLE})
"""Systems whose prefixes end where a label does."""
_LED = frozenset({"00", "01", "8003"})
"""GS1 keys with a digit before the company's prefix."""


class UrlSource:
    """An address for the codes of one system that begin alike.

    Args:
        name: as answers name it.
        web: the server.
        path: what is asked for there, with ``{code}`` in it.
        belongs: the system, and with what its codes begin.
        record: where the record stands in the answer, by names with dots between; empty: all of it.
        echo: where the answer repeats the code; empty: nowhere, so it is believed as it is.
    """

    def __init__(
        self,
        name: str,
        web: Web,
        path: str,
        belongs: tuple[System, str],
        record: str = "",
        echo: str = "",
    ) -> None:
        self.name = name
        self._web = web
        self._path = path
        self._system, self._prefix = belongs
        self._record, self._echo = record, echo

    def takes(self, code: Code) -> bool:
        """See ``Source``."""
        return code.system is self._system and _begins(code, self._prefix)

    async def ask(self, code: Code) -> Answer:
        """See ``Source``; redirects are told, not followed."""
        page = await self._web.get(self._path.replace(CODE, quote(written(code), safe="")))
        outcome, why = self._judged(page, code)
        found = outcome is Outcome.FOUND
        items = tuple(_items(_at(page.body, self._record))) if found else ()
        ttl_s = _TTL_S if found else 0
        return Answer(str(code), outcome, items, self.name, why, ttl_s, (page.hop,))

    async def close(self) -> None:
        """See ``Source``."""
        await self._web.close()

    def _judged(self, page: Page, code: Code) -> tuple[Outcome, str]:
        if page.outcome is not Outcome.FOUND:
            return page.outcome, page.why
        if not isinstance(_at(page.body, self._record), dict):
            nothing = "the answer has no record in it"
            under = f"the answer has no record under {self._record!r}"
            return Outcome.BROKEN, under if self._record else nothing
        if self._echo and str(_at(page.body, self._echo)) not in (str(code), written(code)):
            return Outcome.BROKEN, f"the answer is that of {str(_at(page.body, self._echo))[:80]!r}"
        return Outcome.FOUND, ""


def written(code: Code) -> str:
    """A code as it stands in an address; of GS1 its elements, ``(01)09521234543213(21)12345``."""
    return code.bracketed if isinstance(code, Gs1) else str(code)


def _begins(code: Code, prefix: str) -> bool:
    if isinstance(code, Gs1):
        ai, value = code.key
        return value[ai in _LED :].startswith(prefix)
    text = str(code)
    if not prefix or code.system not in _LABELLED:
        return text.startswith(prefix)
    return text.upper() == prefix.upper() or text.upper().startswith(
        (f"{prefix}.".upper(), f"{prefix}/".upper())
    )


def _at(body: Any, path: str) -> Any:
    for name in filter(None, path.split(".")):
        body = body.get(name) if isinstance(body, dict) else None
    return body


def _items(record: dict[str, Any]) -> Iterator[Item]:
    """Each name of a record; what is no text stands as JSON."""
    for name, value in list(record.items())[:_MAX_ITEMS]:
        if value is not None:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield Item(name, text[:_MAX_TEXT])
