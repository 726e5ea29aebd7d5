"""The demonstration's switch for its lines."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.city.access import links, users
from gateway.city.access.audit import Action, EntryFilter, entries
from gateway.city.access.principal import SCOPES, Role, ScopeKind, administrator, parse_scope
from gateway.city.console.app import build
from gateway.city.console.pages.people.guests import ADDRESS, guest
from tests.console.conftest import served
from tests.console.http import get, post
from tests.console.people import ROOT, browser, choose
from tests.console.people import post as send
from tests.console.town import NOW_MS, Town, town, uscc_of


class Lines:
    """What the demonstration offers: lines that start and stop."""

    def __init__(self) -> None:
        self.running = {"bearing": True, "doors": True}

    async def list(self, _request: Request) -> Response:
        return JSONResponse(
            [
                {"id": name, "title_zh": f"{name} 线", "title_en": name, "running": on}
                for name, on in self.running.items()
            ]
        )

    async def change(self, request: Request) -> Response:
        name = request.path_params["line"]
        if name not in self.running:
            return Response(status_code=404)
        self.running[name] = request.path_params["action"] == "start"
        return Response(status_code=204)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/lines", self.list),
                Route("/lines/{line}/{action}", self.change, methods=["POST"]),
            ]
        )


@contextlib.asynccontextmanager
async def demonstration(folder: Path) -> AsyncIterator[tuple[Lines, str]]:
    """A console whose demonstration can be switched."""
    lines = Lines()
    async with (
        served(lines.app()) as control,
        town(folder, control=control) as made,
        served(build(made.context)) as base,
    ):
        yield lines, base


async def test_a_line_is_stopped_by_the_page(tmp_path: Path) -> None:
    async with demonstration(tmp_path) as (lines, base):
        page = await get(f"{base}/?lang=zh")
        assert "bearing 线" in page.text
        csrf = page.cookies["qulink_csrf"]
        cookies = {"cookie": f"qulink_csrf={csrf}"}
        stop = f"{base}/demo/lines/bearing/stop"
        assert (await post(stop, {}, headers=cookies)).status_code == 403
        assert (await post(stop, {"csrf": csrf})).status_code == 403
        assert lines.running["bearing"]
        stopped = await post(stop, {"csrf": csrf}, headers=cookies)
        assert (stopped.status_code, stopped.headers["location"]) == (303, "/#line-bearing")
        assert not lines.running["bearing"]
        unknown = f"{base}/demo/lines/unknown/stop"
        assert (await post(unknown, {"csrf": csrf}, headers=cookies)).status_code == 404
        strange = f"{base}/demo/lines/bearing/explode"
        assert (await post(strange, {"csrf": csrf}, headers=cookies)).status_code == 404


async def test_a_demonstration_that_does_not_answer(tmp_path: Path) -> None:
    async with (
        town(tmp_path, control="http://127.0.0.1:9") as made,
        served(build(made.context)) as base,
    ):
        page = await get(f"{base}/?lang=zh")
        assert page.status_code == 200
        csrf = page.cookies["qulink_csrf"]
        cookies = {"cookie": f"qulink_csrf={csrf}"}
        answer = await post(f"{base}/demo/lines/x/stop", {"csrf": csrf}, headers=cookies)
        assert answer.status_code == 502


KEYS = {
    ScopeKind.ALL: "",
    ScopeKind.COUNTIES: "330822",
    ScopeKind.AREAS: "QZ-ZZXC",
    ScopeKind.ENTERPRISES: uscc_of(0),
}


def invite_guests(made: Town) -> None:
    """The users that the demonstration makes."""
    for role in Role:
        (kind,) = SCOPES[role]
        scope = parse_scope(f"{kind} {KEYS[kind]}")
        user = users.User(
            guest(role), guest(role), role, scope, NOW_MS, "demo", None, is_invited=True
        )
        made.database.run_now(users.add, administrator("demo"), user)


async def test_a_visitor_enters_as_each_role_by_one_click(tmp_path: Path) -> None:
    async with (
        served(Lines().app()) as control,
        town(tmp_path / "city", control=control, accounts=True) as made,
        served(build(made.context)) as base,
    ):
        invite_guests(made)
        async with browser(base) as visitor:
            login = await visitor.get("/login?lang=zh")
            assert "只有 qulink demo 在本机演示时才有这些按钮" in login.text
            for role in Role:
                assert f'value="{role}"' in login.text
                entered = await send(visitor, ADDRESS, role=role, next="/account")
                assert (entered.status_code, entered.headers["location"]) == (303, "/account")
                assert guest(role) in (await visitor.get("/account")).text
            users_page = (await visitor.get("/users")).status_code
            assert users_page == 403  # as an integrator, who came last
            assert (await send(visitor, ADDRESS, role="nobody")).status_code == 404
            foreign = await visitor.post(ADDRESS, data={"role": Role.ADMINISTRATOR})
            assert foreign.status_code == 403
            away = await send(visitor, ADDRESS, role=Role.AUDITOR, next="//elsewhere.example/")
            assert away.headers["location"] == "/"
        logins = made.database.run_now(entries, EntryFilter(Action.LOGIN))
        assert {one.who.split()[0] for one in logins} == {guest(role) for role in Role}
        assert {one.detail for one in logins} == {"127.0.0.1"}
        # of who has chosen a password since, the button is no way in
        async with browser(base) as visitor:
            link = made.database.run_now(links.invite_again, ROOT, NOW_MS, guest(Role.BUREAU))
            assert (await choose(visitor, f"{links.ADDRESS}/{link}")).status_code == 303
            assert (await send(visitor, ADDRESS, role=Role.BUREAU)).status_code == 404


async def test_nobody_enters_while_no_demonstration_runs(tmp_path: Path) -> None:
    async with (
        town(tmp_path / "city", control="http://127.0.0.1:9", accounts=True) as made,
        served(build(made.context)) as base,
        browser(base) as visitor,
    ):
        invite_guests(made)
        assert (await send(visitor, ADDRESS, role=Role.ADMINISTRATOR)).status_code == 404


@pytest.mark.parametrize(
    ("demonstration", "control", "listen", "hosts"),
    [
        (False, "http://127.0.0.1:9", "127.0.0.1:8080", ()),
        (True, None, "127.0.0.1:8080", ()),
        (True, "http://127.0.0.1:9", "192.0.2.1:8080", ()),
        (True, "http://127.0.0.1:9", "127.0.0.1:8080", ("city.example",)),
    ],
)
async def test_a_city_at_work_has_no_such_address(
    tmp_path: Path, demonstration: bool, control: str | None, listen: str, hosts: tuple[str, ...]
) -> None:
    async with town(
        tmp_path / "city", accounts=True, demonstration=demonstration, control=control
    ) as made:
        invite_guests(made)
        console = made.context.config.console
        object.__setattr__(console, "listen", listen)  # one that is checked wants TLS
        object.__setattr__(console, "hosts", hosts)
        host = listen.partition(":")[0]
        transport = httpx.ASGITransport(build(made.context))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as visitor:
            login = await visitor.get("/login")
            assert ADDRESS not in login.text
            csrf = visitor.cookies["qulink_csrf"]
            answer = await visitor.post(ADDRESS, data={"csrf": csrf, "role": Role.ADMINISTRATOR})
            assert answer.status_code == 401  # as for any address that there is not
