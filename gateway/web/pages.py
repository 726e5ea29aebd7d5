"""From a view function to an answer: HTML, its live updates, or its table as a file.

A page is one function ``async (request) -> View``. The same function renders the page, feeds the
blocks that update themselves over server-sent events, and fills ``?format=csv|json``.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

from gateway.web import formats, tables
from gateway.web.access import sessions
from gateway.web.access.admission import still_admitted
from gateway.web.access.reader import NOT_ALLOWED, Reader
from gateway.web.access.store import SessionsAwayError
from gateway.web.assets import Assets
from gateway.web.i18n import LANGUAGES, Language, choose, text

TEMPLATES = Path(__file__).parent / "templates"
THEMES = ("auto", "light", "dark")
YEAR_S = 365 * 86_400
STREAM_S = 600
"""A stream of updates ends after this long; the browser opens the next by itself."""
HEARTBEAT_S = 10
NOTICE = "notice"
"""A block that every page has and that updates itself wherever others do."""


@dataclass(frozen=True, slots=True)
class View:
    """What a page shows.

    Attributes:
        template: file among the templates.
        data: variables of the template.
        live: blocks of the template that update themselves.
        interval_s: period of the updates.
        table: the page's main table as a file, for ``?format=csv`` and ``json``.
        still: further variables, costly and never part of a live block (charts as pictures);
            made for a whole page only, not for its updates and files.
        status: of the answer; what cannot be shown is no 200.
        files: makes files of further formats.
    """

    template: str
    data: Mapping[str, object]
    live: tuple[str, ...] = ()
    interval_s: float = 2.0
    table: tables.Table | None = None
    still: Callable[[], Awaitable[Mapping[str, object]]] | None = None
    status: int = 200
    files: Mapping[str, Callable[[], Awaitable[Response]]] = field(default_factory=dict)


ViewFunction = Callable[[Request], Awaitable[View]]
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Site:
    """What is the same on every page.

    Attributes:
        name: shown beside the brand, by language.
        navigation: pairs of address and catalogue key.
        demonstration: say 演示数据 on every page and in every file.
        secure: served by TLS, so cookies may insist on it.
        login: visitors log in, so there is something to log out of.
        foot: further pages, named at the foot of each; pairs as of the navigation.
        kept: parameters of an address that its links hand on.
        search: address of the search, whose box is on every page; empty: there is none.
        asks_purpose: files are given out for a purpose that a page asks for.
        within: pages that belong to another entry of the navigation than their address says.
    """

    name: Mapping[Language, str]
    navigation: Sequence[tuple[str, str]]
    demonstration: bool
    secure: bool
    login: bool
    foot: Sequence[tuple[str, str]] = ()
    kept: Sequence[str] = ()
    search: str = ""
    asks_purpose: bool = False
    within: Mapping[str, str] = field(default_factory=dict)

    def section(self, path: str) -> str:
        """The address of the navigation that a page belongs to; the first page's for others.

        Empty for a page that the foot names, and for the search.
        """
        if path in {self.search, *dict(self.foot)}:
            return ""
        path = self.within.get(path, path)
        own = (target for target, _ in self.navigation if f"{path}/".startswith(f"{target}/"))
        return next(own, "/")


@dataclass(frozen=True, slots=True)
class Preferences:
    """Language and colours of one visitor."""

    language: Language
    theme: str
    csrf: str


def preferences(request: Request) -> Preferences:
    """What the visitor chose: parameters first, then cookies, then the browser's wish."""
    language = choose(
        request.query_params.get("lang"),
        request.cookies.get("lang"),
        request.headers.get("accept-language", ""),
    )
    theme = request.query_params.get("theme") or request.cookies.get("theme", "auto")
    csrf = request.cookies.get(sessions.CSRF_COOKIE) or sessions.new_csrf()
    return Preferences(language, theme if theme in THEMES else "auto", csrf)


@dataclass(slots=True)
class Pages:
    """Templates of a console in both languages.

    Attributes:
        site: what is the same on every page.
        assets: style sheet, scripts, pictures.
        folders: where the console's own templates are.
        filters: its own filters.
        variables: its own variables.
        macros: names under which templates of macros are known.
        missing_since_ms: since when live values are missing, UTC milliseconds; None: they are not.
        reader: who asks for a page; None: that is not known, or all see the same.
    """

    site: Site
    assets: Assets
    folders: Sequence[Path] = ()
    filters: Mapping[str, Callable[..., object]] = field(default_factory=dict)
    variables: Mapping[str, object] = field(default_factory=dict)
    macros: Mapping[str, str] = field(default_factory=dict)
    missing_since_ms: Callable[[], int | None] = lambda: None
    reader: Callable[[Request], Reader | None] = lambda _: None
    _environments: dict[Language, Environment] = field(init=False)

    def __post_init__(self) -> None:
        self._environments = {language: self._environment(language) for language in LANGUAGES}

    def _environment(self, language: Language) -> Environment:
        environment = Environment(
            loader=FileSystemLoader([*self.folders, TEMPLATES]),
            autoescape=True,
            undefined=StrictUndefined,  # a misspelt variable fails instead of showing nothing
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= formats.filters(language) | dict(self.filters)
        environment.globals |= {
            "t": partial(text, language),
            "lang": language,
            "nothing": formats.NOTHING,
            "asset": self.assets.url,
            "site": self.site,
            **self.variables,
        }
        for name, file in ({"ui": "macros.html"} | dict(self.macros)).items():
            environment.globals[name] = environment.get_template(file).module
        return environment

    def endpoint(self, function: ViewFunction) -> Endpoint:
        """The route of a view function."""

        async def answer(request: Request) -> Response:
            view = await function(request)
            if view.live and request.headers.get("accept", "") == "text/event-stream":
                return self._stream(request, function, view)
            wanted = request.query_params.get("format")
            if wanted:
                return await self._file(request, view, wanted)
            return self.render(request, await _complete(view), view.status)

        return answer

    def render(self, request: Request, view: View, status: int = 200) -> Response:
        """A whole page; remembers language and colours asked for in the address."""
        chosen = preferences(request)
        template = self._environments[chosen.language].get_template(view.template)
        response = HTMLResponse(template.render(self._variables(request, chosen, view)), status)
        self._remember(request, response, chosen)
        return response

    def _variables(self, request: Request, chosen: Preferences, view: View) -> dict[str, Any]:
        return {
            **view.data,
            "theme": chosen.theme,
            "csrf": chosen.csrf,
            "here": request.scope["path"],
            "with_parameter": partial(formats.with_parameter, request),
            "onward": partial(formats.onward, request, self.site.kept),
            "sought": request.query_params.get("q", ""),
            "handed_on": formats.handed_on(request, self.site.kept),
            "is_live": bool(view.live),
            "reader": self.reader(request),
            "missing_since_ms": self.missing_since_ms(),
        }

    def _remember(self, request: Request, response: Response, chosen: Preferences) -> None:
        keep = partial(response.set_cookie, secure=self.site.secure, samesite="lax", httponly=True)
        if request.query_params.get("lang"):
            keep("lang", chosen.language, max_age=YEAR_S)
        if request.query_params.get("theme"):
            keep("theme", chosen.theme, max_age=YEAR_S)
        if sessions.CSRF_COOKIE not in request.cookies:
            keep(sessions.CSRF_COOKIE, chosen.csrf)

    async def _file(self, request: Request, view: View, wanted: str) -> Response:
        if wanted in view.files:
            return await view.files[wanted]()
        if view.table is None or wanted not in {"csv", "json"}:
            raise HTTPException(404)
        language, demonstration = tables.language_of(request), self.site.demonstration
        if wanted == "json":
            return tables.as_json(view.table, demonstration=demonstration)
        return tables.as_csv(view.table, demonstration=demonstration, language=language)

    def _stream(self, request: Request, function: ViewFunction, first: View) -> Response:
        events = self._events(request, function, first)
        # A proxy in front (nginx) would else keep events back until its buffer is full.
        return StreamingResponse(
            events, media_type="text/event-stream", headers={"x-accel-buffering": "no"}
        )

    async def _events(
        self, request: Request, function: ViewFunction, view: View
    ) -> AsyncIterator[str]:
        """Blocks whose HTML changed, as ``{block: html}``; an empty one is a sign of life."""
        sent: dict[str, str] = {}
        quiet_s, left_s = 0.0, float(STREAM_S)
        yield "retry: 2000\n\n"
        while left_s > 0:
            fresh = self._blocks(request, view)
            changed = {name: html for name, html in fresh.items() if sent.get(name) != html}
            quiet_s += view.interval_s
            if changed or quiet_s >= HEARTBEAT_S:
                quiet_s = 0.0
                yield f"data: {json.dumps(changed, ensure_ascii=False)}\n\n"
            sent = fresh
            left_s -= view.interval_s
            await asyncio.sleep(view.interval_s)
            if not await _may_look(request):
                return
            view = await function(request)

    def _blocks(self, request: Request, view: View) -> dict[str, str]:
        chosen = preferences(request)
        template = self._environments[chosen.language].get_template(view.template)
        context = template.new_context(self._variables(request, chosen, view))
        # The notice stands in the frame, and a template lists its own blocks only.
        frame = self._environments[chosen.language].get_template("base.html")
        blocks = {NOTICE: frame.blocks[NOTICE], **template.blocks}
        return {name: "".join(blocks[name](context)) for name in (NOTICE, *view.live)}

    async def failure(self, request: Request, error: Exception) -> Response:
        """The page for an error."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        other = "400" if status < 500 else "500"  # noqa: PLR2004 - whose fault it is
        key = str(status) if status in {403, 404, 502} else other
        key = "role" if getattr(error, "detail", "") == NOT_ALLOWED else key
        return self.render(request, View("error.html", {"status": status, "key": key}), status)


async def _may_look(request: Request) -> bool:
    try:
        return await still_admitted(request)
    except SessionsAwayError:
        return False  # the browser opens the next stream by itself, and is told what is wrong


async def _complete(view: View) -> View:
    """A view with what only a whole page shows."""
    return replace(view, data={**view.data, **await view.still()}) if view.still else view
