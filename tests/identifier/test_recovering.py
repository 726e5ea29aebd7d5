"""City's database and file of issued identifiers are lost: the node knows who has which."""

import logging
import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from sqlalchemy import select
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.city.db.schema.identifiers import identifier
from gateway.city.db.tables import equipment
from gateway.city.identifiers.contents import record_of
from gateway.city.identifiers.issued import IssuedFile
from gateway.city.identifiers.registering import pausing
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.withdrawal import withdraw_machine
from gateway.core.days import DAY_MS, day_of
from gateway.identifier.node.http.snms_face import LISTING
from gateway.identifier.record import Record
from gateway.identifier.registering.marking import is_marked
from gateway.identifier.registering.registry import Outcome, Registry
from gateway.identifier.registering.snms.meanings import Paths
from gateway.identifier.registering.snms.registry import Manner
from gateway.identifier.template import TEMPLATE_ITEMS
from gateway.relational.database import Database
from tests.support.city_db import USCCS, sqlite_city
from tests.support.node import NOW_MS, served
from tests.support.registering import (
    CONFIG,
    MACHINES,
    Clock,
    Wrap,
    complete,
    counts,
    fill,
    made,
    new_file,
    rules,
    work_off,
)

LISTS = Manner(paths=Paths(listing=LISTING))


def given(database: Database) -> dict[str, str]:
    """Identifier of each machine, by its number."""
    query = select(equipment.c.asset_no, identifier.c.handle).join(
        identifier, identifier.c.equipment_id == equipment.c.id
    )
    return database.run_now(lambda c: {row.asset_no: row.handle for row in c.execute(query)})


def another_day() -> Clock:
    clock = Clock()
    clock.ms += 3 * DAY_MS
    return clock


def anew(folder: Path, machines: int = MACHINES) -> Database:
    """A city whose database is lost, and whose ledger was imported again."""
    database = sqlite_city(folder)
    fill(database, machines)
    return database


async def test_all_is_lost_but_the_node(tmp_path: Path) -> None:
    first, second, clock = anew(tmp_path / "1"), anew(tmp_path / "2"), another_day()
    async with (
        served(tmp_path, now_ms=clock) as node,
        node.registry(manner=LISTS, today=lambda: day_of(clock())) as registry,
    ):
        await work_off(made(first, registry, Clock()))
        before = given(first)
        await work_off(made(second, registry, clock))
        assert given(second) == before
        assert node.count() == MACHINES
        assert counts(second) == complete()


@pytest.mark.parametrize("is_file_left", [True, False])
@pytest.mark.parametrize("withdrawal", ["mark", "delete"])
async def test_a_machine_whose_identifier_was_withdrawn_gets_no_second_one(
    tmp_path: Path, withdrawal: Literal["mark", "delete"], is_file_left: bool
) -> None:
    """It is back in the ledger: a mark is taken off; what is deleted for ever needs a person."""
    first, second, clock = anew(tmp_path / "1", 2), anew(tmp_path / "2", 2), another_day()
    name, issued = MachineName(USCCS[0], "1", "A000"), new_file()
    async with (
        served(tmp_path, now_ms=clock) as node,
        node.registry(
            manner=replace(LISTS, withdrawal=withdrawal), today=lambda: day_of(clock())
        ) as registry,
    ):
        one = made(first, registry, Clock(), rules(issued=issued))
        await work_off(one)
        before = given(first)
        first.run_now(withdraw_machine, name, "录错了", NOW_MS)
        await work_off(one)
        held = (await registry.read(before["A000"])).record
        assert held is None or is_marked(held)
        again = made(second, registry, clock, rules(issued=issued if is_file_left else new_file()))
        for _ in range(9):
            await work_off(again)
            clock.ms += 301_000
        assert given(second) == before
        record = (await registry.read(before["A000"])).record
    if withdrawal == "mark":
        assert record is not None
        assert not is_marked(record)
        assert counts(second) == complete(2)
    else:
        assert record is None
        assert (counts(second).registered, counts(second).refused) == (1, 1)


async def test_of_a_withdrawn_and_a_living_identifier_the_living_one_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = anew(tmp_path / "1", 1)
    withdrawn, living = (f"88.999.QZ00/451.202601{day}.000001" for day in ("03", "04"))
    async with served(tmp_path) as node, node.registry(manner=LISTS) as registry:
        records = await prepared(database, registry, (withdrawn, living))
        assert [one.outcome for one in await registry.create(records)] == [Outcome.OK] * 2
        await registry.withdraw(records[:1], "given twice")
        with caplog.at_level(logging.WARNING):
            await work_off(made(database, registry, Clock()))
    assert given(database)["A000"] == living
    assert "for one machine" not in caplog.text


def listing_answers(response: Response, left: list[int]) -> Wrap:
    """Listing answers this instead, as often as ``left`` says."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def faulty(scope: Scope, receive: Receive, send: Send) -> None:
            is_struck = scope.get("path") == LISTING and left[0] > 0
            left[0] -= is_struck
            await (response if is_struck else app)(scope, receive, send)

        return faulty

    return wrap


async def test_nothing_is_issued_while_the_node_cannot_be_asked(tmp_path: Path) -> None:
    database, clock, left = anew(tmp_path / "1"), Clock(), [4]
    away = listing_answers(PlainTextResponse("bad gateway", 502), left)
    async with served(tmp_path, away) as node, node.registry(manner=LISTS) as registry:
        one = made(database, registry, clock)
        while left[0]:
            await one.step()
            assert given(database) == {}
            assert database.run_now(pausing.pauses_now, clock())
            clock.ms += 61_000
        await work_off(one)
        assert counts(database) == complete()
        assert database.run_now(pausing.pauses_now, clock()) == []


async def test_a_node_without_the_listing_that_is_configured_holds_nothing_back_for_ever(
    tmp_path: Path,
) -> None:
    database, clock, left = anew(tmp_path / "1"), Clock(), [1_000]
    without = listing_answers(PlainTextResponse("not found", 404), left)
    async with served(tmp_path, without) as node, node.registry(manner=LISTS) as registry:
        one = made(database, registry, clock)
        await one.step()
        assert given(database) == {}  # a proxy may have said it
        for _ in range(2):
            clock.ms += 61_000
            await one.step()
        await work_off(one)
        assert counts(database) == complete()
        assert database.run_now(pausing.pauses_now, clock()) == []
        assert left[0] == 1_000 - 2 * 3  # three times for each of two prefixes, and no more


async def test_a_node_that_cannot_list_is_not_asked(tmp_path: Path) -> None:
    database = anew(tmp_path / "1")
    async with served(tmp_path) as node, node.registry() as registry:
        await work_off(made(database, registry, Clock()))
        assert counts(database) == complete()
        assert (await registry.listed("88.999.QZ00")).outcome is not Outcome.OK


async def prepared(database: Database, registry: Registry, handles: Iterable[str]) -> list[Record]:
    """Records of the machine A000, and their template at the node."""
    version = CONFIG.template_version
    await registry.ensure_template("88.999.QZ00", version, TEMPLATE_ITEMS)
    query = select(equipment.c.site_no).where(equipment.c.asset_no == "A000")
    texts = {"enterpriseUscc": USCCS[0], "assetNo": "A000"}
    texts |= {"location": database.run_now(lambda c: c.scalar(query)) or ""}
    texts |= {"equipName": "n", "equipModel": "m", "manufacturer": "f", "serialNo": "s"}
    return [record_of(handle, texts, version) for handle in handles]


async def test_of_two_identifiers_of_a_machine_the_older_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = anew(tmp_path / "1")
    older, later = (f"88.999.QZ00/451.202601{day}.000001" for day in ("03", "04"))
    async with served(tmp_path) as node, node.registry(manner=LISTS) as registry:
        one = made(database, registry, Clock())
        results = await registry.create(await prepared(database, registry, (later, older)))
        assert [r.outcome for r in results] == [Outcome.OK] * 2, results
        with caplog.at_level(logging.WARNING):
            await work_off(one)
    assert given(database)["A000"] == older
    assert caplog.text.count(f"the node has {older} and {later} for one machine") == 1


def test_a_file_in_use_counts_as_asked(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "issued.db") as db:
        db.executescript(
            "CREATE TABLE issued (handle_key TEXT PRIMARY KEY, handle TEXT NOT NULL, uscc TEXT NOT"
            " NULL, site_key TEXT NOT NULL, asset_key TEXT NOT NULL, issued_ms INTEGER NOT NULL)"
            " STRICT, WITHOUT ROWID; PRAGMA user_version=1;"
            "INSERT INTO issued VALUES ('88.999.QZ00/A', '88.999.QZ00/a', 'u', 's', 'a', 1);"
        )
    issued = IssuedFile(tmp_path / "issued.db")
    assert issued.was_asked("88.999.qz00")
    assert not issued.was_asked("88.999.QZ01")
    issued.close()
