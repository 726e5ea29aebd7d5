"""Final months of a database as the public sees them."""

import csv
import io
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import Connection, update
from typer.testing import CliRunner, Result

from edge_config.loading.load import load_city
from gateway.city.db.tables import enterprise
from gateway.city.db.upgrade import open_database
from gateway.city.ledger.bitemporal.acts import Doing, Kind, begin, conclude
from gateway.city.ledger.bitemporal.entries import ENTERPRISE, write_steps
from gateway.city.ledger.machines import SINCE_EVER
from gateway.city.rates.cells.dimensions import all_cells
from gateway.city.rates.cells.tally import Tally
from gateway.city.rates.definitions import (
    DefinitionError,
    builtin_definitions,
    earlier_definitions,
)
from gateway.city.rates.frozen.results import StoredTable, append
from gateway.city.rates.model import Approval
from gateway.city.rates.publishing.lines import as_file
from gateway.city.rates.publishing.stored import (
    NotPublishedError,
    Publication,
    demand_machines,
    publication,
    record_for,
)
from gateway.cli.main import build
from gateway.core.days import day_start_ms
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


def move(connection: Connection, uscc: str, since: date, **place: str) -> None:
    """An enterprise belongs elsewhere from a day on, by an act of the ledger on that day."""
    row = {"uscc": uscc, "county": "330825", "industry": "2221", "above_scale": True}
    for start, said in ((SINCE_EVER, row), (since, row | place)):
        doing = Doing(Kind.IMPORT, "", "", day_start_ms(max(start, date(2026, 9, 1))))
        act = begin(connection, doing)
        values = dict.fromkeys(ENTERPRISE.attributes) | said | {"functional_area": ""}
        write_steps(connection, ENTERPRISE, act, {uscc: {start: values}})
        conclude(connection, act, doing)
    connection.execute(update(enterprise).where(enterprise.c.uscc == uscc).values(**place))


@pytest.mark.parametrize("knows_change", [True, False])
def test_an_enterprise_that_moved_since_is_where_it_was_in_the_month(
    database: Database, knows_change: bool
) -> None:
    mover = Tally("mover", "330825", "2221", 3, 9)
    database.run_now(lambda c: fill(c, [*CITY, mover]))
    database.run_now(move, "mover", date(2026, 10, 7), county="330881", industry="2032")
    for month, one, known in (
        ("2026-09", mover, 2),
        ("2026-10", replace(mover, county="330881", industry="2032"), 2),
    ):
        at = day_start_ms(date(2026, int(month[5:]) + 1, 20))
        cells = all_cells([*CITY, one])
        change = known if knows_change else None
        table = StoredTable(month, 1, "F", ENR_A.hash, at, cells, ledger_change=change)
        database.run_now(append, table, "ENR-A", demonstration=False)

    public = database.read_now(read)

    assert not public.unplaced
    machines = {
        month: public.table("ENR-A", month).at("330881").figures for month in ("2026-09", "2026-10")
    }
    before, after = machines["2026-09"], machines["2026-10"]
    assert before is not None and after is not None
    assert after.equipment - before.equipment == mover.equipment


def test_a_month_is_told_by_the_record_of_then(database: Database) -> None:
    database.run_now(fill)
    earlier = next(one for one in earlier_definitions() if one.id == "ENR-A")
    for month, digest in (
        ("2026-08", earlier.hash),
        ("2026-09", ENR_A.hash),
        ("2026-10", "0" * 64),
    ):
        table = StoredTable(month, 1, "F", digest, int(month[5:]), all_cells(CITY))
        database.run_now(append, table, "ENR-A", demonstration=False)
    approval = Approval(
        id="ENR-A", version=ENR_A.version, approved_by="经信局", approved_on=date(2026, 9, 1),
        document="1 号", valid_from=date(2020, 1, 1),
    )  # fmt: skip
    now = ENR_A.approved_with([approval])
    public = database.read_now(read)

    def told(month: str) -> tuple[object, ...]:
        table = public.table("ENR-A", month)
        notes = as_file(table, "county", record_for(table, now)).notes
        return tuple(notes[key] for key in ("definition_version", "definition_hash", "approval"))

    assert told("2026-08") == (earlier.version, earlier.hash, "pending")
    assert told("2026-09") == (ENR_A.version, ENR_A.hash, "approved")
    assert told("2026-10") == (None, "0" * 64, "pending")


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
