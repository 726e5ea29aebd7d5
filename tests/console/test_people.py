"""People of the console: invited by one-time links, logged in by name, out at once when changed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from gateway.city.access import links, users
from gateway.city.access.audit import Action, EntryFilter, entries
from gateway.city.access.chain import verify
from gateway.city.access.principal import EVERYTHING, Role, parse_scope
from gateway.city.access.users import Refusal, UserError
from gateway.city.console.process import tell_first_link
from gateway.city.db.schema.access import audit, city_user, one_time_link
from gateway.throttle import FREE_ATTEMPTS
from tests.console.http import get
from tests.console.people import (
    PASSWORD,
    ROOT,
    browser,
    choose,
    invited,
    known,
    log_in,
    peopled,
    post,
)
from tests.console.town import Town, uscc_of

Lines = AsyncIterator[str]
OFFICER = ("wang.li", Role.COUNTY, "county 330822")


def actions(made: Town) -> list[tuple[str, str, str]]:
    return [(one.who, one.action, one.subject) for one in made.database.run_now(entries)]


async def test_the_first_administrator_is_made_by_a_link_once(tmp_path: Path) -> None:
    async with peopled(tmp_path) as (made, base), browser(base) as client:
        now_ms = made.context.now_ms()
        secret = made.database.run_now(links.invite_first, now_ms, anew=False)
        assert secret is not None
        assert made.database.run_now(links.invite_first, now_ms, anew=False) is None
        link = f"{links.ADDRESS}/{secret}"
        assert (await client.get(link)).status_code == 200
        weak = await choose(client, link, "password1234", name="li.wei", display_name="李伟")
        assert (weak.status_code, "常见" in weak.text) == (400, True)
        done = await choose(client, link, name="li.wei", display_name="李伟")
        assert (done.status_code, done.headers["location"]) == (303, "/login")
        again = await choose(client, link, name="other", display_name="其他")
        assert again.status_code == 404
        assert (await log_in(client, "li.wei")).status_code == 303
        assert "li.wei" in (await client.get("/users")).text
        assert made.database.run_now(links.invite_first, now_ms, anew=True) is None
        assert ("li.wei", Action.PASSWORD_SET, "li.wei") in actions(made)


async def test_each_start_without_users_says_how_to_get_in(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with peopled(tmp_path) as (made, _):
        for words in (links.ADDRESS, "the link of an earlier start still holds", None):
            if words is None:
                invited(made, *OFFICER)
            caplog.clear()
            await tell_first_link(made.context)
            told = [one.getMessage() for one in caplog.records if "log in" in one.getMessage()]
            assert [words in one for one in told if words] == ([True] if words else [])
            assert len(told) == (words is not None)


async def test_a_link_for_the_first_ends_with_the_first_user(tmp_path: Path) -> None:
    async with peopled(tmp_path) as (made, base), browser(base) as client:
        secret = made.database.run_now(links.invite_first, made.context.now_ms(), anew=False)
        invited(made, *OFFICER)
        assert (await client.get(f"{links.ADDRESS}/{secret}")).status_code == 404


async def test_an_invited_user_alone_knows_the_password(tmp_path: Path) -> None:
    async with peopled(tmp_path) as (made, base), browser(base) as client:
        link = invited(made, *OFFICER)
        assert (await log_in(client, "wang.li", "")).status_code == 403  # there is none yet
        assert (await post(client, link, password=PASSWORD, again="x")).status_code == 400
        assert (await choose(client, link)).status_code == 303
        assert (await client.get(link)).status_code == 404
        assert (await log_in(client, "wang.li")).status_code == 303
        cookie = next(value for key, value in client.cookies.items() if "session" in key)
        kept = made.database.run_now(
            lambda c: [
                str(c.execute(select(one)).all()) for one in (city_user, one_time_link, audit)
            ]
        )
        assert not any(secret in " ".join(kept) for secret in (PASSWORD, cookie, link[12:]))


async def test_a_link_holds_for_three_days(tmp_path: Path) -> None:
    async with peopled(tmp_path) as (made, base), browser(base) as client:
        link = invited(made, *OFFICER)
        made.clock.now_ms += links.LIFE_MS
        assert (await client.get(link)).status_code == 404
        assert (await choose(client, link)).status_code == 404


async def test_nobody_learns_which_names_there_are(tmp_path: Path) -> None:
    async with peopled(tmp_path) as (made, base), browser(base) as client:
        await choose(client, invited(made, *OFFICER))
        answers = [await log_in(client, name, "wrong password") for name in ("wang.li", "nobody")]
        assert [one.status_code for one in answers] == [403, 403]
        assert answers[0].text == answers[1].text
        assert "\x00" not in (await log_in(client, "\x00")).text


async def test_guesses_of_a_password_wait_and_are_written_down_once(tmp_path: Path) -> None:
    async with peopled(tmp_path) as (made, base), browser(base) as client:
        await choose(client, invited(made, *OFFICER))
        for _ in range(FREE_ATTEMPTS):
            assert (await log_in(client, "wang.li", "wrong password")).status_code == 403
        assert (await log_in(client, "wang.li")).status_code == 429
        await log_in(client, "a password typed as a name", "x")
        guesses = [one for one in actions(made) if one[1] == Action.GUESSES]
        assert guesses == [("127.0.0.1", Action.GUESSES, "wang.li")] * 2  # address, and name


_OUT = {
    "disable": {}, "reset": {}, "change": {"role": "auditor", "scope": "all"},
    "narrow": {"role": "county-officer", "scope": "county 330881"},
}  # fmt: skip
"""What puts a county officer out."""


async def _opened(client: httpx.AsyncClient, stack: contextlib.AsyncExitStack) -> list[Lines]:
    """The streams of pages that one leaves open."""
    found = []
    for path in ("/", "/alerts", f"/enterprises/{uscc_of(0)}", "/quality"):
        asked = client.stream("GET", path, headers={"accept": "text/event-stream"})
        answer = await stack.enter_async_context(asked)
        assert answer.headers["content-type"].startswith("text/event-stream"), path
        found.append(answer.aiter_lines())
        await anext(found[-1])
    return found


async def test_a_changed_user_is_out_at_once_and_all_its_streams_end(tmp_path: Path) -> None:
    async with (
        peopled(tmp_path) as (made, base),
        browser(base) as root,
        asyncio.timeout(60),
        contextlib.AsyncExitStack() as stack,
    ):
        await known(made, root, "li.wei", Role.ADMINISTRATOR, "all")
        for how, fields in _OUT.items():
            officer = await stack.enter_async_context(browser(base))
            await known(made, officer, f"wang.{how}", *OFFICER[1:])
            streams = await _opened(officer, stack)
            act = "change" if how == "narrow" else how
            assert (
                await post(root, f"/users/{act}", name=f"wang.{how}", **fields)
            ).is_error is False
            for lines in streams:
                async for _ in lines:
                    pass  # what had been sent; then it ends
            assert (await officer.get("/books")).status_code == 401
        assert (await root.get("/books")).status_code == 200


async def test_another_password_needs_the_current_one_and_ends_all_sessions(
    tmp_path: Path,
) -> None:
    async with (
        peopled(tmp_path) as (made, base),
        browser(base) as one,
        browser(base) as other,
    ):
        await known(made, one, *OFFICER)
        await log_in(other, "wang.li")
        new = {"password": "another horse battery", "again": "another horse battery"}
        wrong = await post(one, "/account", current="guess", **new)
        assert (wrong.status_code, "当前密码不正确" in wrong.text) == (400, True)
        assert (await post(one, "/account", current=PASSWORD, **new)).status_code == 303
        assert [(await client.get("/")).status_code for client in (one, other)] == [401, 401]
        assert (await log_in(one, "wang.li")).status_code == 403
        assert (await log_in(one, "wang.li", new["password"])).status_code == 303


async def test_only_administrators_keep_users(tmp_path: Path) -> None:
    async with (
        peopled(tmp_path) as (made, base),
        browser(base) as officer,
        browser(base) as root,
    ):
        await known(made, officer, *OFFICER)
        await known(made, root, "li.wei", Role.ADMINISTRATOR, "all")
        invitation = {"name": "zhou", "role": "auditor", "scope": "all", "display_name": "周"}
        assert (await officer.get("/users")).status_code == 403
        assert (await post(officer, "/users/invite", **invitation)).status_code == 403
        made_link = await post(root, "/users/invite", **invitation)
        assert f"{base}{links.ADDRESS}/" in made_link.text
        assert (await post(root, "/users/invite", **invitation)).status_code == 400  # taken
        bad = invitation | {"name": "qian", "scope": "county"}
        assert (await post(root, "/users/invite", **bad)).status_code == 400
        foreign = await root.post("/users/invite", data=invitation | {"name": "sun"})
        assert foreign.status_code == 403
        assert {one.name for one in made.database.run_now(users.listed)} == {
            "wang.li", "li.wei", "zhou",
        }  # fmt: skip


async def test_the_last_administrator_stays(tmp_path: Path) -> None:
    async with peopled(tmp_path) as (made, base), browser(base) as client:
        await known(made, client, "li.wei", Role.ADMINISTRATOR, "all")
        invited(made, "never.came", Role.ADMINISTRATOR, "all")
        with pytest.raises(UserError) as refused:
            made.database.run_now(users.disable, ROOT, 1, "li.wei")
        assert refused.value.refusal is Refusal.LAST
        with pytest.raises(UserError):
            made.database.run_now(users.change, ROOT, 1, "li.wei", Role.BUREAU, EVERYTHING)
        made.database.run_now(users.disable, ROOT, 1, "never.came")


async def test_a_name_is_never_anothers(tmp_path: Path) -> None:
    async with peopled(tmp_path) as (made, _):
        invited(made, *OFFICER)
        made.database.run_now(users.disable, ROOT, 1, "wang.li")
        for name in ("wang.li", "Wang.Li", "token", "a b", "x" * 65, ""):
            with pytest.raises(UserError):
                invited(made, name, Role.AUDITOR, "all")


async def test_another_scope_is_written_down_with_the_one_before(tmp_path: Path) -> None:
    async with peopled(tmp_path) as (made, _):
        invited(made, *OFFICER)
        to = parse_scope("county 330881")
        made.database.run_now(users.change, ROOT, 5, "wang.li", Role.COUNTY, to)
        *_, entry = made.database.run_now(entries, EntryFilter(action=Action.USER_CHANGED))
        assert entry.who == "root"
        assert entry.detail == "county-officer, county 330822 → county-officer, county 330881"


async def test_who_is_logged_in_by_name_has_no_token_to_show(tmp_path: Path) -> None:
    async with peopled(tmp_path) as (_, base), browser(base) as client:
        page = (await client.get("/login", headers={"accept-language": "en"})).text
        assert "User name" in page
        assert (await post(client, "/login", token="")).status_code == 403
        bearer = {"authorization": "Bearer x"}
        assert (await get(f"{base}/", headers=bearer)).status_code == 401


async def test_a_look_is_written_down_once_an_hour_and_each_export(tmp_path: Path) -> None:
    async with peopled(tmp_path) as (made, base), browser(base) as officer, browser(base) as own:
        await known(made, officer, *OFFICER)
        await known(made, own, "plant", Role.ENTERPRISE, f"enterprise {uscc_of(0)}")
        page = f"/enterprises/{uscc_of(0)}"
        for client in (officer, officer, own):
            assert (await client.get(f"{page}?purpose=audit")).status_code == 200
        assert (await officer.get(f"/enterprises/{uscc_of(2)}")).status_code == 404
        made.clock.now_ms += 3_600_000
        await officer.get(f"{page}/1/A-001")
        assert (await officer.get(f"{page}?format=csv")).status_code == 200
        looks = [one for one in actions(made) if one[1] == Action.VIEWED]
        assert looks == [("wang.li", Action.VIEWED, uscc_of(0))] * 2
        exports = [one for one in actions(made) if one[1] == Action.EXPORTED]
        assert exports == [("wang.li 127.0.0.1", Action.EXPORTED, page)]
        assert made.database.run_now(verify).broken is None
