"""A city whose people log in by name, and browsers of theirs."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from gateway.city.access import links
from gateway.city.access.principal import Role, administrator, parse_scope
from gateway.city.access.users import User
from gateway.city.console.app import build
from tests.console.conftest import served
from tests.console.town import NOW_MS, Town, town
from tests.support.waiting import SOON_S

PASSWORD = "correct horse battery"
ROOT = administrator("root")


@contextlib.asynccontextmanager
async def peopled(folder: Path) -> AsyncIterator[tuple[Town, str]]:
    """A town with accounts, and the address of its console."""
    async with town(folder / "city", accounts=True) as made, served(build(made.context)) as base:
        yield made, base


@contextlib.asynccontextmanager
async def browser(base: str) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that keeps cookies."""
    async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=SOON_S) as client:
        yield client


def invited(made: Town, name: str, role: Role, scope: str) -> str:
    """Invite a user; gives the path of its link."""
    user = User(name, name, role, parse_scope(scope), NOW_MS, "root", None, is_invited=True)
    secret = made.database.run_now(links.invite, by=ROOT, user=user)
    return f"{links.ADDRESS}/{secret}"


async def post(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """Send a form as a page of ours would."""
    if "qulink_csrf" not in client.cookies:
        await client.get("/login")
    return await client.post(path, data={"csrf": client.cookies["qulink_csrf"], **fields})


async def choose(
    client: httpx.AsyncClient, link: str, password: str = PASSWORD, **fields: str
) -> httpx.Response:
    """Choose a password behind a link."""
    return await post(client, link, password=password, again=password, **fields)


async def log_in(client: httpx.AsyncClient, name: str, password: str = PASSWORD) -> httpx.Response:
    """Log in by name and password."""
    return await post(client, "/login", name=name, password=password)


async def known(made: Town, client: httpx.AsyncClient, name: str, role: Role, scope: str) -> None:
    """Invite a user who chooses a password and logs in with this browser."""
    assert (await choose(client, invited(made, name, role, scope))).status_code == 303
    assert (await log_in(client, name)).status_code == 303
