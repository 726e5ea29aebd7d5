"""A month is counted only from a copy that is complete and says what the city says."""

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, delete
from typer.testing import CliRunner

from edge_config.models.base import Secret
from gateway.city.access.audit import Action, entries
from gateway.city.db.tables import evidence
from gateway.city.erasing.beside import erase_beside
from gateway.city.erasing.telling import ErasureError
from gateway.city.ledger.bitemporal.acts import Doing, Kind, conclude
from gateway.city.ledger.bitemporal.acts import begin as begin_act
from gateway.city.rates.attendance import Window
from gateway.city.rates.compute import Period
from gateway.city.rates.days.calendar import Calendar
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.engines import compiling
from gateway.city.rates.engines.clickhouse import ClickHouse, definitions_of
from gateway.city.rates.engines.compiling import ELSEWHERE, SAID, Question
from gateway.city.rates.engines.copies import Copies
from gateway.city.rates.engines.counting import CopiedMonths
from gateway.city.rates.engines.duck import Duck
from gateway.city.rates.engines.engine import EngineError, NotSayableError
from gateway.city.rates.engines.gathering import Columns
from gateway.city.rates.engines.store import Store
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.model import Definition
from gateway.city.rates.tallies import tallies_of
from gateway.cli.main import build
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.support.city import city_config, city_file
from tests.support.city_db import (
    USCCS,
    add_days,
    add_enterprise,
    add_machine,
    change_evidence,
    days_between,
    sqlite_city,
)
from tests.support.clickhouse import PASSWORD
from tests.support.peers import free_port

OCTOBER = days_between(date(2026, 10, 1), date(2026, 10, 31))
NOW_MS = day_start_ms(date(2026, 11, 3))
INQUIRY = Inquiry(
    builtin_definitions()["ENR-A"],
    Period("2026-10", OCTOBER[0], OCTOBER[-1]),
    NOW_MS,
    demonstration=False,
)
ALL_DAYS = replace(INQUIRY, definition=builtin_definitions()["ENR-B"])


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Database]:
    """Two machines that send, and one that does not."""

    def fill(connection: Connection) -> None:
        add_enterprise(connection, USCCS[0])
        for number in ("A", "B", "C"):
            machine = add_machine(connection, USCCS[0], number)
            add_days(connection, machine, OCTOBER if number != "C" else ())

    made = sqlite_city(tmp_path)
    made.run_now(fill)
    yield made
    made.close()


def counts(city: Database, store: Store, *inquiries: Inquiry, sends: bool = False) -> list[tuple]:
    engine = CopiedMonths(Copies(store, "330800"), sends=sends)
    found = city.read_now(tallies_of, inquiries or (INQUIRY,), engine=engine)
    return [(one.networked, one.equipment) for tallies, _ in found for one in tallies]


def send(city: Database, store: Store, *inquiries: Inquiry) -> None:
    city.read_now(Copies(store, "330800").send, inquiries or (INQUIRY, ALL_DAYS))


def late_data(connection: Connection) -> None:
    change_evidence(connection, delete(evidence).where(evidence.c.day == OCTOBER[5]))


def act(connection: Connection) -> None:
    doing = Doing(Kind.STOPS, "", "", NOW_MS)
    conclude(connection, begin_act(connection, doing), doing)


@pytest.mark.parametrize(
    ("change", "why"),
    [(late_data, "evidence has come"), (act, "the ledger has changed")],
)
def test_an_old_copy_is_refused_or_sent_anew(
    city: Database, duck: Store, change: Callable[[Connection], None], why: str
) -> None:
    send(city, duck)
    assert counts(city, duck) == [(2, 3)]
    assert counts(city, duck, ALL_DAYS) == [(2, 3)]
    city.run_now(change)
    with pytest.raises(EngineError, match=f"since {why}; run: qulink rates engine send 2026-10"):
        counts(city, duck)
    assert counts(city, duck, sends=True) == [(2, 3)]
    assert counts(city, duck) == [(2, 3)]
    assert len(Copies(duck, "330800").all()) == 1  # the old one was taken away


def test_a_copy_knows_what_it_is_of(city: Database, duck: Store) -> None:
    duck.prepare()
    with pytest.raises(EngineError, match="there is no copy; run"):
        counts(city, duck)
    send(city, duck, ALL_DAYS)
    with pytest.raises(EngineError, match="days of rest are asked for"):
        counts(city, duck)
    send(city, duck)
    calendar = INQUIRY.definition.counted_by(Calendar({2026: frozenset(OCTOBER[:9])}))
    with pytest.raises(EngineError, match="other ones"):
        counts(city, duck, replace(INQUIRY, definition=calendar))
    longer = ALL_DAYS.definition.model_copy(update={"window_days": 40})
    with pytest.raises(EngineError, match="an earlier month"):
        counts(city, duck, replace(ALL_DAYS, definition=longer))
    with pytest.raises(EngineError, match="there is no copy"):
        counts(city, duck, replace(ALL_DAYS, demonstration=True))
    with pytest.raises(EngineError, match="as it was known earlier"):
        counts(city, duck, replace(ALL_DAYS, known=1))
    with pytest.raises(EngineError, match="there is no copy"):
        city.read_now(
            tallies_of, [INQUIRY], engine=CopiedMonths(Copies(duck, "330802"), sends=False)
        )


def test_lost_rows_are_seen(city: Database, duck: Store) -> None:
    send(city, duck)
    duck._connection.execute("DELETE FROM machine_month WHERE machine = 2")
    with pytest.raises(EngineError, match="has lost rows of its copy of 2026-10"):
        counts(city, duck)


class Lossy:
    """An engine that changes what it is sent."""

    def __init__(self, store: Store, spoil: Callable[[Columns], Columns]) -> None:
        self._store, self._spoil = store, spoil

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def append(self, table: str, columns: Columns) -> None:
        self._store.append(table, self._spoil(columns) if table == "machine_month" else columns)


def interrupted(_: Columns) -> Columns:
    raise EngineError("cannot write to it")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rows: {name: one[:-1] for name, one in rows.items()},
        lambda rows: {**rows, "controller_good": rows["controller_good"] >> 1},
        interrupted,
    ],
)
def test_what_arrives_otherwise_is_no_copy(
    city: Database, duck: Store, spoil: Callable[[Columns], Columns]
) -> None:
    """The copy that was there before stays, and may be used as long as nothing has changed."""
    send(city, duck)
    with pytest.raises(EngineError):
        send(city, Lossy(duck, spoil))
    assert counts(city, duck) == [(2, 3)]
    assert len(Copies(duck, "330800").all()) == 1
    assert duck.ask("SELECT count(DISTINCT copy), count(*) FROM machine_month")[0] == (1, 3)


def test_copies_of_an_erased_enterprise_are_taken_away(city: Database, tmp_path: Path) -> None:
    """They held its days under its code, and a certificate said that nothing was left."""
    config = city_config(
        "127.0.0.1:1", tmp_path, rates={"engine": {"type": "duckdb", "path": "copies.duckdb"}}
    )
    with closing(Duck(tmp_path / "copies.duckdb")) as store:
        send(city, store)
        city.read_now(Copies(store, "330700").send, [INQUIRY])
        broken_off = {
            "copy": np.array([9]),
            "firm": np.array([1]),
            "uscc": np.array([USCCS[0]], "S"),
        }
        store.append("machine_firm", broken_off)
        assert len(store.ask("SELECT DISTINCT copy FROM machine_firm")) == 3
    erase_beside(config, USCCS[1])
    erase_beside(config, USCCS[0])
    with closing(Duck(tmp_path / "copies.duckdb")) as store:
        assert Copies(store, "330800").all() == []
        (theirs,) = Copies(store, "330700").all()
        for table in ("machine_firm", "machine_month"):
            assert store.ask(f"SELECT DISTINCT copy FROM {table}") == [(theirs.copy,)]
    (tmp_path / "copies.duckdb").write_bytes(b"something else")
    with pytest.raises(ErasureError, match=r"are not taken away: .* Run the command again"):
        erase_beside(config, USCCS[0])


def test_every_field_of_a_record_is_said_or_decided_elsewhere() -> None:
    assert Definition.model_fields.keys() == SAID | ELSEWHERE
    assert not SAID & ELSEWHERE


class Later(Definition):
    shifts: int = 0


def test_what_cannot_be_said_is_refused() -> None:
    window = Window(OCTOBER[0], OCTOBER[-1], today_runs=False)
    told = {**builtin_definitions()["ENR-A"].model_dump(), "id": "OWN", "shifts": 2}
    with pytest.raises(NotSayableError, match="OWN version 3 has 'shifts'"):
        Question(Later.model_validate(told), window, 1)
    with pytest.raises(NotSayableError, match="COV version 1 counts enterprises"):
        Question(builtin_definitions()["COV"], window, 1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "user name or password are wrong"),
        ({"secret": PASSWORD, "database": "nirgends"}, "no such database; create it, or correct"),
        ({"secret": PASSWORD}, "there are no tables yet; run: qulink rates engine send"),
        ({"url": "closed"}, r"start it, or correct rates\.engine\.url"),
        ({"url": "silent", "timeout_ms": 200}, "no answer within 200 ms; it took too long"),
    ],
)
def test_faults_of_clickhouse_say_what_to_do(
    tmp_path: Path, clickhouse: ClickHouse, changes: dict[str, Any], words: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(changes.pop("secret", "falsch"))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ports = {"closed": free_port(), "silent": silent.getsockname()[1]}
        if "url" in changes:
            changes = changes | {"url": f"http://127.0.0.1:{ports[changes['url']]}"}
        config = replace(clickhouse._config, password=Secret(file=secret), **changes)
        with closing(ClickHouse(config)) as store, pytest.raises(EngineError, match=words):
            store.ask("SELECT 1 FROM not_there")
    secret.unlink()
    with pytest.raises(EngineError, match="cannot log in to ClickHouse"):
        ClickHouse(config)


def test_tables_of_a_cluster_are_statements_of_clickhouse(clickhouse: ClickHouse) -> None:
    for statement in definitions_of("city_cluster"):
        assert clickhouse.ask(f"EXPLAIN AST {statement}")
        assert "ON CLUSTER city_cluster" in statement


def test_tables_that_are_there_are_not_made(
    clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their user may have no right to."""
    clickhouse.prepare()
    monkeypatch.setattr("gateway.city.rates.engines.clickhouse.definitions_of", lambda _: ["no"])
    clickhouse.prepare()


def test_a_file_of_something_else_is_told(tmp_path: Path) -> None:
    (tmp_path / "rates.duckdb").write_text("no database, but a letter" * 500)
    with pytest.raises(EngineError, match=r"cannot open DuckDB .*rates\.duckdb"):
        Duck(tmp_path / "rates.duckdb")


def run(file: Path, *words: str) -> tuple[int, str]:
    found = CliRunner().invoke(build([]), ["rates", "engine", *words, "-c", str(file)])
    return found.exit_code, found.output


def test_commands(city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = city_file(tmp_path, "127.0.0.1:1")
    code, said = run(plain, "check")
    assert code == 1
    assert "the city counts by itself" in said
    file = city_file(tmp_path, "127.0.0.1:1", rates={"engine": {"type": "duckdb"}})
    assert "no copies yet" in run(file, "check")[1]
    code, said = run(file, "send", "2026-10", "--purpose", "audit")
    assert (code, "2026-10: 3 machines sent to DuckDB" in said) == (0, True), said
    assert "as the city is now" in run(file, "check")[1]
    city.run_now(late_data)
    assert "old: evidence has come" in run(file, "check")[1]
    code, said = run(file, "compare", "2026-10")
    assert (code, "ENR-A: 2/3 一致 equal" in said) == (0, True), said
    monkeypatch.setattr(compiling, "_lacks", lambda *_: "1 = 0")
    code, said = run(file, "compare", "2026-10")
    assert code == 1
    assert f"enterprise {USCCS[0]}: city 2/3, engine 3/3" in said
    assert "the engine counts otherwise" in said
    noted = city.run_now(entries)
    words = [one.subject for one in noted if one.action == Action.EXPORTED]
    assert words == [f"qulink rates engine {one}" for one in ("send", "compare", "compare")]
    assert all(
        one.detail.startswith(("audit: 2026-10, DuckDB", "2026-10, DuckDB")) for one in noted
    )
    assert noted[0].detail.startswith("audit: ")
