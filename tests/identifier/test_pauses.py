"""What says nothing of one identifier pauses the right thing, for the right time, and is told."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete
from starlette.responses import JSONResponse, PlainTextResponse, Response

from gateway.city.db.schema.identifiers import identifier, identifier_counter, identifier_outbox
from gateway.city.identifiers.registering.pausing import Pause, note_progress, pauses_now, resume
from gateway.core.days import HOUR_MS, SHANGHAI
from gateway.identifier.registering.registry import Outcome
from gateway.identifier.registering.snms.registry import Manner
from gateway.relational.database import Database
from tests.identifier.registering.test_snms import on_batch
from tests.support.node import served
from tests.support.registering import Clock, complete, counts, fill, made, states, work_off


def lasting(database: Database, now_ms: int) -> list[Pause]:
    return database.run_now(pauses_now, now_ms)


def refusing(answers: dict[str, Response], calls: list[str]) -> Any:
    """Batches of a prefix get an answer of their own."""

    def answer(body: list[Any]) -> Response | None:
        prefixes = {one["handle"].partition("/")[0] for one in body}
        calls.append(" ".join(sorted(prefixes)))
        said = [answers[one] for one in prefixes if one in answers]
        return said[0] if said else None

    return on_batch(answer)


def envelope(status: int, message: str) -> Response:
    return JSONResponse({"message": message, "status": status, "data": None})


async def test_a_used_up_quota_pauses_its_prefix_until_the_next_day(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(database, 6)
    clock, calls = Clock(), list[str]()
    answers = {"88.999.QZ00": envelope(-2, "该企业本日注册配额已用完")}
    async with (
        served(tmp_path, refusing(answers, calls)) as node,
        node.registry() as registry,
    ):
        one = made(database, registry, clock, batch=1)
        await work_off(one)
        (pause,) = lasting(database, clock.ms)
        assert (pause.prefix, pause.outcome) == ("88.999.QZ00", Outcome.QUOTA)
        until = datetime.fromtimestamp(pause.until_ms / 1000, SHANGHAI)
        assert f"{until:%Y-%m-%d %H:%M}" == "2026-11-19 00:05"
        asked = len(calls)
        clock.ms += HOUR_MS
        await work_off(one)
        assert len(calls) == asked, "nobody asks before the day is over"
        answers.clear()
        clock.ms = pause.until_ms
        await work_off(one)
        assert counts(database) == complete(6)
        assert lasting(database, clock.ms) == []
    said = [one.getMessage() for one in caplog.records]
    (begun,) = [one for one in said if "pauses until" in one]
    assert "identifiers of 88.999.QZ00 at SNMS node" in begun
    assert "2026-11-19 00:05:00: quota used up" in begun
    assert "本日注册配额已用完" in begun


async def test_who_is_not_permitted_waits_and_no_neighbour_does(
    database: Database, tmp_path: Path
) -> None:
    fill(database, 4)
    clock, calls = Clock(), list[str]()
    answers = {"88.999.QZ01": envelope(-3, "没有权限")}
    manner = Manner(batch=1)
    async with (
        served(tmp_path, refusing(answers, calls)) as node,
        node.registry(manner=manner) as registry,
    ):
        one = made(database, registry, clock)
        await work_off(one)
        assert counts(database).registered == 2
        assert [row[1] for row in states(database)] == ["done", "pending"] * 2
        (pause,) = lasting(database, clock.ms)
        assert (pause.prefix, pause.outcome) == ("88.999.QZ01", Outcome.DENIED)
        assert calls.count("88.999.QZ01") == 1, "one answer is enough for all of a prefix"
        answers.clear()
        clock.ms = pause.until_ms
        await work_off(one)
        assert counts(database) == complete(4)


async def test_a_refused_login_pauses_everything_and_a_restart_asks_at_once(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(database, 2)
    clock = Clock()
    async with served(tmp_path, clock_s=iter(range(0, 10**7, 3_600)).__next__) as node:
        # An hour goes by for the node between two logins, so that it slows down nobody.
        async with node.registry(secret="123456") as stranger:
            one = made(database, stranger, clock)
            waits = []
            for _ in range(3):
                await work_off(one)
                (pause,) = lasting(database, clock.ms)
                waits.append(pause.until_ms - clock.ms)
                clock.ms = pause.until_ms
        assert waits == [5_000, 10_000, 20_000]
        assert (pause.prefix, pause.outcome, pause.failures) == ("", Outcome.LOGIN, 3)
        assert {row[1] for row in states(database)} == {"pending"}
        clock.ms -= 1
        async with node.registry() as registry:
            again = made(database, registry, clock)
            await work_off(again)
            assert counts(database).registered == 0
            assert database.run_now(resume, clock.ms) == 1
            clock.ms += HOUR_MS
            await work_off(again)
        assert counts(database) == complete(2)
    (line,) = [one.getMessage() for one in caplog.records if "pauses" in one.getMessage()]
    assert "check the node's user name and secret, and the clock" in line
    assert "123456" not in line


def test_a_quota_of_yesterday_by_the_nodes_clock_does_not_cost_the_new_day(
    database: Database,
) -> None:
    early_ms = int(datetime(2026, 11, 19, 0, 5, tzinfo=SHANGHAI).timestamp() * 1000)
    used_up = Pause("88.999.QZ00", Outcome.QUOTA, "额度已用完")
    ((pause, has_begun),) = database.run_now(note_progress, [], [used_up], early_ms)
    assert (pause.until_ms, has_begun) == (early_ms + HOUR_MS, True)
    # Two workers that are told the same tell of it once.
    assert database.run_now(note_progress, [], [used_up], early_ms) == []


async def test_a_node_in_trouble_is_left_alone_for_longer_and_longer(
    database: Database, tmp_path: Path
) -> None:
    fill(database, 2)
    clock = Clock()
    answers: dict[str, Response] = dict.fromkeys(
        ("88.999.QZ00", "88.999.QZ01"), PlainTextResponse("", 504)
    )
    async with served(tmp_path, refusing(answers, [])) as node, node.registry() as registry:
        one = made(database, registry, clock)
        waits = []
        for _ in range(8):
            await work_off(one)
            (pause,) = lasting(database, clock.ms)
            waits.append(pause.until_ms - clock.ms)
            clock.ms += 300_000  # the entries wait as well
        assert waits == [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]
        answers.clear()
        await work_off(one)
        assert counts(database) == complete(2)
        assert lasting(database, 0) == []


async def test_an_identifier_that_exists_and_is_shown_to_nobody_is_given_up(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It was withdrawn at the node, and both database and file have forgotten it."""
    fill(database, 1)
    clock = Clock()
    async with served(tmp_path) as node, node.registry() as registry:
        first = "88.999.QZ00/451.20261118.000001"
        one = made(database, registry, clock)
        await work_off(made(database, registry, clock))
        assert counts(database) == complete(1)
        async with node.registry(manner=Manner(withdrawal="delete")) as deleting:
            held = (await registry.read(first)).record
            assert held is not None
            await deleting.withdraw([held], "by its operator")
        forgotten(database)
        for _ in range(9):
            await work_off(one)
            clock.ms += 130_000
        assert counts(database).registered == 1
        second = await registry.read("88.999.QZ00/451.20261118.000002")
        assert second.outcome is Outcome.OK
    assert "nobody's that is told" in caplog.text


def forgotten(database: Database) -> None:
    for table in (identifier_outbox, identifier, identifier_counter):
        database.run_now(lambda c, table=table: c.execute(delete(table)))  # type: ignore[misc]
