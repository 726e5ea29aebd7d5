"""What takes long is computed in a process apart: the same figures, whatever becomes of it."""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, update

from gateway.city.console import remember
from gateway.city.console.apart import giving_up, process
from gateway.city.console.apart.place import Apart, Here
from gateway.city.console.apart.process import OwnProcess
from gateway.city.console.apart.work import sent
from gateway.city.console.app import build
from gateway.city.console.process import make_ahead
from gateway.city.console.queries import figures
from gateway.city.console.queries.moment import at_once
from gateway.city.db import tables
from gateway.city.rates.period import MonthError
from gateway.city.rates.reports.kept import KeptMonths
from gateway.web.waiting import GivenUpError
from tests.console.conftest import served
from tests.console.http import get
from tests.console.test_process import is_gone
from tests.console.town import NOW_MS, Town
from tests.support.waiting import until

Steps = list[tuple[str, int, int]]


def _pid(_connection: Connection) -> int:
    return os.getpid()


def _held(_connection: Connection, gate: str, progress: Callable[..., object], **_how: str) -> int:
    """Stands still until somebody opens the other end of a pipe."""
    progress("ledger", 1, 2)
    Path(gate).read_bytes()
    return os.getpid()


async def _months(apart: Apart, month: str | None) -> tuple[str, KeptMonths]:
    """Figures with all their digits, and as they are kept."""
    asked, steps = [("ENR-A", month), ("COV", month)], list[object]()
    found, to_keep, lacking = await apart.compute(
        at_once, asked, NOW_MS, progress=lambda *said: steps.append(said), demonstration=True
    )
    assert steps
    return repr((found, lacking)), to_keep


async def test_figures_of_another_process_are_the_same(city: Town) -> None:
    own = OwnProcess(city.context.config)
    async with own.running():
        for month in (None, "2025-10"):
            assert await _months(own, month) == await _months(Here(city.database), month)
        with pytest.raises(MonthError, match="2031-01") as raised:
            await _months(own, "2031-01")
        assert "in rate_months" in "".join(raised.value.__notes__), "the log shows where"
        pid = await own.read(_pid)
    assert pid != os.getpid()
    assert is_gone(pid)


async def test_a_process_that_is_killed_is_followed_by_one_that_does_the_work(
    city: Town, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gate, steps = tmp_path / "gate", Steps()
    os.mkfifo(gate)
    own = OwnProcess(city.context.config)

    def progress(*said: object) -> None:
        steps.append(said)  # type: ignore[arg-type]

    async def begun(times: int) -> bool:
        return len(steps) == times

    async with own.running():
        first = await own.read(_pid)
        held = asyncio.ensure_future(own.compute(_held, str(gate), progress=progress))
        await until(lambda: begun(1))
        os.kill(first, signal.SIGKILL)
        await until(lambda: begun(2))
        assert caplog.messages == [
            "the process that computes figures ended: exit code -9; trying again"
        ]
        second = await own.read(_pid)
        os.kill(second, signal.SIGTERM)  # whoever ends all of a service at once
        await asyncio.to_thread(gate.write_bytes, b"")
        assert await held == second != first
        held = asyncio.ensure_future(own.compute(_held, str(gate), progress=progress))
        await until(lambda: begun(3))
    assert is_gone(second), "it ends in the middle of its work"
    held.cancel()


def _deadly(_connection: Connection, _moment_ms: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def test_a_work_that_kills_each_process_is_given_up_and_no_other(
    city: Town, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(giving_up, "TRIES", 2)
    monkeypatch.setattr(process, "TRIES", 2)
    own = OwnProcess(city.context.config)
    async with own.running():
        deadly, others = own.read(_deadly, 1), [own.read(_pid) for _ in range(5)]
        ends = await asyncio.gather(deadly, *others, return_exceptions=True)
        assert isinstance(ends[0], GivenUpError)
        assert all(isinstance(one, int) for one in ends[1:]), "what died beside it is done"
        assert (own.deaths, own.given_up()) == (2, ["_deadly"])
        with pytest.raises(GivenUpError):
            await own.read(_deadly, 2)
        assert own.deaths == 2, "it was not even tried"
        assert any("gave up _deadly" in one for one in caplog.messages)
        monkeypatch.setattr(giving_up, "REST_S", -1.0)
        assert own.given_up() == [], "an hour later it may be tried"


async def test_pages_show_the_last_figures_while_the_process_stands_still(
    city: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = OwnProcess(city.context.config)
    monkeypatch.setattr(figures, "MONTH_S", -1.0)
    monkeypatch.setattr(remember, "REST", 0)
    context = replace(city.context, apart=own)
    async with own.running(), served(build(context)) as base:
        before = (await get(f"{base}/industries?format=json")).json()
        await get(f"{base}/enterprises")
        await make_ahead(context)
        pid = await own.read(_pid)
        os.kill(pid, signal.SIGSTOP)
        scrapped = update(tables.status_rows).values(status="scrapped")
        city.database.run_now(lambda connection: connection.execute(scrapped))
        for path in (
            "/published",
            "/search?q=磨床",
            "/quality",
            "/",
            "/industries",
            "/enterprises",
        ):
            if path == "/":
                monkeypatch.setattr(remember, "SHOWN_S", -1.0)  # a night later
            answer = await get(f"{base}{path}", headers={"accept": "text/html"})
            assert answer.status_code == 200, path
        os.kill(pid, signal.SIGKILL)

        async def is_fresh() -> bool:
            return (await get(f"{base}/industries?format=json")).json() != before

        await until(is_fresh)


def test_an_error_arrives_whatever_its_class_takes() -> None:
    class OddError(Exception):
        def __init__(self, one: str, two: str) -> None:
            super().__init__(one + two)

    assert str(sent(OddError("a", "b"))) == "OddError: ab"
    assert isinstance(sent(ValueError("a")), ValueError)
