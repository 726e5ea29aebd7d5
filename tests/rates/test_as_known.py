"""A month by the ledger as it was known: what was published can be computed anew."""

import random
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, update

from gateway.city.db.operation import begin
from gateway.city.db.schema.ledger_history import ledger_act
from gateway.city.db.schema.rates import rate_result
from gateway.city.ledger import importer
from gateway.city.ledger.bitemporal.knowledge import UnknownPastError, known_at
from gateway.city.ledger.changes import latest_change
from gateway.city.ledger.importer import import_ledger
from gateway.city.ledger.machines import find
from gateway.city.ledger.names import MachineName
from gateway.city.rates.cells.dimensions import Cells
from gateway.city.rates.frozen.freezing import freeze_month
from gateway.city.rates.frozen.reproducing import NotReproducibleError, Reproduced, reproduce
from gateway.city.rates.publishing.publish import WHOLE, publish
from gateway.city.rates.reports.export import as_table
from gateway.city.rates.reports.months import rate_month
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from gateway.web.tables import csv_text
from tests.support.city_db import USCCS, add_days, days_between

HEAD = "uscc,name,county,industry,above_scale,ledger_verified_by,ledger_verified_on,roster"
USCC, OTHER = USCCS[:2]
OCTOBER = days_between(date(2026, 10, 1), date(2026, 10, 31))
ENTERED, FROZEN, LATER = date(2026, 9, 30), date(2026, 11, 21), date(2026, 11, 25)


def told(database: Database, folder: Path, day: date, firms: str = "", machines: str = "") -> None:
    """Import rows on a day."""
    files = [folder / "e.csv", folder / "m.csv"]
    files[0].write_text(f"{HEAD},roster_from,roster_to\n{firms}", encoding="utf-8")
    files[1].write_text(
        "uscc,asset_no,name,equipment_class,status,status_since,commissioned_on\n" + machines,
        encoding="utf-8",
    )
    wanted = [file for file, rows in zip(files, (firms, machines), strict=True) if rows]
    import_ledger(database, wanted, day_start_ms(day) + 1)


def firm(uscc: str, county: str = "330822", verified: str = "张三,2026-01-01", to: str = "") -> str:
    return f"{uscc},甲,{county},3451,是,{verified},KEY,2026-01-01,{to}\n"


def machine(uscc: str, number: int, kind: str = "production", status: str = "在用,2026-01-01",
            commissioned: str = "2026-01-01") -> str:  # fmt: skip
    return f"{uscc},A{number},磨床,{kind},{status},{commissioned}\n"


@pytest.fixture
def city(database: Database, tmp_path: Path) -> Database:
    """Two enterprises of four machines each; half of them send all October."""
    firms = "".join(map(firm, (USCC, OTHER)))
    machines = [machine(uscc, number) for uscc in (USCC, OTHER) for number in range(4)]
    told(database, tmp_path, ENTERED, firms, "".join(machines))

    def sends(connection: Connection) -> None:
        begin(connection, OCTOBER[0])
        names = [MachineName(u, "1", f"A{n}") for u in (USCC, OTHER) for n in (0, 1)]
        for one in find(connection, names, ENTERED).values():
            add_days(connection, one, OCTOBER)

    database.run_now(sends)
    return database


def figures(database: Database, now: date, as_known: int | None = None) -> Cells:
    month = database.read_now(
        rate_month, "ENR-A", "2026-10", day_start_ms(now), demonstration=False, as_known=as_known
    )
    return month.cells


def anew(database: Database) -> Reproduced:
    return database.read_now(reproduce, "ENR-A", "2026-10", None, demonstration=False)


def test_a_published_month_is_computed_anew_as_it_was_known(city: Database, tmp_path: Path) -> None:
    assert freeze_month(city, "ENR-A", "2026-10", day_start_ms(FROZEN), demonstration=False)
    shown = city.read_now(rate_month, "ENR-A", "2026-10", day_start_ms(LATER), demonstration=False)
    known = city.read_now(latest_change)
    # status and commissioning corrected backwards, the roster left in October, no verification
    told(
        city,
        tmp_path,
        LATER,
        firm(USCC, county="330881") + firm(OTHER, verified=",", to="2026-10-15"),
        machine(USCC, 0, status="封存,2026-05-01")
        + machine(USCC, 1, kind="aux")
        + machine(USCC, 2, commissioned="2026-10-20"),
    )
    found = anew(city)
    assert found.differences == ()
    files = [
        csv_text(
            as_table(publish(replace(shown, cells=cells), WHOLE).table("enterprise")),
            demonstration=False,
        )
        for cells in (shown.cells, found.cells)
    ]
    assert files[0] == files[1]
    assert shown.cells["city"]["city"].equipment == 8
    now = figures(city, LATER, city.read_now(latest_change))
    # on 31 October county and class were as before; two are out, one of them had sent
    total = now["city"]["city"]
    assert (total.networked, total.equipment) == (1, 2)
    assert list(now["county"]) == ["330822"]
    known_then = figures(city, LATER, known)
    kept = {by: parts for by, parts in shown.cells.items() if parts}
    assert {by: parts for by, parts in known_then.items() if parts} == kept


def test_a_vintage_that_is_older_than_statistics_is_computed_anew_all_the_same(
    city: Database,
) -> None:
    assert freeze_month(city, "ENR-A", "2026-10", day_start_ms(FROZEN), demonstration=False)
    older = update(rate_result).values(in_scope=None, verified=None, p25=None, median=None)
    city.run_now(lambda connection: connection.execute(older))
    assert anew(city).differences == ()


def test_what_changes_in_a_month_belongs_to_who_held_on_its_last_day(
    city: Database, tmp_path: Path
) -> None:
    told(city, tmp_path, date(2026, 10, 20), firm(USCC, county="330881"))
    told(city, tmp_path, date(2026, 11, 2), firm(OTHER, county="330803"), machine(USCC, 0, "aux"))
    now = figures(city, date(2026, 11, 3))
    assert {key: cell.equipment for key, cell in now["county"].items()} == {
        "330822": 4,
        "330881": 4,
    }


def test_who_came_later_was_not_known(city: Database, tmp_path: Path) -> None:
    known = city.read_now(latest_change)
    new = USCCS[2]
    told(city, tmp_path, date(2026, 10, 20), firm(new), machine(new, 0))
    assert figures(city, LATER)["city"]["city"].equipment == 9
    assert figures(city, LATER, known)["city"]["city"].equipment == 8
    assert figures(city, LATER, 0)["city"]["city"].equipment == 0


def test_what_a_machine_was_on_the_last_day_decides_who_counts(
    city: Database, tmp_path: Path
) -> None:
    def counted(definition: str) -> tuple[int, int]:
        now_ms = day_start_ms(LATER)
        table = city.read_now(rate_month, definition, "2026-10", now_ms, demonstration=False)
        return table.cells["city"]["city"].networked, table.cells["city"]["city"].equipment

    file = tmp_path / "more.csv"
    head = "uscc,asset_no,name,equipment_class,status,key_equipment,digital\n"
    for day, said in ((date(2026, 10, 20), "是,是"), (date(2026, 11, 2), "否,否")):
        file.write_text(f"{head}{USCC},A0,磨床,production,在用,{said}\n", encoding="utf-8")
        import_ledger(city, [file], day_start_ms(day))
    assert [counted(one) for one in ("ENR-C", "ENR-D")] == [(1, 1), (1, 1)]


@pytest.mark.parametrize("many", [0, 100])
def test_what_was_known_is_what_was_shown_then(
    city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    """The oracle is what the city itself said at the time."""
    monkeypatch.setattr(importer, "MANY", many)
    pick, day, seen = random.Random(7), date(2026, 11, 1), list[tuple[int, int, Cells]]()
    for _ in range(6):
        day += timedelta(days=1)
        seen.append((day_start_ms(day), city.read_now(latest_change), figures(city, day)))
        uscc = pick.choice((USCC, OTHER))
        since = pick.choice(("2026-05-01", "2026-10-10", "2026-10-31"))
        told(
            city,
            tmp_path,
            day,
            firm(
                uscc,
                pick.choice(("330822", "330881")),
                pick.choice(("张三,2026-01-01", ",", "李四,2026-10-20")),
                pick.choice(("", "2026-10-20", "2027-01-01")),
            ),
            "".join(
                machine(
                    uscc,
                    number,
                    pick.choice(("production", "aux")),
                    f"{pick.choice(('在用', '封存', '误录撤销'))},{since}",
                    pick.choice(("2026-01-01", "2026-10-09", "")),
                )
                for number in (0, 1, pick.randrange(2, 9))
            ),
        )
    later = day + timedelta(days=5)
    assert len({str(one) for *_, one in seen}) > 3
    for at_ms, change, shown in seen:
        assert figures(city, later, change) == shown
        assert figures(city, later, city.read_now(known_at, at_ms)) == shown
    assert figures(city, later, city.read_now(latest_change)) == figures(city, later)


def test_what_was_never_kept_is_refused(city: Database) -> None:
    with pytest.raises(NotReproducibleError, match="there is no vintage 1"):
        anew(city)
    assert freeze_month(city, "ENR-A", "2026-10", day_start_ms(FROZEN), demonstration=False)
    with city.engine.begin() as connection:
        change = latest_change(connection)
        migrated = {"kind": "migration", "made_by": "", "source": ""}
        row = {"change_id": change + 1, "known_ms": day_start_ms(LATER)} | migrated
        connection.execute(insert(ledger_act), [row])
    with pytest.raises(UnknownPastError, match="2026-11-25T00:00:00"):
        anew(city)
    with pytest.raises(UnknownPastError, match="2026-11-25T00:00:00"):
        city.read_now(known_at, day_start_ms(FROZEN))
    with city.engine.begin() as connection:
        connection.execute(update(rate_result).values(ledger_change=None))
    with pytest.raises(NotReproducibleError, match="does not say what was known"):
        anew(city)
