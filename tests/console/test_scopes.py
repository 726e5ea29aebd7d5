"""Every role against every address: nothing is seen that is not theirs, however it is asked for."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Connection, insert, update
from starlette.routing import Route

from gateway.city.access.principal import (
    PERMISSIONS,
    Permission,
    Role,
    ScopeKind,
    administrator,
    parse_scope,
)
from gateway.city.access.users import User, add
from gateway.city.console.app import build
from gateway.city.console.charts.pictures import VERSION
from gateway.city.db import tables
from gateway.city.db.schema.access import console_session
from gateway.web.access.guard import Guard
from gateway.web.access.store import digest_of
from tests.console.town import NOW_MS, PLACES, town, uscc_of

ANYBODY = None
NEEDED: dict[str, Permission | None] = {
    "/": Permission.FIGURES,
    "/enterprises": Permission.ENTERPRISES,
    "/enterprises/{uscc}": Permission.ENTERPRISES,
    "/enterprises/{uscc}/findings": Permission.FINDINGS,
    "/samples": Permission.FINDINGS,
    "/samples/draw": Permission.DRAW,
    "/samples/{number}": Permission.FINDINGS,
    "/samples/{number}/end": Permission.DRAW,
    "/samples/{number}/{place}": Permission.EXPLAIN,
    "/findings": Permission.FINDINGS,
    "/findings/{number}": Permission.FINDINGS,
    "/findings/{number}/explain": Permission.EXPLAIN,
    "/enterprises/{uscc}/{site}/{asset}": Permission.ENTERPRISES,
    "/enterprises/{uscc}/{site}/{asset}/chart.json": Permission.READINGS,
    "/counties/{key}": Permission.ENTERPRISES,
    "/industries": Permission.FIGURES,
    "/industries/{key}": Permission.ENTERPRISES,
    "/movers": Permission.ENTERPRISES,
    "/movers/{uscc}": Permission.ENTERPRISES,
    "/search": Permission.ENTERPRISES,
    "/ledger": Permission.ENTERPRISES,
    "/ledger/enterprises": Permission.ENTERPRISES,
    "/ledger/rosters": Permission.ENTERPRISES,
    "/ledger/rosters/{key}": Permission.ENTERPRISES,
    "/ledger/acts": Permission.ENTERPRISES,
    "/ledger/acts/{key}": Permission.ENTERPRISES,
    "/ledger/acts/{key}/undo": Permission.CORRECT,
    **{
        f"/ledger/{sort}{rest}": Permission.IMPORT_LEDGER if rest else Permission.ENTERPRISES
        for sort in ("stops", "schedules", "agreements")
        for rest in ("", "/new", "/{key}/end")
    },
    "/ledger/import": Permission.IMPORT_LEDGER,
    "/ledger/import/template/{name}": Permission.IMPORT_LEDGER,
    "/ledger/import/{key}": Permission.IMPORT_LEDGER,
    "/ledger/import/{key}/marked": Permission.IMPORT_LEDGER,
    "/ledger/import/{key}/again": Permission.IMPORT_LEDGER,
    "/ledger/import/{key}/apply": Permission.IMPORT_LEDGER,
    "/ledger/import/{key}/drop": Permission.IMPORT_LEDGER,
    "/ledger/machines/{key}": Permission.ENTERPRISES,
    "/ledger/enterprises/{key}": Permission.ENTERPRISES,
    "/ledger/machines/{key}/correct": Permission.CORRECT,
    "/ledger/enterprises/{key}/correct": Permission.CORRECT,
    "/ledger/machines/{key}/withdraw": Permission.CORRECT,
    "/gaps": Permission.ENTERPRISES,
    "/alerts": Permission.ENTERPRISES,
    "/alerts/{number}/acknowledge": Permission.WATCH,
    "/watch": Permission.WATCH,
    "/watch/change": Permission.WATCH,
    "/watch/contact": Permission.WATCH,
    "/quality": Permission.ENTERPRISES,
    "/books": Permission.ENTERPRISES,
    "/details": Permission.FIGURES,
    "/definitions": Permission.FIGURES,
    "/id": Permission.ENTERPRISES,
    "/id/{code:path}": Permission.ENTERPRISES,
    "/identifiers": Permission.RELEASE,
    "/identifiers/release": Permission.RELEASE,
    "/identifiers/outbox": Permission.RELEASE,
    "/identifiers/outbox/ask": Permission.RELEASE,
    "/identifiers/labels": Permission.LABELS,
    "/identifiers/labels/file": Permission.LABELS,
    "/audit": Permission.AUDIT_LOG,
    "/published": Permission.FIGURES,
    "/print": Permission.FIGURES,
    "/open-data": Permission.FIGURES,
    "/revisions": Permission.FIGURES,
    "/wall": Permission.FIGURES,
    "/wall/{area}": Permission.FIGURES,
    "/charts/trend.json": Permission.FIGURES,
    f"/charts/vega-{VERSION}.js": Permission.FIGURES,
    "/demo/lines/{line}/{action}": Permission.ENROL,
    "/demo/enter": ANYBODY,
    "/users": Permission.USERS,
    "/users/{act}": Permission.USERS,
    "/tokens": Permission.USERS,
    "/tokens/revoke": Permission.USERS,
    "/api": Permission.FIGURES,
    "/api/v1/openapi.json": Permission.FIGURES,
    "/api/v1/months": Permission.FIGURES,
    "/api/v1/definitions": Permission.FIGURES,
    "/api/v1/figures": Permission.FIGURES,
    "/api/v1/movers": Permission.FIGURES,
    "/api/v1/published": Permission.FIGURES,
    "/api/v1/enterprises": Permission.ENTERPRISES,
    "/api/v1/enterprises/{uscc}/machines": Permission.ENTERPRISES,
    "/api/v1/enterprises/{uscc}/machines/{site}/{asset}": Permission.ENTERPRISES,
    "/api/v1/enterprises/{uscc}/machines/{site}/{asset}/days": Permission.ENTERPRISES,
    "/api/v1/quality": Permission.ENTERPRISES,
    "/api/v1/findings": Permission.FINDINGS,
    "/metrics": Permission.OPERATE,
    "/account": ANYBODY,
    "/account/tokens": ANYBODY,
    "/account/tokens/revoke": ANYBODY,
    "/invitation/{secret}": ANYBODY,
    "/login": ANYBODY,
    "/logout": ANYBODY,
    "/healthz": ANYBODY,
    "/static/{digest}/{name}": ANYBODY,
}
"""What each address needs: whoever adds one says so here."""
AREA = "QZ-ZZXC"
SCOPES = {
    Role.ADMINISTRATOR: "all",
    Role.BUREAU: "all",
    Role.COUNTY: "county 330822",
    Role.PARK: f"area {AREA}",
    Role.ENTERPRISE: f"enterprise {uscc_of(2)}",
    Role.AUDITOR: "all",
    Role.INTEGRATOR: f"enterprise {uscc_of(4)} {uscc_of(3)}",
}
IN_AREA = 4
API = tuple(
    f"/api/v1/{one}"
    for one in (
        "months", "definitions", "figures", "figures?by=industry", "figures?by=enterprise",
        "movers?by=enterprise&month=2025-10", "enterprises", "quality",
    )
)  # fmt: skip
PAGES = (
    "/",
    "/wall",
    "/revisions",
    "/enterprises",
    "/industries",
    "/gaps",
    "/quality",
    "/books",
    "/definitions",
)
COUNTED = sum(machines for *_, machines, _ in PLACES)


def own(role: Role) -> set[int]:
    """Which of the town's enterprises a role sees here, by their numbers."""
    scope = parse_scope(SCOPES[role])
    return {
        number
        for number, (county, *_) in enumerate(PLACES)
        if scope.covers(uscc_of(number), county, AREA if number == IN_AREA else "")
    }


SCOPED = [role for role in Role if not SCOPES[role].startswith(ScopeKind.ALL)]


def foreign(role: Role) -> re.Pattern[str]:
    """What no answer to a role may hold: names, codes and gateways of others."""
    others = set(range(len(PLACES))) - own(role)
    words = [word for one in others for word in (PLACES[one][2], uscc_of(one))]
    return re.compile("|".join([*words, *(rf"\bgw-{one}\b" for one in others)]))


@dataclass
class City:
    """A console in this process, with a browser for each role."""

    app: Guard
    browsers: dict[Role, httpx.AsyncClient]

    async def get(self, role: Role, path: str, **headers: str) -> httpx.Response:
        return await self.browsers[role].get(path, headers=headers)


def _people(connection: Connection) -> None:
    moved = update(tables.enterprise).where(tables.enterprise.c.uscc == uscc_of(IN_AREA))
    connection.execute(moved.values(functional_area=AREA))
    for role, scope in SCOPES.items():
        user = User(role, role, role, parse_scope(scope), NOW_MS, "root", None, is_invited=True)
        add(connection, administrator("root"), user)
        row = {"digest": digest_of(role), "token_digest": "", "address": "", "user_name": role}
        times = {"opened_ms": NOW_MS, "expires_ms": NOW_MS + 10**12}
        connection.execute(insert(console_session).values(**row, **times))


@pytest.fixture
async def city(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[City]:
    monkeypatch.setattr("gateway.web.access.admission.system_ms", lambda: NOW_MS)
    control = "http://127.0.0.1:1"
    async with town(tmp_path / "city", accounts=True, control=control) as made:
        made.database.run_now(_people)
        app = build(made.context)
        transport = httpx.ASGITransport(app)
        browsers = {
            role: httpx.AsyncClient(
                transport=transport,
                verify=False,  # nothing leaves this process, and certificates take time to load
                base_url="http://127.0.0.1:8080",
                cookies={"qulink_session_8080": role, "qulink_csrf": "x"},
            )
            for role in Role
        }
        yield City(app, browsers)


def _routes(app: Guard) -> list[Route]:
    return [one for one in app._app.routes if isinstance(one, Route)]  # type: ignore[attr-defined]


def _filled(path: str) -> str:
    """An address with places of something that everybody may look for and nobody has."""
    return re.sub(r"\{\w+(:path)?\}", "0", path)


async def test_each_address_is_for_the_roles_that_the_table_names(city: City) -> None:
    routes = _routes(city.app)
    assert {one.path for one in routes} == set(NEEDED)
    for one in routes:
        needed = NEEDED[one.path]
        for role, allowed in PERMISSIONS.items():
            if needed is ANYBODY or "vega" in one.path:  # which takes seconds to make
                continue
            for method in (one.methods or set()) - {"HEAD"}:
                form = {"csrf": "x"} if method == "POST" else None
                browser, path = city.browsers[role], _filled(one.path)
                # as a file: no charts are drawn for it
                answer = await browser.request(method, f"{path}?format=json", data=form)
                refused = answer.status_code == 403
                assert refused == (needed not in allowed), (one.path, method, role)


async def test_nobody_without_a_session_reaches_anything(city: City) -> None:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(city.app), base_url="http://127.0.0.1:8080"
    ) as nobody:
        for one in _routes(city.app):
            if NEEDED[one.path] is ANYBODY and not one.path.startswith("/account"):
                continue
            for method in (one.methods or set()) - {"HEAD"}:
                answer = await nobody.request(method, _filled(one.path))
                assert answer.status_code == 401, (one.path, method)


async def _look_at_pages_and_files(city: City, role: Role) -> None:
    others = foreign(role)
    for path in PAGES:
        for address in (path, f"{path}?format=csv", f"{path}?format=json"):
            answer = await city.get(role, address)
            assert answer.status_code == 200, address
            assert others.search(answer.text) is None, (address, others.search(answer.text))
            assert answer.headers["cache-control"] == "no-store"
    for address in API:
        answer = await city.get(role, address)
        assert answer.status_code == 200, (address, answer.text)
        assert others.search(answer.text) is None, (address, others.search(answer.text))
    assert PLACES[min(own(role))][2] in (await city.get(role, "/enterprises")).text


async def _add_up(city: City, role: Role) -> None:
    machines = sum(PLACES[one][3] for one in own(role))
    networked = sum(PLACES[one][4] for one in own(role))
    for path in ("/?format=json", "/industries?format=json", "/enterprises?format=json"):
        body = (await city.get(role, path)).json()
        rows = body["rows"]
        total = [row for row in rows if row["key"] == "city"]
        cells = [row for row in rows if row["key"] != "city"]
        for lines in filter(None, (total, cells)):
            found = (sum(r["networked"] for r in lines), sum(r["equipment"] for r in lines))
            assert found == (networked, machines), path
    for period in ("month=2025-11", "quarter=2025-Q4"):
        sheet = (await city.get(role, f"/print?{period}&lang=en")).text
        assert f'Machines of the ledger</th><td>machine</td><td class="num">{machines}<' in sheet
    for by in ("county", "industry", "enterprise"):
        body = (await city.get(role, f"/api/v1/figures?by={by}")).json()
        for lines in ([body["total"]], body["data"]):
            found = (sum(r["networked"] for r in lines), sum(r["equipment"] for r in lines))
            assert found == (networked, machines), by
    whole = (await city.get(Role.BUREAU, "/?format=json")).json()["rows"]
    assert sum(row["equipment"] for row in whole if row["key"] != "city") == COUNTED


async def _guess(city: City, role: Role) -> None:
    others = set(range(len(PLACES))) - own(role)
    counties = {PLACES[one][0] for one in others} - {PLACES[one][0] for one in own(role)}
    industries = {PLACES[one][1] for one in others} - {PLACES[one][1] for one in own(role)}
    paths = [f"/counties/{one}" for one in counties] + [f"/industries/{one}" for one in industries]
    for one in others:
        machine = f"/enterprises/{uscc_of(one)}/1/A-001"
        paths += [f"/enterprises/{uscc_of(one)}", machine, f"{machine}?format=csv"]
        known = f"/api/v1/enterprises/{uscc_of(one)}/machines"
        paths += [known, f"{known}/1/A-001", f"{known}/1/A-001/days"]
        paths += [f"/id/88.999.{one + 1:08d}/PM.20251123.{one * 1000 + 1:06d}"]
        if Permission.READINGS in PERMISSIONS[role]:
            paths += [f"{machine}/chart.json?tag=power"]
        if Permission.LABELS in PERMISSIONS[role]:
            paths += [f"/identifiers/labels/file?m-{one * 1000 + 1}=1&kind=zpl"]
            paths += [f"/identifiers/labels/file?enterprise={uscc_of(one)}&kind=zpl"]
    for path in paths:
        answer = await city.get(role, path)
        reads = "format" in path and Permission.READINGS not in PERMISSIONS[role]
        assert answer.status_code in ({403, 404} if reads else {404}), path
        assert not any(PLACES[one][2] in answer.text for one in others), path
    for county in counties:
        listed = await city.get(role, f"/api/v1/enterprises?county={county}")
        assert listed.json()["data"] == []
        listed = await city.get(role, f"/api/v1/figures?key={county}")
        assert listed.json()["data"] == []
    for one in others:
        listed = await city.get(role, f"/gaps?gateway=gw-{one}&format=csv")
        assert PLACES[one][2] not in listed.text


async def _print_labels(city: City, role: Role) -> None:
    page = await city.get(role, "/identifiers/labels")
    assert foreign(role).search(page.text) is None
    sheet = await city.get(role, "/identifiers/labels/file?kind=zpl")
    assert sheet.status_code == 200
    numbers = {int(one) - 1 for one in re.findall(r"88\.999\.(\d{8})", sheet.text)}
    assert numbers <= own(role)


@pytest.mark.parametrize("role", SCOPED)
async def test_a_role_sees_what_is_theirs_alone(city: City, role: Role) -> None:
    await _look_at_pages_and_files(city, role)
    await _add_up(city, role)
    await _guess(city, role)
    if Permission.LABELS in PERMISSIONS[role]:
        await _print_labels(city, role)


async def test_values_and_links_are_for_whom_they_are(city: City) -> None:
    machine = f"/enterprises/{uscc_of(0)}/1/A-001"
    seen = await city.get(Role.COUNTY, machine)
    assert "spindle_speed" in seen.text
    shown = await city.get(Role.AUDITOR, machine)
    assert shown.status_code == 200
    assert "spindle_speed" not in shown.text
    assert (await city.get(Role.AUDITOR, f"{machine}?format=json")).status_code == 403

    await _look_at_the_frame(city)


async def _look_at_the_frame(city: City) -> None:
    officer = (await city.get(Role.COUNTY, "/")).text
    assert 'href="/users"' not in officer
    assert 'href="/audit"' not in officer
    assert "常山县" in officer
    root = (await city.get(Role.ADMINISTRATOR, "/")).text
    assert 'href="/users"' in root
