"""A node that forgets, mixes up or refuses: what is told again, when, and what a person must do."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.city.db.schema.identifiers import identifier_outbox
from gateway.city.db.tables import equipment_rows
from gateway.city.identifiers.entries import Verdict
from gateway.city.identifiers.issuing import IdentifierCounts, issue
from gateway.city.identifiers.outbox import claim, note_verdicts, queue_updates
from gateway.city.identifiers.registering import registrar
from gateway.city.ledger.listing import listed
from gateway.identifier.node.http import snms_face
from gateway.identifier.node.http.snms_bodies import write_detail
from gateway.identifier.node.registration import Registration
from gateway.identifier.record import Record, Value
from gateway.identifier.template import TYPES, equipment_values
from gateway.relational.database import Database
from tests.support.city_db import USCCS
from tests.support.node import NOW_MS, served
from tests.support.registering import (
    CONFIG,
    Action,
    Clock,
    complete,
    counts,
    fill,
    made,
    on_batch,
    rules,
    states,
    work_off,
)

DAY_MS = 24 * 3_600_000
FIRST = "88.999.QZ00/451.20261118.000001"


def foreign() -> Record:
    """What describes another enterprise's machine under our first handle."""
    texts = equipment_values({"equipName": "x", "enterpriseUscc": USCCS[4], "assetNo": "Z"})
    items = tuple(Value(index, TYPES[index], text) for index, text in texts.items())
    return Record(FIRST, CONFIG.template_version, items)


async def test_a_refused_entry_is_asked_for_again_a_day_later(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(database, 1)
    clock = Clock()
    async with served(tmp_path) as node, node.registry() as registry:
        one = made(database, registry, clock)
        await work_off(one)
        await registry.update([foreign()])
        assert database.run_now(queue_updates, {1}, NOW_MS) == 1
        with caplog.at_level(logging.WARNING, logger=registrar.__name__):
            await work_off(one)
        assert counts(database) == IdentifierCounts(1, 1, 1, 1, 1, 0)
        (row,) = database.run_now(listed, NOW_MS)
        assert (row["registration"], row["handle"]) == ("refused", FIRST)
        assert row["registration_error"] == "it describes another machine"
        assert [record.getMessage() for record in caplog.records] == [
            (
                f"the node refuses 1 identifiers, the first is {FIRST}: it describes another "
                "machine; they are asked for again in a day, or when the ledger changes"
            )
        ]
        node.forget()  # the node's operator corrects it
        await work_off(one)
        assert counts(database).refused == 1
        clock.ms += DAY_MS
        await work_off(one)
        assert counts(database) == complete(1)


async def test_a_refused_entry_is_asked_for_again_when_the_ledger_changes(
    database: Database, tmp_path: Path
) -> None:
    fill(database, 1)
    async with served(tmp_path) as node, node.registry() as registry:
        one = made(database, registry, Clock())
        await work_off(one)
        await registry.update([foreign()])
        database.run_now(queue_updates, {1}, NOW_MS)
        await work_off(one)
        assert counts(database).refused == 1
        node.forget()
        assert database.run_now(queue_updates, {1}, NOW_MS) == 1
        await work_off(one)
        assert counts(database) == complete(1)


def keep(monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], None]) -> None:
    """The node gives back something else than it was told."""

    def changed(held: Registration) -> Any:
        told = write_detail(held)
        marker, *items = told["value"]
        change(items)
        return told | {"value": [marker, *items]}

    monkeypatch.setattr(snms_face, "write_detail", changed)


def another_model(values: list[Any]) -> None:
    values[1]["data"]["value"] = "另一台"


def an_empty_item(values: list[Any]) -> None:
    values.append({"index": 2013, "type": "ratedParams", "data": {"format": "string", "value": ""}})


async def test_a_node_that_keeps_other_values_than_it_confirms_is_told_once_a_day(
    database: Database,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(database, 3)
    clock = Clock()
    async with served(tmp_path) as node, node.registry() as registry:
        keep(monkeypatch, another_model)
        one = made(database, registry, clock)
        await work_off(one)
        assert states(database) == [("repair", "pending", 0)] * 3
        clock.ms += 61_000
        for _ in range(20):
            await work_off(one)
            clock.ms += 600_000
        assert len(caplog.records) == 2, "when it was found, and when telling did not help"
        assert states(database) == [("repair", "refused", 0)] * 3
        error = database.run_now(lambda c: c.scalar(select(identifier_outbox.c.last_error)))
        assert error == "the node holds other values than it confirmed"
        assert (counts(database).registered, counts(database).resolved) == (3, 0)


async def test_empty_items_are_no_difference(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database, 1)
    async with served(tmp_path) as node, node.registry() as registry:
        keep(monkeypatch, an_empty_item)
        await work_off(made(database, registry, Clock()))
        assert counts(database) == complete(1)


async def test_a_machine_that_the_node_lost_is_registered_by_its_update(
    database: Database, tmp_path: Path
) -> None:
    fill(database, 2)
    async with served(tmp_path) as node, node.registry() as registry:
        one = made(database, registry, Clock())
        await work_off(one)
        node.forget(FIRST)
        database.run_now(lambda c: c.execute(update(equipment_rows).values(model="M2")))
        assert database.run_now(queue_updates, {1, 2}, NOW_MS) == 2
        await work_off(one)
        assert counts(database) == complete(2)
        held = (await registry.read(FIRST)).record
        assert held is not None
        assert held.values[1].text == "M2"


async def test_one_entry_of_a_batch_does_not_keep_the_others_from_the_node(
    database: Database, tmp_path: Path
) -> None:
    fill(database, 7)
    sizes: list[int] = []

    def picky(app: ASGIApp) -> Action:
        async def action(scope: Scope, receive: Receive, send: Send) -> None:
            message = await receive()
            handles = [one["handle"] for one in json.loads(message["body"])]
            sizes.append(len(handles))
            if FIRST in handles:
                await refusal("系统不支持该标识")(scope, receive, send)
            else:
                await app(scope, iter_once(message), send)

        return action

    async with served(tmp_path, on_batch(picky)) as node, node.registry() as registry:
        await work_off(made(database, registry, Clock()))
        assert node.count() == 6
    assert sizes == [7, 3, 1, 2, 4]
    assert (counts(database).registered, counts(database).refused) == (6, 1)
    error = database.run_now(lambda c: c.scalar(select(identifier_outbox.c.last_error)))
    assert "系统不支持该标识 (code -2)" in str(error)


def refusal(message: str) -> JSONResponse:
    return JSONResponse({"message": message, "status": -2, "data": None})


def iter_once(message: Any) -> Receive:
    """Give a message that was read already to the next reader."""

    async def receive() -> Any:
        return message

    return receive


def busy_once(app: ASGIApp) -> Action:
    """The node is too busy for the items of its first batch."""
    left = [1]

    async def action(scope: Scope, receive: Receive, send: Send) -> None:
        if not left[0]:
            await app(scope, receive, send)
            return
        left[0] = 0
        items = [{"handle": one["handle"], "msg": "系统繁忙"} for one in await bodies(receive)]
        answer = JSONResponse({"message": "成功", "status": 1, "data": items})
        await answer(scope, receive, send)

    return action


async def bodies(receive: Receive) -> list[Any]:
    return list(json.loads((await receive())["body"]))


async def test_what_the_node_is_too_busy_for_is_asked_for_again_soon(
    database: Database, tmp_path: Path
) -> None:
    fill(database, 2)
    clock = Clock()
    async with served(tmp_path, on_batch(busy_once)) as node, node.registry() as registry:
        one = made(database, registry, clock)
        await work_off(one)
        assert states(database) == [("register", "pending", 1)] * 2
        clock.ms += 2_000
        await work_off(one)
        assert counts(database) == complete(2)


def test_a_change_while_the_node_is_told_is_told_too(database: Database) -> None:
    fill(database, 2)
    database.run_now(issue, rules(), NOW_MS, 100)
    claimed = database.run_now(claim, NOW_MS, 100)
    assert database.run_now(claim, NOW_MS, 100) == [], "another worker leaves them alone"
    database.run_now(lambda c: c.execute(update(equipment_rows).values(model="M2")))
    assert database.run_now(queue_updates, {1}, NOW_MS) == 1
    database.run_now(note_verdicts, [Verdict(one, "done") for one in claimed], NOW_MS)
    assert states(database) == [("register", "pending", 0), ("register", "done", 1)]
    (again,) = database.run_now(claim, NOW_MS, 100)
    assert (again.machine, again.texts["equipModel"]) == (1, "M2")


def test_after_a_kill_claimed_entries_are_due_again(database: Database) -> None:
    fill(database, 2)
    database.run_now(issue, rules(), NOW_MS, 100)
    database.run_now(claim, NOW_MS, 100)
    assert database.run_now(claim, NOW_MS + 119_000, 100) == []
    assert [one.attempts for one in database.run_now(claim, NOW_MS + 121_000, 100)] == [2, 2]
