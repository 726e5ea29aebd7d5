"""Pages of the box and their addresses."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from edge_config.models.gateway import GatewayConfig
from gateway.edge.live.console.metrics import registry_of
from gateway.edge.live.console.pages.breaker import breaker_of, milliseconds
from gateway.edge.live.console.pages.detective import DetectivePage
from gateway.edge.live.console.pages.device import DevicePage
from gateway.edge.live.console.pages.frames import FramesPage, in_pairs, instant
from gateway.edge.live.console.pages.lines import LinesPage
from gateway.edge.live.console.pages.overview import Overview
from gateway.edge.live.console.pages.probing import ProbingPage
from gateway.edge.live.console.pages.standing import Said, step_title, tag_trouble_of, trouble_of
from gateway.edge.live.console.pages.testing import TestingPage
from gateway.edge.live.console.pages.writing import WritingPage
from gateway.edge.live.console.sessions import FileSessions, path_beside
from gateway.edge.live.console.tools import Tools
from gateway.edge.live.health import TOLERABLE, health
from gateway.edge.live.view import Live
from gateway.web.application import compose
from gateway.web.assets import Assets
from gateway.web.catalog.sentences import said
from gateway.web.health import of_registry
from gateway.web.i18n import Language
from gateway.web.pages import Pages, Site

TEMPLATES = Path(__file__).parent / "templates"


_NAVIGATION = (("/", "nav.devices"), ("/lines", "nav.lines"), ("/probe", "nav.probe"))


def system_ms() -> int:
    """UTC milliseconds by the system's clock."""
    return time.time_ns() // 1_000_000


def build(
    live: Live,
    config: GatewayConfig,
    now_ms: Callable[[], int] = system_ms,
    tools: Tools | None = None,
) -> ASGIApp:
    """The console as a guarded ASGI application.

    Args:
        live: what the edge knows.
        config: the gateway; its ``console`` must be set.
        now_ms: the clock, UTC milliseconds.
        tools: to ask devices; None: the pages only show what is known.

    Raises:
        ValueError: the configuration has no console.
        SecretUnavailableError: its token cannot be read, or is too short.
    """
    console = config.console
    if console is None:
        raise ValueError("the gateway's configuration has no 'console'")
    site = Site(
        name={"zh": config.gateway.id, "en": config.gateway.id},
        navigation=_NAVIGATION[: _reachable(tools)],
        demonstration=config.gateway.synthetic,
        secure=console.tls is not None,
        login=console.has_login,
    )
    pages = Pages(
        site, Assets(), (TEMPLATES,), _filters(_said(tools)), macros={"edge": "edge_macros.html"}
    )
    overview = Overview(live, config, now_ms, tools.mistakes if tools else ())
    routes = [
        Route("/", pages.endpoint(overview.view)),
        *DevicePage(live, now_ms, tools).routes(pages),
        *(_asking(live, tools, pages, now_ms) if tools is not None else ()),
    ]

    async def check() -> dict[str, str]:
        return health(live, now_ms())

    metrics, token = of_registry(registry_of(live)), console.access_token()
    kept = FileSessions(path_beside(config.buffer.path), token) if token is not None else None
    return compose(pages, console, routes, check, metrics, TOLERABLE, kept)


def _reachable(tools: Tools | None) -> int:
    """How many of the pages of the navigation there are."""
    if tools is None:
        return 1
    return 2 if tools.prober is None else 3


def _asking(
    live: Live, tools: Tools, pages: Pages, now_ms: Callable[[], int]
) -> Iterator[BaseRoute]:
    """The pages that ask devices."""
    yield from LinesPage(live, tools).routes(pages)
    yield from WritingPage(tools, pages, now_ms).routes()
    yield from FramesPage(tools, now_ms).routes(pages)
    yield from DetectivePage(tools, now_ms).routes(pages)
    yield from TestingPage(tools, now_ms).routes(pages)
    if tools.prober is not None:
        yield from ProbingPage(tools.prober, pages).routes()


def _said(tools: Tools | None) -> Said:

    def in_language(words: str, language: Language) -> str:
        return said(words, language, tools.sentences() if tools else frozenset())

    return in_language


def _filters(said: Said) -> dict[str, Callable[..., object]]:
    return {
        "said": said,
        "trouble": partial(trouble_of, said),
        "tag_trouble": tag_trouble_of,
        "instant": instant,
        "breaker": breaker_of,
        "bytes": in_pairs,
        "step_title": step_title,
        "ms": milliseconds,
    }
