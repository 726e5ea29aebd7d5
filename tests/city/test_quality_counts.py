"""How much weakens the figures is counted whole, whatever a page shows of it, on both databases."""

from datetime import date

from sqlalchemy import Connection, insert

from gateway.city.access.principal import EVERYTHING
from gateway.city.console.queries.findings import findings
from gateway.city.db.tables import machine_alias
from gateway.city.ledger.machines import alias_row, find_or_name
from gateway.city.ledger.names import MachineName
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.support.city_db import USCCS, add_days, add_enterprise, add_machine

TODAY = date(2026, 11, 3)
YESTERDAY = date(2026, 11, 2)


def _fill(connection: Connection) -> None:
    """Three machines that were scrapped and send, and four that nobody has entered."""
    add_enterprise(connection, USCCS[0])
    scrapped = [(date(2020, 1, 1), "in_use"), (date(2026, 10, 1), "scrapped")]
    for at in range(3):
        made = add_machine(
            connection, USCCS[0], f"R-{at}", history=scrapped, undated=[scrapped[1][0]]
        )
        add_days(connection, made, [YESTERDAY])
    names = [MachineName(USCCS[0], "1", f"X-{at}") for at in range(4)]
    strangers = find_or_name(connection, names, date(2020, 1, 1), 0)
    for made in strangers.values():
        add_days(connection, made, [YESTERDAY])
    later = alias_row(MachineName(USCCS[0], "1", "Y-9"), YESTERDAY, strangers[names[0]], 1)
    connection.execute(insert(machine_alias), [later])


def test_counts_are_of_all_however_few_are_shown(database: Database) -> None:
    database.run_now(_fill)
    for limit in (2, 50):
        found = database.read_now(findings, EVERYTHING, day_start_ms(TODAY), limit)
        assert (len(found.orphans), found.orphan_count) == (min(limit, 4), 4)
        assert (len(found.retired), found.retired_count) == (min(limit, 3), 3)
        assert (len(found.undated), found.undated_count) == (min(limit, 3), 3)
    assert {row.asset_no for row in found.orphans} == {"X-1", "X-2", "X-3", "Y-9"}


def test_nothing_is_counted_where_there_is_nothing(database: Database) -> None:
    found = database.read_now(findings, EVERYTHING, day_start_ms(TODAY), 50)
    assert (found.orphan_count, found.retired_count, found.undated_count) == (0, 0, 0)
