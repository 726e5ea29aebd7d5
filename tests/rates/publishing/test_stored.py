"""Final months of a database as the public sees them."""

import csv
import io
import json
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import Connection, update
from typer.testing import CliRunner, Result

from edge_config.loading.load import load_city
from gateway.city.db.tables import enterprise
from gateway.city.db.upgrade import open_database
from gateway.city.rates.cells.dimensions import all_cells
from gateway.city.rates.cells.tally import Tally
from gateway.city.rates.definitions import DefinitionError, builtin_definitions
from gateway.city.rates.frozen.results import StoredTable, append
from gateway.city.rates.publishing.stored import (
    NotPublishedError,
    Publication,
    demand_machines,
    publication,
)
from gateway.cli.main import build
from gateway.relational.database import Database
from tests.config.examples import CITY as CITY_FILE
from tests.config.examples import write
from tests.rates.publishing.cities import city
from tests.support.city_db import add_enterprise, database, postgres

__all__ = ["database", "postgres"]

CITY = city(1)
ENR_A = builtin_definitions()["ENR-A"]


def fill(connection: Connection, tallies: list[Tally] = CITY) -> None:
    for one in tallies:
        add_enterprise(connection, one.uscc, county=one.county, industry=one.industry)


def store(
    connection: Connection,
    month: str,
    tallies: list[Tally],
    *,
    vintage: int = 1,
    definition: str = "ENR-A",
    status: str = "F",
) -> None:
    at = int(month[5:]) * 1_000_000 + vintage
    table = StoredTable(month, vintage, status, ENR_A.hash, at, all_cells(tallies))  # type: ignore[arg-type]
    append(connection, table, definition, demonstration=False)


def read(connection: Connection) -> Publication:
    return publication(connection, builtin_definitions(), demonstration=False)


def test_a_final_month_is_published_and_small_counties_are_not(database: Database) -> None:
    database.run_now(fill)
    database.run_now(store, "2026-09", CITY)
    database.run_now(lambda c: store(c, "2026-10", CITY, status="P"))

    public = database.read_now(read)

    table = public.table("ENR-A")
    assert (table.table.month, table.at().withheld) == ("2026-09", False)
    assert table.at("330802").withheld and not table.at("330881").withheld
    with pytest.raises(NotPublishedError, match="2026-10 is not published"):
        public.table("ENR-A", "2026-10")
    with pytest.raises(NotPublishedError, match="any month is not published"):
        public.table("ENR-B")


def test_what_a_correction_would_show_stays_withheld(database: Database) -> None:
    database.run_now(fill)
    more = [Tally(f"more-{at}", "330802", "1411", 4, 9) for at in range(8)]
    database.run_now(lambda c: fill(c, more))
    database.run_now(store, "2026-08", CITY + more)
    assert not database.read_now(read).table("ENR-A", "2026-08").at("330802").withheld

    database.run_now(store, "2026-09", CITY)
    database.run_now(lambda c: store(c, "2026-09", CITY + more, vintage=2))

    public = database.read_now(read)
    newest = public.table("ENR-A", "2026-09")
    assert newest.table.vintage == 2
    assert newest.at("330802").withheld
    assert public.table("ENR-A", "2026-08").at("330802").withheld


def test_a_cell_of_another_definition_gives_nothing_away(database: Database) -> None:
    database.run_now(fill)
    few = [one for one in CITY if one.county != "330881"] + [
        one for one in CITY if one.county == "330881"
    ][:2]
    database.run_now(store, "2026-09", CITY)
    database.run_now(lambda c: store(c, "2026-09", few, definition="ENR-B"))

    public = database.read_now(read)

    assert public.table("ENR-A").at("330881").withheld
    assert public.table("ENR-B").at("330881").withheld


def test_enterprises_that_moved_are_never_guessed(database: Database) -> None:
    database.run_now(fill)
    database.run_now(store, "2026-09", CITY)
    database.run_now(
        lambda c: c.execute(
            update(enterprise).where(enterprise.c.uscc == CITY[0].uscc).values(county="330802")
        )
    )

    with pytest.raises(NotPublishedError, match="do not add up"):
        database.read_now(read).table("ENR-A", "2026-09")


def test_a_ledger_measure_is_not_published() -> None:
    with pytest.raises(DefinitionError, match="COV is not published"):
        demand_machines(builtin_definitions()["COV"])


def typed(folder: Path, *words: str) -> Result:
    config = str(folder / "city.yaml")
    return CliRunner(env={"COLUMNS": "200"}).invoke(
        build(["rates"]), ["rates", "published", "-c", config, *words]
    )


def test_on_the_command_line(tmp_path: Path) -> None:
    config = write(tmp_path / "city.yaml", CITY_FILE)
    write(tmp_path / "passwd", "x")
    (tmp_path / "data").mkdir()
    made = open_database(load_city(config))
    made.run_now(fill)
    made.run_now(store, "2026-09", CITY)
    made.engine.dispose()

    shown = typed(tmp_path)
    assert "不予公布 withheld" in shown.output, shown.output
    body = csv.DictReader(io.StringIO(typed(tmp_path, "--csv").output.lstrip("\ufeff")))
    rows = {row["county_en"]: row for row in body}
    alone, whole = rows["Kecheng"], rows["Whole city"]
    assert (alone["equipment"], alone["obs_status"], alone["conf_status"]) == ("", "Q", "N")
    assert int(whole["equipment"]) == sum(one.equipment for one in CITY)
    chinese = csv.DictReader(io.StringIO(typed(tmp_path, "--csv", "--lang", "zh").output))
    said = {row["县（市、区）"]: row["数值标志"] for row in chinese}
    assert (said["柯城区"], said["全市"]) == ("不予公布", "正常")
    sdmx = list(csv.DictReader(io.StringIO(typed(tmp_path, "--format", "sdmx-csv").output)))
    assert {row["CONF_STATUS"] for row in sdmx} == {"F", "N"}
    assert (
        json.loads(typed(tmp_path, "--format", "sdmx-structure").output)["meta"]["id"] == "DF_ENR"
    )
    assert typed(tmp_path, "--format", "sdmx-csv", "--csv").exit_code == 1
    crossed = json.loads(typed(tmp_path, "--by", "county-industry", "--json").output)
    assert {row["conf_status"] for row in crossed["rows"]} == {"F", "N"}
    assert typed(tmp_path, "--month", "2026-10").exit_code == 1
    assert typed(tmp_path, "--definition", "COV").exit_code == 1


def test_a_workbook_of_the_command_line(tmp_path: Path) -> None:
    config = write(tmp_path / "city.yaml", CITY_FILE)
    write(tmp_path / "passwd", "x")
    (tmp_path / "data").mkdir()
    made = open_database(load_city(config))
    made.run_now(fill)
    made.run_now(store, "2026-09", CITY)
    made.engine.dispose()
    out = tmp_path / "t.xlsx"
    words = ["rates", "workbook", str(out), "-c", str(config), "--month", "2026-09"]
    answer = CliRunner().invoke(build(["rates"]), words)
    assert answer.exit_code == 0, answer.output
    book = load_workbook(out, read_only=True)
    assert book.sheetnames == ["数据", "说明", "修订"]
    assert next(iter(book["修订"].iter_rows(min_row=2, values_only=True)))[:2] == (1, "最终")
    refused = CliRunner().invoke(build(["rates"]), [*words, "--by", "town"])
    assert refused.exit_code == 1 and "no lines by 'town'" in refused.output
