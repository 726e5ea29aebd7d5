"""Logging in by an OpenID Connect provider that others wrote, in a process of its own."""

import html
import json
import re
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from pydantic import ValidationError
from starlette.types import ASGIApp

from edge_config.models.base import Secret
from edge_config.models.people.oidc import NAMED_BY, OidcConfig, OidcGroup
from edge_config.models.validation import validated
from gateway.city.access import users
from gateway.city.access.audit import Action, EntryFilter, entries
from gateway.city.access.outside.knowing import link, linked
from gateway.city.access.outside.provider import (
    BACK,
    Provider,
    ProviderAwayError,
    ProviderRefusedError,
    begin,
)
from gateway.city.access.principal import SCOPES, Role, parse_scope
from gateway.city.access.users import User, UserError
from gateway.city.console.app import build
from gateway.city.console.pages.people.proving import Proving
from gateway.throttle import FREE_ATTEMPTS
from gateway.web.access.passwords import hash_password
from tests.console.people import PASSWORD, ROOT, log_in, post
from tests.console.town import NOW_MS, Town, town
from tests.support.peers import foreign_script, free_port, node, wait_for_port

HERE = "http://127.0.0.1:8080"
SECRET = "a secret of thirty-two characters"
ACCOUNTS = {
    "sub-bureau": {"name": "王丽", "preferred_username": "wang.li", "groups": ["x", "bureau"]},
    "sub-taken": {"name": "李伟", "preferred_username": "root.li", "groups": ["county"]},
    "sub-nobody": {"name": "周", "preferred_username": "zhou", "groups": ["visitors"]},
}
GROUPS = (
    OidcGroup(group="bureau", role="bureau-officer"),
    OidcGroup(group="county", role="county-officer", scope="county 330822"),
)


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    port = free_port()
    options = {"port": port, "redirect": HERE + BACK, "secret": SECRET, "accounts": ACCOUNTS}
    script = str(foreign_script("oidc_provider.mjs"))
    with subprocess.Popen([node(), script, json.dumps(options)], stderr=subprocess.DEVNULL) as one:
        try:
            wait_for_port(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            one.kill()


@pytest.fixture
def oidc(issuer: str, tmp_path: Path) -> OidcConfig:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    return OidcConfig(
        issuer=issuer,
        client_id="qulink",
        client_secret=Secret(file=secret, env=None),
        public_url=HERE,
        scopes=("openid", "profile", "groups"),
        groups=GROUPS,
    )


@dataclass
class City:
    """A console in this process."""

    made: Town
    client: httpx.AsyncClient
    app: ASGIApp

    def actions(self, action: Action) -> list[tuple[str, str]]:
        found = self.made.database.run_now(entries, EntryFilter(action=action))
        return [(one.subject or one.who, one.detail) for one in found]


@asynccontextmanager
async def console(made: Town, oidc: OidcConfig) -> AsyncIterator[City]:
    """A console, and a browser that has not been there before."""
    context = made.context
    config = replace(context.config, console=replace(context.config.console, oidc=oidc))
    app = build(replace(context, config=config))
    async with browser_of(app) as client:
        yield City(made, client, app)


def browser_of(app: ASGIApp) -> httpx.AsyncClient:
    """A browser that has not been there before."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HERE)


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path / "city", accounts=True) as one:
        user = User("root.li", "李", Role.ADMINISTRATOR, parse_scope("all"), 0, "x", None, True)
        one.database.run_now(users.add, ROOT, user)
        one.database.run_now(users.set_password, "root.li", hash_password(PASSWORD), NOW_MS)
        yield one


async def there(address: str, subject: str) -> str:
    """Log in at the provider, as a person would; gives the address that it leads back to."""
    async with httpx.AsyncClient(trust_env=False) as browser:
        answer = await browser.get(address)
        for _ in range(8):
            while answer.is_redirect:
                if answer.headers["location"].startswith(HERE):
                    return str(answer.headers["location"])
                answer = await browser.get(answer.next_request.url)  # type: ignore[union-attr]
            assert answer.status_code == 200, answer.text
            (action,) = re.findall(r'action="([^"]+)"', answer.text)[:1]
            (prompt,) = re.findall(r'name="prompt" value="(\w+)"', answer.text)
            form = {"prompt": prompt, "login": subject, "password": "x"}
            answer = await browser.post(answer.url.join(action), data=form)
    raise AssertionError("it does not lead back")


async def enter(city: City, subject: str, path: str = "/login/oidc") -> httpx.Response:
    gone = await city.client.get(path)
    assert gone.status_code == 303, gone.text
    back = urlsplit(await there(gone.headers["location"], subject))
    return await city.client.get(f"{back.path}?{back.query}")


async def test_a_group_makes_a_user_and_keeps_it_as_the_group_is(
    made: Town, oidc: OidcConfig
) -> None:
    async with console(made, oidc) as city:
        entered = await enter(city, "sub-bureau", "/login/oidc?next=/definitions%3Fx=1")
        assert (entered.status_code, entered.headers["location"]) == (303, "/definitions?x=1")
        account = (await city.client.get("/account")).text
        assert "wang.li" in account and "王丽" in account
        assert city.actions(Action.LOGIN)[-1] == ("wang.li", "127.0.0.1 oidc")
        county = replace(
            oidc, groups=(OidcGroup(group="bureau", role="county-officer", scope="county 330881"),)
        )
        async with console(made, county) as moved:
            assert (await enter(moved, "sub-bureau")).status_code == 303
            found = made.database.run_now(users.find, "wang.li")
            assert (found.role, str(found.scope)) == (Role.COUNTY, "county 330881")
            moved.client.cookies, cookies = city.client.cookies, moved.client.cookies
            assert (await moved.client.get("/definitions")).status_code == 401  # the old session
            moved.client.cookies = cookies
            async with console(made, replace(oidc, groups=GROUPS[1:])) as out:
                refused = await enter(out, "sub-bureau")
                assert (refused.status_code, "用户组" in refused.text) == (403, True)
                out.client.cookies = cookies
                assert (await out.client.get("/definitions")).status_code == 401


async def test_nobody_takes_over_a_name_and_who_is_connected_is_that_user(
    made: Town, oidc: OidcConfig
) -> None:
    async with console(made, oidc) as city:
        assert (await enter(city, "sub-taken")).status_code == 303
        names = {one.name: one for one in made.database.run_now(users.listed)}
        (own,) = names.keys() - {"root.li"}
        assert own.startswith("oidc-")
        assert (names[own].role, names["root.li"].role) == (Role.COUNTY, Role.ADMINISTRATOR)
    async with console(made, oidc) as city:
        refused = await enter(city, "sub-nobody")
        assert (refused.status_code, "市级" not in refused.text) == (403, True)
        assert (await city.client.get("/definitions")).status_code == 401
        assert city.actions(Action.LOGIN_REFUSED) == [("sub-nobody", "nobody")]
        made.database.run_now(link, ROOT, oidc.issuer, "sub-nobody", "root.li", NOW_MS)
        with pytest.raises(UserError):
            made.database.run_now(link, ROOT, oidc.issuer, "sub-nobody", own, NOW_MS)
        assert (await enter(city, "sub-nobody")).status_code == 303
        assert "root.li" in (await city.client.get("/users")).text  # an administrator still
        made.database.run_now(users.disable, ROOT, NOW_MS, own)
        assert (await enter(city, "sub-taken")).status_code == 403


def _onward(page: str) -> str:
    """The link to the provider on the own account."""
    (section,) = re.findall(r'id="outside">(.*?)</section>', page, re.DOTALL)
    (onward,) = re.findall(r'href="([^"]+)"', section)
    return html.unescape(onward)


async def connect(city: City, subject: str, password: str = PASSWORD) -> httpx.Response:
    """Connect oneself from the own account: the password again, the provider, and back."""
    shown = await post(city.client, "/account/outside/connect", current=password)
    assert shown.status_code == 200, shown.text
    back = urlsplit(await there(_onward(shown.text), subject))
    return await city.client.get(f"{back.path}?{back.query}")


async def test_a_user_who_proves_to_be_it_is_connected_and_disconnected(
    made: Town, oidc: OidcConfig
) -> None:
    async with console(made, oidc) as city, browser_of(city.app) as stranger:
        other = replace(city, client=stranger)
        assert (await log_in(city.client, "root.li")).status_code == 303
        wrong = await post(city.client, "/account/outside/connect", current="guess")
        assert (wrong.status_code, "当前密码不正确" in wrong.text) == (400, True)
        done = await connect(city, "sub-nobody")
        assert done.headers["location"] == "/account?connecting=done#outside"
        account = (await city.client.get(done.headers["location"])).text
        assert "sub-nobody" in account and "已建立关联" in account
        said = ("root.li", f"{oidc.issuer} sub-nobody")
        assert city.actions(Action.USER_LINKED) == [said]
        assert (await enter(other, "sub-nobody")).status_code == 303
        assert "root.li" in (await other.client.get("/users")).text
        ended = await post(city.client, "/account/outside/disconnect", subject="sub-nobody")
        assert ended.status_code == 303
        assert city.actions(Action.USER_UNLINKED) == [said]
        assert (await other.client.get("/users")).status_code == 401  # whoever began it is out
        assert (await enter(other, "sub-nobody")).status_code == 403


async def test_nobody_is_connected_with_what_is_anothers_or_after_leaving(
    made: Town, oidc: OidcConfig
) -> None:
    async with console(made, oidc) as city, console(made, oidc) as other:
        assert (await enter(other, "sub-taken")).status_code == 303
        assert (await log_in(city.client, "root.li")).status_code == 303
        taken = await connect(city, "sub-taken")
        assert taken.headers["location"] == "/account?connecting=linked#outside"
        assert "另一用户" in (await city.client.get(taken.headers["location"])).text
        shown = await post(city.client, "/account/outside/connect", current=PASSWORD)
        onward = _onward(shown.text)
        assert "prompt=login" in onward  # whoever is logged in there just now is not asked past
        back = urlsplit(await there(onward, "sub-nobody"))
        await post(city.client, "/logout")
        late = await city.client.get(f"{back.path}?{back.query}")
        assert late.headers["location"] == "/account?connecting=begun#outside"
        assert not made.database.run_now(linked, oidc.issuer, "root.li")


async def test_administrators_connect_users_and_a_reset_leaves_no_way_in(
    made: Town, oidc: OidcConfig
) -> None:
    async with console(made, oidc) as city, console(made, oidc) as officer:
        assert (await log_in(city.client, "root.li")).status_code == 303
        user = User("wu", "吴", Role.COUNTY, parse_scope("county 330822"), 0, "x", None, True)
        made.database.run_now(users.add, ROOT, user)
        given = {"name": "wu", "subject": "sub-nobody"}
        refused = await post(officer.client, "/users/outside/connect", **given)
        assert refused.status_code == 401
        for fields in ({**given, "name": "nobody"}, {**given, "subject": "x" * 256}):
            answer = await post(city.client, "/users/outside/connect", **fields)
            assert answer.status_code == 400
        assert (await post(city.client, "/users/outside/connect", **given)).status_code == 303
        assert "sub-nobody" in (await city.client.get("/users")).text
        assert (await enter(officer, "sub-nobody")).status_code == 303
        account = await officer.client.get("/account")
        assert "/account/outside/connect" not in account.text  # there is no password to prove
        assert (await post(officer.client, "/users/outside/disconnect", **given)).status_code == 403
        made.database.run_now(users.reset, ROOT, NOW_MS, "wu")
        assert (await enter(officer, "sub-nobody")).status_code == 403


async def test_passwords_are_not_guessed_at_a_session_that_was_left_open(made: Town) -> None:
    proving = Proving(made.context, clock_s=lambda: 0.0)
    for _ in range(FREE_ATTEMPTS):
        assert await proving.problem("root.li", "guess") == "current"
    assert await proving.problem("root.li", PASSWORD) == "patience"


async def test_a_login_is_of_the_browser_that_began_it_and_stays_on_this_site(
    made: Town, oidc: OidcConfig
) -> None:
    async with console(made, oidc) as city:
        for target in ("//evil.example/", "https://evil.example/", "/\\evil.example"):
            entered = await enter(city, "sub-bureau", f"/login/oidc?next={target}")
            assert entered.headers["location"] == "/"
        gone = await city.client.get("/login/oidc")
        back = urlsplit(await there(gone.headers["location"], "sub-bureau"))
        path = f"{back.path}?{back.query}"
        async with console(made, oidc) as stranger:
            assert (await stranger.client.get(path)).status_code == 403
        other = re.sub(r"state=[^&]+", "state=x", path)
        assert (await city.client.get(other)).status_code == 403
        liar = re.sub(r"iss=[^&]+", "iss=https%3A%2F%2Fevil.example", path)
        assert (await city.client.get(liar)).status_code == 403
        assert (await city.client.get(path)).status_code == 303
        cookies = [one.name for one in city.client.cookies.jar]
        assert "qulink_oidc" not in cookies
        assert (await city.client.get(path)).status_code == 403  # once
        asked = parse_qs(urlsplit(gone.headers["location"]).query)
        assert asked["code_challenge_method"] == ["S256"]
        sent = gone.headers["set-cookie"].lower()
        assert "httponly" in sent and "samesite=lax" in sent


async def _coded(provider: Provider, subject: str = "sub-bureau") -> tuple[str, "object"]:
    begun = begin("/")
    back = await there(await provider.address(begun), subject)
    return parse_qs(urlsplit(back).query)["code"][0], begun


async def test_what_is_not_proven_is_not_believed(oidc: OidcConfig) -> None:
    provider = Provider(oidc, SECRET)
    for name in ("verifier", "nonce"):
        code, begun = await _coded(provider)
        with pytest.raises(ProviderRefusedError):
            await provider.claims(code, replace(begun, **{name: "x" * 43}), None)  # type: ignore[type-var]
    begun = begin("/")
    good = {
        "iss": oidc.issuer, "aud": "qulink", "sub": "sub-bureau", "nonce": begun.nonce,
        "iat": int(time.time()), "exp": int(time.time()) + 60,
    }  # fmt: skip
    kid = (await provider._provider())[1].keys[0].kid
    forged = jwt.encode({"alg": "RS256", "kid": kid}, good, RSAKey.generate_key(2048))
    shared = jwt.encode({"alg": "HS256"}, good, OctKey.import_key(SECRET))
    for token in (forged, shared, "", "a.b.c"):
        with pytest.raises(ProviderRefusedError):
            await provider._believed(token, begun, {})
    own = RSAKey.generate_key(2048, {"kid": "own"})
    keys = (await provider._provider())[1]
    keys.keys.append(own)
    wrong: Mapping[str, object] = {
        "iss": "https://evil.example", "aud": "other", "nonce": "x", "exp": 1, "sub": None,
    }  # fmt: skip
    assert await provider._believed(
        jwt.encode({"alg": "RS256", "kid": "own"}, good, own), begun, {}
    )
    for name, value in wrong.items():
        body = {key: one for key, one in (good | {name: value}).items() if one is not None}
        token = jwt.encode({"alg": "RS256", "kid": "own"}, body, own)
        with pytest.raises(ProviderRefusedError):
            await provider._believed(token, begun, {})
    with pytest.raises(ProviderRefusedError):
        await Provider(oidc, "another secret").claims((await _coded(provider))[0], begun, None)
    renamed = Provider(replace(oidc, issuer=oidc.issuer + "/"), SECRET)
    with pytest.raises(ProviderRefusedError, match="to the letter"):
        await renamed.address(begun)


async def test_while_the_provider_is_away_passwords_let_in(made: Town, oidc: OidcConfig) -> None:
    away = replace(oidc, issuer=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ProviderAwayError):
        await Provider(away, SECRET).address(begin("/"))
    async with console(made, away) as city:
        refused = await city.client.get("/login/oidc?lang=zh")
        assert (refused.status_code, "无应答" in refused.text) == (503, True)
        assert 'name="password"' in refused.text
        assert (await log_in(city.client, "root.li")).status_code == 303
        assert (await city.client.get("/users")).status_code == 200


def test_the_configuration_says_what_contradicts_what(oidc: OidcConfig) -> None:
    assert {role: {NAMED_BY[role]} for role in Role} == {role: set(SCOPES[role]) for role in Role}
    wrong = {
        "issuer": "http://id.example",
        "scopes": ["profile"],
        "groups": [{"group": "x", "role": "county-officer", "scope": "all"}],
    }
    good = {
        "issuer": "https://id.example", "client_id": "q", "client_secret": {"env": "X"},
        "public_url": HERE,
    }  # fmt: skip
    validated(OidcConfig, good)
    for name, value in wrong.items():
        with pytest.raises(ValidationError):
            validated(OidcConfig, good | {name: value})
