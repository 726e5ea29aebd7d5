"""How much weakens the figures is counted whole, whatever a page shows of it, on both databases."""

from datetime import date

import pytest
from sqlalchemy import Connection, insert

from gateway.city.access.principal import EVERYTHING, Scope, ScopeKind
from gateway.city.console.queries.findings import findings
from gateway.city.db.tables import machine_alias
from gateway.city.evidence.ghosts import alike
from gateway.city.ledger.machines import alias_row, find_or_name
from gateway.city.ledger.names import MachineName
from gateway.city.registry import enrolment
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


def _ghosts(connection: Connection) -> None:
    """One enterprise with a gateway and one without; in both what sent, and what never did."""
    for uscc in USCCS[:2]:
        add_enterprise(connection, uscc)
        for number in ("1#注塑机", "Z-1"):
            add_machine(connection, uscc, number)
        long_ago = add_machine(connection, uscc, "OLD-1")
        add_days(connection, long_ago, [date(2025, 2, 3)])
    enrolment.add(connection, "gw-1", USCCS[0], "1", 0)
    gone = [(date(2020, 1, 1), "in_use"), (date(2026, 10, 1), "scrapped")]
    back = [*gone, (date(2026, 10, 5), "in_use")]
    add_machine(connection, USCCS[0], "GONE-1", history=gone)
    add_machine(connection, USCCS[0], "BACK-1", history=back)
    add_machine(connection, USCCS[0], "SOON-1", history=[(date(2026, 12, 1), "in_use")])
    names = [MachineName(USCCS[0], "1", one) for one in ("注塑机01号", "Q-7")]
    for made in find_or_name(connection, names, date(2020, 1, 1), 0).values():
        add_days(connection, made, [YESTERDAY])


def test_who_never_sent_is_told_by_enterprise_and_what_sends_instead(database: Database) -> None:
    database.run_now(_ghosts)
    found = database.read_now(findings, EVERYTHING, day_start_ms(TODAY), 50).ghosts
    (row,) = found.enterprises
    assert (row.uscc, row.machines, found.count) == (USCCS[0], 3, 3)
    assert found.unreached == 2
    assert found.meant == {(USCCS[0], "1", "注塑机01号"): "1#注塑机"}
    other = Scope(ScopeKind.ENTERPRISES, frozenset({USCCS[1]}))
    theirs = database.read_now(findings, other, day_start_ms(TODAY), 50).ghosts
    assert (theirs.enterprises, theirs.unreached, theirs.meant) == ([], 2, {})


def test_all_are_ghosts_where_nothing_ever_came(database: Database) -> None:
    database.run_now(add_enterprise, USCCS[0])
    database.run_now(add_machine, USCCS[0], "A-1")
    assert database.read_now(findings, EVERYTHING, day_start_ms(TODAY), 50).ghosts.unreached == 1


@pytest.mark.parametrize(
    ("number", "known", "meant"),
    [
        ("BR-012", ["BR-0012", "BR-0013"], "BR-0012"),
        ("br０12", ["BR-0012"], "BR-0012"),
        ("CNC-1001", ["CNC-1002"], None),
        ("A-1", ["B-1", "C-1"], None),
        ("A-1", ["A1", "A 1"], None),  # nobody knows which
        ("冲床", ["冲床", "压床"], "冲床"),
        ("冲床", ["压床"], None),
        ("磨床甲号", ["磨床乙号"], None),  # without digits letters must be the same
        ("", [], None),
    ],
)
def test_a_number_that_is_probably_meant(number: str, known: list[str], meant: str | None) -> None:
    assert alike(number, known) == meant
