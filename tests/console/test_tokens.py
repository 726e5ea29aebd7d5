"""API tokens: shown once, at most what their user may, and gone with the user."""

import re
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from gateway.city.access import tokens, users
from gateway.city.access.audit import Action, entries
from gateway.city.access.principal import (
    EVERYTHING,
    Permission,
    Principal,
    Role,
    Scope,
    parse_scope,
)
from gateway.city.access.tokens import DAYS, GRANTABLE, Token, TokenError, TokenRefusal, Wish
from gateway.city.access.users import User
from gateway.city.db.schema.access import api_token, audit
from gateway.core.days import DAY_MS
from gateway.throttle import FREE_ATTEMPTS
from tests.console.people import ROOT, browser, known, peopled, post
from tests.console.town import NOW_MS, Town, uscc_of

FIGURES = frozenset({Permission.FIGURES})
OFFICER = ("wang.li", Role.COUNTY, "county 330822 330881")
_TEXT = re.compile(r"qulink_[0-9a-f]{12}_[\w-]{43}")
DOOR = "/api/v1/nothing"
"""No page: who is let in finds none there, who is not is told so."""


def owner(role: Role, scope: str) -> User:
    return User("wang.li", "王丽", role, parse_scope(scope), 0, "root", None, is_invited=False)


def token(permissions: frozenset[Permission] = FIGURES, scope: Scope | None = None) -> Token:
    return Token("0" * 12, "wang.li", "报表", permissions, scope, 0, "root", 10, None, None)


def made_for(made: Town, name: str, wish: Wish) -> str:
    _, text = made.database.run_now(tokens.make, ROOT, name, wish, made.context.now_ms())
    return text


async def knock(client: httpx.AsyncClient, text: str, path: str = DOOR) -> httpx.Response:
    return await client.get(path, headers={"authorization": f"Bearer {text}"})


@pytest.mark.parametrize("role", list(Role))
def test_a_token_is_at_most_its_user(role: Role) -> None:
    scopes = ("all", "county 330822 330881", f"enterprise {uscc_of(0)}", "area QZ-ZZXC")
    for own in scopes:
        for narrow in (None, *map(parse_scope, (*scopes, "county 330881 330825"))):
            who = owner(role, own)
            asks = token(frozenset(GRANTABLE), narrow).principal(who)
            if asks is None:
                assert narrow is not None
                continue
            assert all(who.principal.may(one) for one in Permission if asks.may(one))
            assert not asks.may(Permission.USERS)
            for place in ((uscc_of(0), "330822", ""), (uscc_of(1), "330825", "QZ-ZZXC")):
                assert who.scope.covers(*place) or not asks.scope.covers(*place)


def test_a_scope_that_is_named_otherwise_leaves_nothing() -> None:
    county = parse_scope("county 330822")
    assert county.narrowed(EVERYTHING) == county
    assert EVERYTHING.narrowed(county) == county
    assert county.narrowed(parse_scope("county 330881")) is None
    assert county.narrowed(parse_scope(f"enterprise {uscc_of(0)}")) is None


async def test_a_user_makes_a_token_that_is_shown_once_and_kept_as_a_digest(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        peopled(tmp_path) as (made, base),
        browser(base) as officer,
        browser(base) as program,
    ):
        await known(made, officer, *OFFICER)
        wish = {"purpose": "月报", "days": "30", "may-figures": "on", "scope": ""}
        page = await post(officer, "/account/tokens", **wish)
        (text,) = _TEXT.findall(page.text)
        assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
        assert text not in (await officer.get("/account")).text
        kept = made.database.run_now(
            lambda c: str([c.execute(select(one)).all() for one in (api_token, audit)])
        )
        assert text.split("_", 2)[2] not in kept + caplog.text
        assert (await knock(program, text)).status_code == 404  # let in
        assert "从未使用" not in (await officer.get("/account")).text
        whole = text.replace(text[-4:], "AAAA")
        assert (await knock(program, whole)).status_code == 401
        assert (await program.get(f"{DOOR}?access_token={text}")).status_code == 401
        assert (await knock(program, text, "/")).status_code == 401  # no page is opened by it
        said = [one for one in made.database.run_now(entries) if one.action == Action.TOKEN_MADE]
        assert [(one.who, one.subject) for one in said] == [("wang.li", text.split("_")[1])]


async def test_a_token_ends_by_itself_by_its_user_and_by_an_administrator(tmp_path: Path) -> None:
    async with (
        peopled(tmp_path) as (made, base),
        browser(base) as officer,
        browser(base) as root,
        browser(base) as program,
    ):
        await known(made, officer, *OFFICER)
        await known(made, root, "li.wei", Role.ADMINISTRATOR, "all")
        wish = {"name": "wang.li", "purpose": "x", "days": "1", "may-figures": "on"}
        one, other = [
            _TEXT.findall((await post(root, "/tokens", **wish)).text)[0] for _ in range(2)
        ]
        foreign = made_for(made, "li.wei", Wish("own", FIGURES))
        for text in (one, other, foreign):
            assert (await knock(program, text)).status_code == 404
        stolen = {"id": foreign.split("_")[1]}
        assert (await post(officer, "/account/tokens/revoke", **stolen)).status_code == 404
        await post(officer, "/account/tokens/revoke", id=one.split("_")[1])
        ended = await knock(program, one)
        assert ended.status_code == 401
        assert ended.headers["content-type"] == "application/problem+json"
        assert "revoked" in ended.json()["detail"]
        assert 'error="invalid_token"' in ended.headers["www-authenticate"]
        await post(root, "/tokens/revoke", id=foreign.split("_")[1])
        assert (await knock(program, foreign)).status_code == 401
        made.clock.now_ms += DAY_MS
        assert "expired" in (await knock(program, other)).json()["detail"]


@pytest.mark.parametrize("how", ["disable", "reset", "change"])
async def test_a_token_is_out_at_once_with_its_user(tmp_path: Path, how: str) -> None:
    acts = {"disable": {}, "reset": {}, "change": {"role": "park-operator", "scope": "area A"}}
    async with (
        peopled(tmp_path) as (made, base),
        browser(base) as officer,
        browser(base) as root,
        browser(base) as program,
    ):
        await known(made, officer, *OFFICER)
        await known(made, root, "li.wei", Role.ADMINISTRATOR, "all")
        text = made_for(made, "wang.li", Wish("x", FIGURES, parse_scope("county 330822")))
        assert (await knock(program, text)).status_code == 404
        await post(root, f"/users/{how}", name="wang.li", **acts[how])
        assert (await knock(program, text)).status_code == 401


async def test_tokens_are_guessed_slowly_and_an_old_one_is_no_guess(tmp_path: Path) -> None:
    async with peopled(tmp_path) as (made, base), browser(base) as program:
        made.database.run_now(users.add, ROOT, owner(*OFFICER[1:]))
        text = made_for(made, "wang.li", Wish("x", FIGURES))
        made.database.run_now(tokens.revoke, ROOT, text.split("_")[1], NOW_MS)
        for _ in range(FREE_ATTEMPTS + 1):
            assert (await knock(program, text)).status_code == 401
        for at in range(FREE_ATTEMPTS):
            assert (await knock(program, f"qulink_{at:012x}_{'A' * 43}")).status_code == 401
        waits = await knock(program, text)
        assert (waits.status_code, waits.json()["code"]) == (429, "wait")
        assert "retry-after" in waits.headers


async def test_what_a_token_cannot_be_is_said(tmp_path: Path) -> None:
    async with peopled(tmp_path) as (made, base), browser(base) as officer:
        await known(made, officer, *OFFICER)
        good = {"purpose": "x", "days": "90", "may-figures": "on", "scope": "county 330822"}
        wrong = {
            TokenRefusal.PURPOSE: {"purpose": ""},
            TokenRefusal.DAYS: {"days": "367"},
            TokenRefusal.SCOPE: {"scope": "county 330825"},
        }
        for refusal, part in wrong.items():
            page = await post(officer, "/account/tokens", **good | part)
            assert page.status_code == 400, refusal
            assert _TEXT.search(page.text) is None
        nothing = {name: value for name, value in good.items() if not name.startswith("may")}
        assert (await post(officer, "/account/tokens", **nothing)).status_code == 400
        refused = {
            TokenRefusal.USER: ("nobody", Wish("x", FIGURES)),
            TokenRefusal.PERMISSIONS: ("wang.li", Wish("x", frozenset({Permission.USERS}))),
        }
        for refusal, (name, wish) in refused.items():
            with pytest.raises(TokenError) as error:
                made_for(made, name, wish)
            assert error.value.refusal is refusal


def test_a_token_of_a_principal_has_a_name_that_no_user_has() -> None:
    asks = token().principal(owner(Role.BUREAU, "all"))
    assert asks == Principal("wang.li/000000000000", Role.BUREAU, EVERYTHING, FIGURES)
    assert users._NAME.fullmatch(asks.name) is None
    assert DAYS == 90
