"""A served console and a browser to look at it with."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from functools import cache, partial
from pathlib import Path

import pytest
from jinja2 import Environment
from starlette.types import ASGIApp

from edge_config.models.base import ConsoleConfig, Secret
from gateway.city.console import control, remember
from gateway.city.console.app import build
from gateway.city.console.charts import pictures
from gateway.city.console.live import source
from gateway.web import pages
from gateway.web.listen import bind
from gateway.web.serve import serve
from tests.console.town import Town, town
from tests.support.templates import Compiled


@contextlib.asynccontextmanager
async def served(app: ASGIApp, console: ConsoleConfig | None = None) -> AsyncIterator[str]:
    """Serve on any free loopback port; gives the base address."""
    with bind("127.0.0.1:0") as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(serve(app, console or ConsoleConfig(), listener))
            try:
                yield address
            finally:
                task.cancel()


@contextlib.asynccontextmanager
async def guarded(folder: Path, token: str) -> AsyncIterator[str]:
    """A console that asks for a token; gives the base address."""
    secret = folder / "token"
    await asyncio.to_thread(secret.write_text, token)
    async with (
        town(folder / "city", token=Secret(file=secret, env=None)) as made,
        served(build(made.context)) as base,
    ):
        yield base


@pytest.fixture(scope="session", autouse=True)
def compiled_templates() -> Iterator[None]:
    """Consoles of one process share what their templates were compiled to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "Environment", partial(Environment, bytecode_cache=Compiled()))
        yield


@pytest.fixture(scope="session", autouse=True)
def drawn_pictures() -> Iterator[None]:
    """Equal charts are drawn once a process, not once a town: a home page has four, a tenth of a
    second each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "_draw", cache(pictures._draw))
        yield


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of tests wait for figures and for the process they ask, however busy the machine is."""
    monkeypatch.setattr(remember, "WAIT_S", 60.0)
    monkeypatch.setattr(source, "PATIENCE_S", 60.0)
    monkeypatch.setattr(control, "TIMEOUT_S", 60.0)


@pytest.fixture
async def city(tmp_path: Path) -> AsyncIterator[Town]:
    """The small town."""
    async with town(tmp_path) as made:
        yield made


@pytest.fixture
async def address(city: Town) -> AsyncIterator[str]:
    """The town's console."""
    async with served(build(city.context)) as base:
        yield base
