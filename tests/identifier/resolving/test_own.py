"""A machine of the city resolves from the city's own ledger; many codes, as they are typed."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner

from gateway.city.db.schema.identifiers import identifier
from gateway.city.db.tables import status_rows
from gateway.city.identifiers.own import OwnLedger
from gateway.city.ledger.codes import WITHDRAWN
from gateway.cli.main import build
from gateway.identifier.codes.handle import Handle
from gateway.identifier.codes.oid import Oid
from gateway.identifier.resolving.answer import Outcome
from gateway.relational.database import Database, connect
from tests.console.town import town
from tests.support.city import city_file


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("town")
    asyncio.run(fill(made))
    city_file(made, "127.0.0.1:1", identifier={"prefix": "88.999"})
    return made


async def fill(made: Path) -> None:
    async with town(made) as city:
        gone = update(identifier).where(identifier.c.equipment_id == 1).values(registered_ms=None)
        mistake = (
            update(status_rows).where(status_rows.c.equipment_id == 3).values(status=WITHDRAWN)
        )
        city.database.run_now(lambda connection: connection.execute(gone))
        city.database.run_now(lambda connection: connection.execute(mistake))


@pytest.fixture
def database(folder: Path) -> Iterator[Database]:
    opened = connect("sqlite:///city.db", folder)
    yield opened
    opened.close()


def handles(database: Database) -> list[str]:
    query = select(identifier.c.handle).order_by(identifier.c.equipment_id)
    return database.run_now(lambda connection: list(connection.scalars(query)))


async def test_what_a_node_has_confirmed_is_our_own(database: Database) -> None:
    unconfirmed, confirmed, withdrawn, *_ = map(Handle.parse, handles(database))
    own = OwnLedger(database, "88.999")
    found = await own.ask(Handle(confirmed.prefix.lower(), confirmed.suffix))
    texts = {one.type: one.text for one in found.items}
    assert (found.outcome, found.is_own) == (Outcome.FOUND, True)
    assert {"equipName", "enterpriseUscc", "assetNo"} <= texts.keys()
    assert (await own.ask(unconfirmed)).outcome is Outcome.NOT_RESPONSIBLE
    taken_back = await own.ask(withdrawn)
    assert (taken_back.outcome, "by mistake" in taken_back.why) == (Outcome.NOT_FOUND, True)
    assert not own.takes(Handle("88.9990.QZ01", "1"))
    assert not own.takes(Oid.parse("1.2.156.1"))


async def test_a_ledger_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    empty = connect("sqlite:///none.db", tmp_path)
    answer = await OwnLedger(empty, "88.999").ask(Handle("88.999.QZ01", "1"))
    empty.close()
    assert answer.outcome is Outcome.UNREACHABLE
    assert "no such table" in answer.why


def test_many_lines_are_resolved_and_counted(folder: Path, database: Database) -> None:
    unconfirmed, confirmed, *_ = handles(database)
    codes = folder / "codes.txt"
    codes.write_text(f"\ufeffhdl:{confirmed}\r\n\n{unconfirmed}\n6901234567893\n", "utf-8")
    arguments = ["id", "resolve", "--config", str(folder / "city.yaml")]
    runner = CliRunner(env={"COLUMNS": "220"})
    many = runner.invoke(build(["id"]), [*arguments, str(codes)])
    piped = runner.invoke(build(["id"]), [*arguments, "-", "--json"], input=f"{confirmed}\n")
    one = runner.invoke(build(["id"]), [*arguments, confirmed, "--trace"])
    lacking = runner.invoke(build(["id"]), [*arguments, str(folder / "city.db")])
    assert many.exit_code == 1, many.output
    rows = [line.split("\t") for line in many.stdout.splitlines()]
    assert [row[1:3] for row in rows] == [
        ["found", "own ledger (own)"],
        ["unreachable", ""],
        ["invalid", ""],
    ]
    assert "equipName=" in rows[0][3]
    assert "50.0%" in many.stderr
    assert (piped.exit_code, json.loads(piped.stdout)["is_own"]) == (0, True)
    assert (one.exit_code, "own ledger (own)" in one.stdout) == (0, True)
    assert (lacking.exit_code, "cannot read" in lacking.stderr) == (1, True)
