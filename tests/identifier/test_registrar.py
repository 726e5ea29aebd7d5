"""Every machine is registered exactly once, whatever happens on the way."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from edge_config.models.base import SecretUnavailableError
from edge_config.models.identifiers.suffix import SuffixPattern
from gateway.city.db.schema.identifiers import identifier, identifier_counter, identifier_outbox
from gateway.city.db.tables import enterprise, equipment, equipment_rows
from gateway.city.identifiers.issued import IssuedFile
from gateway.city.identifiers.issuing import IdentifierCounts, identifier_counts, issue
from gateway.city.identifiers.outbox import queue_updates
from gateway.city.identifiers.registering import pausing, registrar
from gateway.city.ledger.importer import import_files
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.renaming import rename_machine
from gateway.core.days import day_of
from gateway.identifier.calling import Caller
from gateway.identifier.codes.handle import Handle
from gateway.identifier.record import Record, Value
from gateway.identifier.registering.snms.registry import SnmsRegistry
from gateway.identifier.template import EQUIPMENT_ITEMS, TYPES, equipment_values
from gateway.relational.database import Database
from tests.support.city_db import USCCS, add_machine, sqlite_city
from tests.support.node import NOW_MS, ServedNode, served
from tests.support.registering import (
    CONFIG,
    MACHINES,
    Action,
    Clock,
    Wrap,
    complete,
    counts,
    fill,
    gateway_timeouts,
    made,
    new_file,
    nowhere,
    on_batch,
    rules,
    states,
    work_off,
)
from tests.support.waiting import until


async def test_every_machine_is_assigned_registered_and_resolved(
    database: Database, tmp_path: Path
) -> None:
    fill(database)
    async with served(tmp_path) as node, node.registry() as registry:
        await work_off(made(database, registry, Clock()))
        assert counts(database) == complete()
        assert node.count() == MACHINES
    handles = database.run_now(lambda c: list(c.scalars(select(identifier.c.handle))))
    assert len(set(handles)) == MACHINES
    assert "88.999.QZ00/451.20261118.000001" in handles
    assert "88.999.QZ01/451.20261118.000010" in handles
    assert all(Handle.parse(one).national for one in handles)
    assert set(states(database)) == {("register", "done", 1)}


async def test_a_machine_of_an_enterprise_without_a_code_waits_for_it(
    database: Database, tmp_path: Path
) -> None:
    fill(database, 2)
    database.run_now(
        lambda c: c.execute(
            update(enterprise).where(enterprise.c.uscc == USCCS[1]).values(identifier_code=None)
        )
    )
    async with served(tmp_path) as node, node.registry() as registry:
        one = made(database, registry, Clock())
        await work_off(one)
        assert counts(database) == IdentifierCounts(2, 1, 1, 1, 0, 1)
        database.run_now(
            lambda c: c.execute(
                update(enterprise).where(enterprise.c.uscc == USCCS[1]).values(identifier_code="B")
            )
        )
        await work_off(one)
        assert counts(database) == complete(2)


def test_numbers_are_never_used_again_and_the_counter_is_durable(database: Database) -> None:
    fill(database, 6)
    assert database.run_now(issue, rules(), NOW_MS, 4) == 4
    database.run_now(lambda c: c.execute(delete(identifier_outbox)))
    database.run_now(lambda c: c.execute(delete(identifier)))
    assert database.run_now(issue, rules(), NOW_MS, 100) == 6
    handles = database.run_now(lambda c: set(c.scalars(select(identifier.c.handle))))
    assert {one[-6:] for one in handles} == {"000003", "000004", "000005"}
    counters = database.run_now(lambda c: list(c.scalars(select(identifier_counter.c.next))))
    assert counters == [6, 6]


def test_a_collision_with_an_older_pattern_is_passed_over(database: Database) -> None:
    fill(database, 2)
    pattern = SuffixPattern.parse("{class}{seq}")
    database.run_now(lambda c: c.execute(update(equipment_rows).values(category="a")))
    database.run_now(issue, rules(pattern), NOW_MS, 100)
    taken = update(identifier).values(handle=identifier.c.handle + "x", handle_key="88.999.QZ00/B2")
    database.run_now(lambda c: c.execute(taken.where(identifier.c.equipment_id == 1)))
    machine = database.run_now(lambda c: add_machine(c, USCCS[0], "A9", category="b"))
    database.run_now(issue, rules(pattern), NOW_MS, 100)
    query = select(identifier.c.handle).where(identifier.c.equipment_id == machine)
    assert database.run_now(lambda c: c.scalar(query)) == "88.999.QZ00/b3"


async def test_504_leaves_the_outcome_unknown_and_is_read_back(
    database: Database, tmp_path: Path
) -> None:
    fill(database, 5)
    clock = Clock()
    async with served(tmp_path, gateway_timeouts([1])) as node, node.registry() as registry:
        one = made(database, registry, clock)
        await work_off(one)
        assert states(database) == [("register", "unknown", 1)] * 5
        assert node.count() == 5
        await work_off(one)
        assert counts(database).registered == 0, "waits before it asks again"
        clock.ms += 2_000
        await work_off(one)
        assert counts(database) == complete(5)
        assert states(database) == [("register", "done", 2)] * 5
        assert node.count() == 5


async def test_a_ledger_that_changed_while_the_outcome_was_unknown(
    database: Database, tmp_path: Path
) -> None:
    fill(database, 3)
    clock = Clock()
    async with served(tmp_path, gateway_timeouts([1])) as node, node.registry() as registry:
        one = made(database, registry, clock)
        await work_off(one)
        database.run_now(lambda c: c.execute(update(equipment_rows).values(name="新名")))
        clock.ms += 2_000
        await work_off(one)
        assert counts(database) == complete(3)
        held = (await registry.read("88.999.QZ00/451.20261118.000001")).record
        assert held is not None
        assert held.values[0].text == "新名"


async def test_a_handle_that_describes_the_machine_by_its_old_number_is_updated(
    database: Database, tmp_path: Path
) -> None:
    """The node heard of it, its answer was lost, and the machine was renamed meanwhile."""
    fill(database, 1)
    query = select(equipment.c.uscc, equipment.c.site_no, equipment.c.asset_no)
    old = MachineName(*database.run_now(lambda c: c.execute(query).one()))
    texts = {"equipName": "x", "enterpriseUscc": old.uscc, "assetNo": old.asset_no}
    items = tuple(Value(at, TYPES[at], text) for at, text in equipment_values(texts).items())
    record = Record("88.999.QZ00/451.20261118.000001", CONFIG.template_version, items)
    new = MachineName(old.uscc, old.site_no, "NEW-1")
    database.run_now(rename_machine, old, new, NOW_MS)
    async with served(tmp_path) as node, node.registry() as registry:
        await registry.ensure_template("88.999.QZ00", CONFIG.template_version, EQUIPMENT_ITEMS)
        await registry.create([record])
        await work_off(made(database, registry, Clock()))
        assert counts(database) == complete(1)


async def test_a_changed_machine_is_updated_and_resolved_again(
    database: Database, tmp_path: Path
) -> None:
    fill(database, 2)
    async with served(tmp_path) as node, node.registry() as registry:
        one = made(database, registry, Clock())
        await work_off(one)
        database.run_now(lambda c: c.execute(update(equipment_rows).values(model="M2")))
        assert database.run_now(queue_updates, {1, 2, 99}, NOW_MS) == 2
        await work_off(one)
        held = (await registry.read("88.999.QZ01/451.20261118.000001")).record
        assert held is not None
        assert held.values[1].text == "M2"
        assert states(database) == [("update", "done", 1)] * 2


async def test_what_the_node_lost_or_mixed_up_is_told_again(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(database, 3)
    clock = Clock()
    async with served(tmp_path) as node, node.registry() as registry:
        one = made(database, registry, clock)
        await work_off(one)
        node.forget("88.999.QZ01/%")
        database.run_now(lambda c: c.execute(update(equipment_rows).values(maker="另一家")))
        clock.ms += 25 * 3_600_000
        with caplog.at_level(logging.WARNING):
            await work_off(one)
        assert node.count() == 2
        clock.ms += 61_000
        await work_off(one)
        assert node.count() == 3
        resolved = database.run_now(identifier_counts, clock.ms).resolved
        assert (counts(database).refused, resolved) == (0, 3)


async def test_two_workers_of_one_city_give_every_machine_one_identifier(
    database: Database, tmp_path: Path
) -> None:
    """Both issue at the same time; who comes second tries again instead of ending its worker."""
    fill(database)
    async with served(tmp_path) as node, node.registry() as registry:
        runs = [
            registrar.run(database, registry, CONFIG, new_file(), running_clock()) for _ in range(3)
        ]
        tasks = [asyncio.create_task(run) for run in runs]
        try:
            async with asyncio.timeout(30):
                while counts(database) != complete():
                    assert not any(task.done() for task in tasks)
                    await asyncio.sleep(0.05)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        assert node.count() == MACHINES
        assert set(states(database)) == {("register", "done", 1)}, "no entry was told twice"


ENTERPRISES = """统一社会信用代码,企业名称,县（市、区）,行业代码,规上,标识企业代码
91330822MA0000015W,常山虚构轴承有限公司,常山县,3451,是,qz01
"""
MACHINE = """统一社会信用代码,资产编号,设备名称,设备类别,状态
91330822MA0000015W,A-001,数控磨床,生产设备,在用
"""


async def test_an_import_ends_the_wait_for_work(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The registrar has found nothing and would wait for an hour: a command changes the ledger."""
    pauses: list[int] = []

    def an_hour(failures: int, *_limits: int) -> int:
        pauses.append(failures)
        return 3_600_000

    monkeypatch.setattr(registrar, "backoff_ms", an_hour)
    monkeypatch.setattr(registrar, "_IDLE_MS", 50)
    enterprises, machines = tmp_path / "enterprises.csv", tmp_path / "equipment.csv"
    enterprises.write_text(ENTERPRISES, encoding="utf-8")
    machines.write_text(MACHINE, encoding="utf-8")
    async with served(tmp_path) as node, node.registry() as registry:
        task = asyncio.create_task(
            registrar.run(database, registry, CONFIG, new_file(), running_clock())
        )
        try:
            async with asyncio.timeout(30):
                await until(lambda: bool(pauses))
                database.run_now(import_files, (enterprises, machines), NOW_MS)
                await until(lambda: counts(database) == complete(1))
            assert not task.done()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_a_node_that_is_away_is_logged_once_and_waited_for(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(database, 2)
    async with served(tmp_path, unavailable(2)) as node, node.registry() as live:
        with caplog.at_level(logging.INFO, logger=pausing.__name__):
            task = asyncio.create_task(
                registrar.run(database, live, CONFIG, new_file(), running_clock())
            )
            try:
                async with asyncio.timeout(30):
                    while counts(database) != complete(2) or len(caplog.records) < 2:
                        assert not task.done()
                        await asyncio.sleep(0.05)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
    begun, ended = [record.getMessage() for record in caplog.records]
    assert "pauses until 2026-11-18" in begun
    assert "busy" in begun
    assert ended.endswith("goes on")
    assert node.credentials.secret not in caplog.text


async def test_a_password_that_is_away_for_a_while_is_waited_for(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its file is being replaced: the city goes on."""
    fill(database, 2)
    async with served(tmp_path) as node:
        given: list[str] = []

        def secret() -> str:
            given.append("asked")
            if len(given) == 1:
                raise SecretUnavailableError("the secret in file node.key is missing or empty")
            return node.credentials.secret

        caller = Caller(node.url, 10)
        own = node.credentials.username
        registry = SnmsRegistry(caller, own, secret, lambda: day_of(NOW_MS))
        shift = iter(range(0, 10**9, 130_000))  # what was in hand is due again each time
        run = registrar.run(database, registry, CONFIG, new_file(), lambda: NOW_MS + next(shift))
        async with asyncio.timeout(30):
            with caplog.at_level(logging.INFO, logger=registrar.__name__):
                task = asyncio.create_task(run)
                while counts(database) != complete(2):
                    assert not task.done()
                    await asyncio.sleep(0.05)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        await registry.close()
    assert "the secret in file node.key is missing or empty" in caplog.text


def running_clock() -> Callable[[], int]:
    """A clock that begins at ``NOW_MS`` and runs."""
    start = time.monotonic()
    return lambda: NOW_MS + int((time.monotonic() - start) * 1000)


def unavailable(times: int) -> Wrap:
    """The node answers 503, so often, to whatever is asked."""
    left = [times]

    def wrap(app: ASGIApp) -> ASGIApp:
        async def faulty(scope: Scope, receive: Receive, send: Send) -> None:
            left[0] -= 1
            answer = app if left[0] < 0 else PlainTextResponse("", 503)
            await answer(scope, receive, send)

        return faulty

    return wrap


CHILD = """
import asyncio, sys
from pathlib import Path
from edge_config.models.city import IdentifierConfig
from gateway.city.identifiers.issued import IssuedFile
from gateway.city.identifiers.registering.registrar import run
from gateway.core.days import day_of
from gateway.identifier.node.credentials import node_credentials
from gateway.identifier.calling import Caller
from gateway.identifier.registering.snms.registry import SnmsRegistry
from gateway.relational.database import connect

async def main(folder, url, now_ms):
    own = node_credentials(folder)
    registry = SnmsRegistry(Caller(url, 10), own.username, lambda: own.secret,
                            lambda: day_of(now_ms))
    config = IdentifierConfig(prefix="88.999", batch=7, review_hours=0)
    issued = IssuedFile(folder / "issued.db")
    city = connect("sqlite:///city.db", folder / "city")
    await run(city, registry, config, issued, lambda: now_ms)

asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
"""


CLAIM_MS = 121_000
"""After so long, what a predecessor had in hand is due again."""


def killing(moments: list[str], children: list["subprocess.Popen[bytes]"]) -> Wrap:
    """Kill -9 the caller of a batch before the node works, or after it has, before it answers."""

    def action(app: ASGIApp) -> Action:
        async def deadly(scope: Scope, receive: Receive, send: Send) -> None:
            moment = moments.pop(0) if moments else ""
            if moment == "before":
                children[-1].send_signal(signal.SIGKILL)
            elif moment == "after":
                await app(scope, receive, nowhere)
                children[-1].send_signal(signal.SIGKILL)
            if not moment:
                await app(scope, receive, send)

        return deadly

    return on_batch(action)


async def test_kill_9_between_call_and_commit_registers_each_machine_once(tmp_path: Path) -> None:
    database = sqlite_city(tmp_path / "city")
    fill(database)
    moments, children = ["after", "before", "after"], list["subprocess.Popen[bytes]"]()
    async with served(tmp_path, killing(moments, children)) as node:
        for number in range(3):
            child = start_child(tmp_path, node, number)
            children.append(child)
            assert await asyncio.to_thread(child.wait, 30) == -signal.SIGKILL
        assert node.count() > counts(database).registered
        clock = Clock()
        clock.ms += 3 * CLAIM_MS
        async with node.registry() as registry:  # the last one lives, as well in this process
            by = rules(issued=IssuedFile(tmp_path / "issued.db"))
            await work_off(made(database, registry, clock, by))
            by.issued.close()
        assert counts(database) == complete()
        assert node.count() == MACHINES
    assert moments == []
    assert {state for _, state, _ in states(database)} == {"done"}
    assert len(states(database)) == MACHINES
    database.close()


def start_child(folder: Path, node: ServedNode, number: int) -> "subprocess.Popen[bytes]":
    """A registrar that begins when what its predecessor had in hand is due again."""
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), node.url, str(NOW_MS + number * CLAIM_MS)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": "."},
        stderr=subprocess.DEVNULL,
    )


async def test_a_node_that_nobody_reaches(tmp_path: Path) -> None:
    database = sqlite_city(tmp_path)
    fill(database, 1)
    clock = Clock()
    async with served(tmp_path) as node:
        own = node.registry()
    async with own as registry:
        await work_off(made(database, registry, clock))
    assert states(database) == [("register", "pending", 1)]
    database.close()
