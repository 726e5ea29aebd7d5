"""Specifications to SVG, and the script bundle for interactive charts. Both work offline."""

import asyncio
import json
from functools import cache
from hashlib import blake2b

import vl_convert
from markupsafe import Markup

from gateway.city.console.charts.specifications import Spec
from gateway.city.console.remember import Remembered

KEEP_S = 3_600.0
VERSION = "6.4"
"""Vega-Lite version that the specifications are written in; Altair says so, once it is loaded."""


class Pictures:
    """SVG by specification; equal specifications are drawn once."""

    def __init__(self) -> None:
        self._remembered = Remembered()

    async def svg(self, spec: Spec) -> Markup:
        """The picture of a chart, for the page itself; safe, for it holds no text of strangers.

        Texts in a specification are escaped by the renderer.
        """
        text = json.dumps(spec, ensure_ascii=False, sort_keys=True)
        key = blake2b(text.encode(), digest_size=16).digest()
        return await self._remembered.get(key, KEEP_S, lambda: asyncio.to_thread(_draw, text))


def _draw(spec: str) -> Markup:
    return Markup(vl_convert.vegalite_to_svg(spec, vl_version=VERSION))  # noqa: S704 - see svg()


@cache
def bundle() -> bytes:
    """Vega, Vega-Lite and vega-embed as one module, about 0.9 MB."""
    # the snippet is optional, whatever its type stub says
    return vl_convert.javascript_bundle(vl_version=VERSION).encode()  # type: ignore[call-arg]
