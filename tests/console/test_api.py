"""The API for programs: exact, in parts, as its document says, for whom it is."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from sqlalchemy import Connection

from gateway.city.access import tokens, users
from gateway.city.access.audit import Action, EntryFilter, entries
from gateway.city.access.chain import verify
from gateway.city.access.principal import Permission, Role, parse_scope
from gateway.city.access.tokens import GRANTABLE, Wish
from gateway.city.access.users import User
from gateway.city.console.api import pace
from gateway.city.console.api.pace import BURST, PER_SECOND, Pace
from gateway.city.console.app import build
from gateway.city.console.pages import choice
from gateway.city.rates.cells.dimensions import all_cells
from gateway.city.rates.cells.tally import Tally
from gateway.city.rates.frozen.results import Correction, StoredTable, append
from tests.console.people import ROOT
from tests.console.town import NOW_MS, PLACES, Town, town, uscc_of

BASE = "/api/v1"
MACHINE = f"/enterprises/{uscc_of(0)}/machines/1/A-001"
PLACED = {"uscc": uscc_of(0), "site": "1", "asset": "A-001"}
TALLIES = [
    Tally(uscc_of(number), county, industry, networked, machines)
    for number, (county, industry, _, machines, networked) in enumerate(PLACES)
]
FINAL = StoredTable("2025-09", 1, "F", "0" * 64, NOW_MS - 10**9, all_cells(TALLIES))


@dataclass
class Programs:
    """A city in this process, and how programs ask it."""

    made: Town
    client: httpx.AsyncClient

    def token(self, *permissions: Permission, name: str = "bureau", scope: str = "") -> str:
        wish = Wish("x", frozenset(permissions), parse_scope(scope) if scope else None)
        return self.made.database.run_now(tokens.make, ROOT, name, wish, NOW_MS)[1]

    async def get(self, path: str, token: str, **headers: str) -> httpx.Response:
        bearer = {"authorization": f"Bearer {token}", **headers}
        return await self.client.get(BASE + path, headers=bearer)


def _store(connection: Connection) -> None:
    append(connection, FINAL, "ENR-A", demonstration=True)
    for name, role, scope in (
        ("bureau", Role.BUREAU, "all"),
        ("county", Role.COUNTY, "county 330822"),
    ):
        user = User(name, name, role, parse_scope(scope), NOW_MS, "root", None, is_invited=True)
        users.add(connection, ROOT, user)


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Programs]:
    async with town(tmp_path / "city", accounts=True) as made:
        made.database.run_now(_store)
        transport = httpx.ASGITransport(build(made.context))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as one:
            yield Programs(made, one)


async def _document(api: Programs, token: str) -> Mapping[str, Any]:
    return (await api.get("/openapi.json", token)).json()


def _check(document: Mapping[str, Any], path: str, status: str, answer: httpx.Response) -> None:
    """An answer is what the document says of it."""
    content = document["paths"][path]["get"]["responses"][status]["content"]
    schema = content[answer.headers["content-type"]]["schema"]
    whole = Resource.from_contents(document, default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource("urn:api", whole)
    pointed = {"$ref": "urn:api" + schema["$ref"]}
    Draft202012Validator(pointed, registry=registry).validate(answer.json())


async def test_each_answer_is_as_the_document_says(api: Programs) -> None:
    token = api.token(*GRANTABLE)
    document = await _document(api, token)
    OpenAPIV31SpecValidator(document).validate()
    asked = {
        f"{BASE}/movers": "?month=2025-10&by=enterprise",
        f"{BASE}/published": "?by=county-industry",
        f"{BASE}/figures": "?by=area",
    }
    for path in document["paths"]:
        address = path.format(**PLACED) + asked.get(path, "")
        answer = await api.get(address.removeprefix(BASE), token)
        assert answer.status_code == 200, (address, answer.text)
        _check(document, path, "200", answer)
        refused = await api.get(f"{path.format(**PLACED)}?nothing=1".removeprefix(BASE), token)
        assert refused.status_code == 400, path
        _check(document, path, "400", refused)
        foreign = await api.get(path.format(**PLACED).removeprefix(BASE), "x" * 20)
        _check(document, path, "401", foreign)


async def test_an_older_result_lacks_dimensions_and_one_without_areas_does_not(
    api: Programs,
) -> None:
    token = api.token(*GRANTABLE)
    none = await api.get("/figures?month=2025-09&by=area", token)
    assert (none.status_code, none.json().get("data")) == (200, []), "nobody is in one"
    kept = {by: FINAL.cells[by] for by in ("county", "industry", "enterprise")}
    total = replace(FINAL.cells["city"]["city"], statistics=None)
    older = replace(FINAL, vintage=2, cells={"city": {"city": total}, **kept})
    api.made.database.run_now(append, older, "ENR-A", demonstration=True)
    for by in ("area", "size", "county-industry"):
        lacking = await api.get(f"/figures?month=2025-09&vintage=2&by={by}", token)
        assert (lacking.status_code, lacking.json()["code"]) == (404, "not_kept"), by
    known = (await api.get("/figures?month=2025-09&vintage=2&by=county", token)).json()
    assert sum(one["equipment"] for one in known["data"]) == known["total"]["equipment"]


async def test_figures_are_exact_and_unknown_is_not_nought(api: Programs) -> None:
    token = api.token(*GRANTABLE)
    for by, month in (("county", ""), ("enterprise", ""), ("industry", "2025-09")):
        said = (await api.get(f"/figures?by={by}&month={month}&limit=1000", token)).json()
        assert sum(one["equipment"] for one in said["data"]) == said["total"]["equipment"]
        for one in (said["total"], *said["data"]):
            exact = Fraction(100 * one["networked"], one["equipment"])
            assert Fraction(one["pooled"]["fraction"]) == exact
            assert abs(Fraction(one["pooled"]["percent"]) - exact) < Fraction(1, 100)
    assert (said["of"]["status"], said["of"]["vintage"], said["of"]["month"]) == ("F", 1, "2025-09")
    empty = StoredTable(
        "2025-08", 1, "F", "0" * 64, 1, all_cells([replace(TALLIES[0], equipment=0, networked=0)])
    )
    api.made.database.run_now(append, empty, "ENR-A", True)
    total = (await api.get("/figures?month=2025-08", token)).json()["total"]
    assert (total["networked"], total["equipment"], total["pooled"]) == (None, 0, None)


async def test_a_month_is_there_as_each_result_was_stored(api: Programs) -> None:
    token = api.token(*GRANTABLE)
    fewer = [replace(TALLIES[0], networked=1), *TALLIES[1:]]
    late = Correction("late_data", "x", "li")
    again = replace(FINAL, vintage=2, cells=all_cells(fewer), correction=late)
    api.made.database.run_now(append, again, "ENR-A", True)
    counted = {}
    for asked in ("", "&vintage=1", "&vintage=2"):
        said = (await api.get(f"/figures?month=2025-09{asked}", token)).json()
        counted[asked] = said["of"]["vintage"], said["total"]["networked"]
    whole = sum(one.networked for one in TALLIES)
    fewer_k = whole - TALLIES[0].networked + 1
    assert counted == {"": (2, fewer_k), "&vintage=1": (1, whole), "&vintage=2": (2, fewer_k)}
    county = api.token(*GRANTABLE, name="county")
    own = (await api.get("/figures?month=2025-09&vintage=1&by=enterprise", county)).json()
    assert {one["key"] for one in own["data"]} == {uscc_of(0), uscc_of(1)}
    assert own["total"]["networked"] == TALLIES[0].networked + TALLIES[1].networked
    none = await api.get("/figures?month=2025-09&vintage=3", token)
    assert (none.status_code, none.json()["code"]) == (404, "no_vintage")


async def test_every_month_is_named_however_many_there_are(
    api: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages offer the last five years to choose from; programs are told of all."""
    token = api.token(*GRANTABLE)
    every = (await api.get("/months", token)).json()["data"]
    monkeypatch.setattr(choice, "LIST_MONTHS", 1)
    assert (await api.get("/months", token)).json()["data"] == every
    assert len(every) > 1


async def test_a_list_in_parts_is_the_list(api: Programs) -> None:
    token = api.token(*GRANTABLE)
    machines = f"/enterprises/{uscc_of(2)}/machines"
    for path in (
        "/figures?by=enterprise",
        "/movers?by=enterprise&month=2025-10",
        "/enterprises?",
        f"{machines}?",
    ):
        whole = (await api.get(f"{path}&limit=1000", token)).json()
        rows, cursor = [], ""
        while cursor is not None:
            some = (await api.get(f"{path}&limit=4&cursor={cursor}", token)).json()
            assert len(some["data"]) <= 4
            rows += some["data"]
            cursor = some["next"]
        assert (rows, whole["next"]) == (whole["data"], None), path
        wrong = await api.get(f"{path}&cursor=bm93aGVyZQ", token)
        assert (wrong.status_code, wrong.json()["code"]) == (400, "cursor")
    assert (await api.get("/enterprises?limit=1001", token)).status_code == 400


async def test_a_month_is_known_until_it_has_another_vintage(api: Programs) -> None:
    token, path = api.token(*GRANTABLE), "/figures?month=2025-09"
    first = await api.get(path, token)
    tag = first.headers["etag"]
    known = await api.get(path, token, **{"if-none-match": f'W/{tag}, "other"'})
    assert (known.status_code, known.content) == (304, b"")
    assert known.headers["cache-control"] == "private, no-cache"
    again = replace(FINAL, vintage=2, correction=Correction("error", "重复计数", "李伟"))
    api.made.database.run_now(append, again, "ENR-A", True)
    months = (await api.get("/months?definition=ENR-A", token)).json()["data"]
    stored = next(one for one in months if one["month"] == "2025-09")["vintages"]
    assert [one["vintage"] for one in stored] == [1, 2]
    assert stored[1]["correction"]["corrected_by"] == "李伟"
    other = build(api.made.context)  # what is remembered of past months is shown for a while
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(other), base_url="http://127.0.0.1:8080"
    ) as client:
        changed = await Programs(api.made, client).get(path, token, **{"if-none-match": tag})
    assert (changed.status_code, changed.json()["of"]["vintage"]) == (200, 2)


async def test_a_token_gets_what_it_was_made_for(api: Programs) -> None:
    figures = api.token(Permission.FIGURES)
    for path in (
        "/enterprises",
        "/figures?by=enterprise",
        "/movers?by=enterprise",
        "/quality",
        MACHINE,
    ):
        refused = await api.get(path, figures)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed"), path
    assert (await api.get("/figures", figures)).status_code == 200
    one = api.token(Permission.FIGURES, Permission.ENTERPRISES)
    assert (await api.get(MACHINE, one)).status_code == 200
    assert (await api.get("/enterprises", one)).status_code == 403  # a list of rows

    narrow = api.token(*GRANTABLE, scope="county 330881")
    said = (await api.get("/figures", narrow)).json()
    assert (said["of"]["scope"], said["total"]["equipment"]) == ("county 330881", 46)
    assert said["of"]["evidence_root"] is None
    assert (await api.get(MACHINE, narrow)).status_code == 404
    known = (await api.get("/enterprises", narrow)).json()["data"]
    assert {one["county"] for one in known} == {"330881"}


async def test_rights_that_are_lost_are_lost_for_what_is_known_too(api: Programs) -> None:
    token, path = api.token(*GRANTABLE, name="county"), "/figures?month=2025-09"
    first = await api.get(path, token)
    known = {"if-none-match": first.headers["etag"]}
    assert (await api.get(path, token, **known)).status_code == 304
    scope = parse_scope("county 330881")
    api.made.database.run_now(users.change, ROOT, NOW_MS, "county", Role.COUNTY, scope)
    fresh = build(api.made.context)  # a command's change is seen within seconds, or here at once
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(fresh), base_url="http://127.0.0.1:8080"
    ) as client:
        program = Programs(api.made, client)
        other = await program.get(path, token, **known)
        assert (other.status_code, other.json()["of"]["scope"]) == (200, "county 330881")
        assert (await program.get(MACHINE, token)).status_code == 404
        api.made.database.run_now(users.disable, ROOT, NOW_MS, "county")
    fresh = build(api.made.context)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(fresh), base_url="http://127.0.0.1:8080"
    ) as client:
        gone = await Programs(api.made, client).get(path, token, **known)
    assert (gone.status_code, gone.json()["code"]) == (401, "token_ended")


async def test_what_is_read_is_written_down_once_an_hour(api: Programs) -> None:
    token = api.token(*GRANTABLE)
    for path in ("/enterprises?limit=2", "/enterprises", f"{MACHINE}?purpose=inspection", MACHINE):
        assert (await api.get(path, token)).status_code == 200
    api.made.clock.now_ms += 3_600_000
    await api.get("/enterprises", token)
    read = api.made.database.run_now
    exports = [one.subject for one in read(entries, EntryFilter(action=Action.EXPORTED))]
    assert exports == [f"{BASE}/enterprises"] * 2
    (look,) = read(entries, EntryFilter(action=Action.VIEWED))
    assert (look.subject, look.detail) == (uscc_of(0), "inspection")
    assert look.who.startswith("bureau/")
    assert read(verify).broken is None


async def test_who_asks_too_often_waits(api: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "BURST", 2)
    token, other = api.token(*GRANTABLE), api.token(*GRANTABLE)
    for _ in range(2):
        assert (await api.get("/definitions", token)).status_code == 200
    late = await api.get("/definitions", token)
    assert (late.status_code, late.json()["code"]) == (429, "pace")
    assert int(late.headers["retry-after"]) >= 1
    assert (await api.get("/definitions", other)).status_code == 200


def test_a_bucket_fills_again() -> None:
    asking = Pace()
    assert [asking.wait_s("a", 0.0) for _ in range(BURST)] == [0.0] * BURST
    wait_s = asking.wait_s("a", 0.0)
    assert wait_s == pytest.approx(1 / PER_SECOND)
    assert asking.wait_s("b", 0.0) == 0
    assert asking.wait_s("a", wait_s) == 0
    assert asking.wait_s("a", wait_s) > 0


async def test_what_is_wrong_is_said_and_never_what_was_given(api: Programs) -> None:
    token = api.token(*GRANTABLE)
    wrong = {
        "/figures?by=town": (400, "parameter"),
        "/figures?month=2025-13": (404, "no_month"),
        "/figures?month=2024-01": (404, "before"),
        "/figures?definition=NONE": (404, "no_definition"),
        "/figures?by=county&by=county": (400, "parameter"),
        "/published?month=2025-10": (404, "not_published"),
        "/enterprises/x/machines": (404, "not_found"),
        "/nothing": (404, "not_found"),
    }
    for path, (status, code) in wrong.items():
        answer = await api.get(path, token)
        assert (answer.status_code, answer.json()["code"]) == (status, code), path
    leaked = await api.get(f"/figures?access_token={token}", token)
    assert (leaked.status_code, token in leaked.text) == (400, False)
    posted = await api.client.post(f"{BASE}/figures", headers={"authorization": f"Bearer {token}"})
    assert (posted.status_code, posted.json()["code"]) == (405, "method")
