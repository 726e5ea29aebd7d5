"""What somebody looks for is found, on both databases: by part, by width, by scope."""

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, insert

from gateway.city.access.principal import EVERYTHING, Scope, parse_scope
from gateway.city.console.search import queries
from gateway.city.console.search.known import FIELD, RECORD, Known, machines, machines_of
from gateway.city.console.search.page import Found, find
from gateway.city.console.search.words import folded, query
from gateway.city.db.schema.identifiers import identifier
from gateway.city.db.tables import gateway
from gateway.city.ledger.changes import note_change
from gateway.relational.database import Database
from tests.console.test_indices import plans_of
from tests.console.town import uscc_of
from tests.support.city_db import add_enterprise, add_machine

ONE, OTHER = uscc_of(1), uscc_of(2)
HANDLE = "88.999.00000001/PM.20251123.000001"


def _fill(connection: Connection) -> None:
    add_enterprise(connection, ONE, name="龙游青竹特种纸有限公司", county="330825")
    add_enterprise(connection, OTHER, name="江山云杉木门股份有限公司", county="330881")
    first = add_machine(connection, ONE, "ＺＳ-001", name="1#注塑机")
    add_machine(connection, ONE, "ZS-0012", name="２１＃ 注塑机")
    add_machine(connection, OTHER, "1#注塑机", name="砂光机")
    add_machine(connection, OTHER, "B-7", name="注塑\n机\x1e 3 号")
    row = {"handle": HANDLE, "handle_key": HANDLE.upper(), "issued_ms": 1, "registered_ms": 2}
    connection.execute(insert(identifier).values(equipment_id=first, **row))
    place = {"site_no": "1", "enrolled_ms": 1, "partition": 0}
    rows = [{"id": f"gw-{at}", "uscc": uscc, **place} for at, uscc in enumerate((ONE, OTHER))]
    connection.execute(insert(gateway), rows)


Look = Callable[..., Found]


@pytest.fixture
def look(database: Database) -> Look:
    database.run_now(_fill)
    known = database.read_now(queries.known, None)
    return lambda text, scope=EVERYTHING: database.read_now(find, known, query(text), scope)


def _numbers(found: Found) -> list[str]:
    return [row.asset_no for row in found.machines]


def test_names_and_numbers_are_found_however_they_are_typed(look: Look) -> None:
    exactly_first = ["1#注塑机", "ＺＳ-001", "ZS-0012"]
    for text in ("1#注塑机", "１＃注塑机", "1 号注塑机", " 1号 注塑机"):
        assert sorted(_numbers(look(text))) == sorted(exactly_first), text
    assert _numbers(look("1#注塑机"))[-1] == "ZS-0012", "part of another number comes last"
    assert _numbers(look("zs-001"))[0] == "ＺＳ-001"
    assert _numbers(look("ZS 21")) == ["ZS-0012"]
    assert _numbers(look("3#")) == _numbers(look("注塑机3号")) == ["B-7"]
    assert _numbers(look("云杉 注塑")) == ["1#注塑机", "B-7"]
    assert _numbers(look("云杉")) == [], "the enterprise is what was meant"
    assert [row.uscc for row in look("云杉").enterprises] == [OTHER]
    assert [row.uscc for row in look(ONE.lower()).enterprises] == [ONE]
    assert _numbers(look(HANDLE.lower())) == ["ＺＳ-001"]
    assert [row.id for row in look("GW-1").gateways] == ["gw-1"]
    assert [code for code, _ in look("江山").counties] == ["330881"]
    assert look("开化").counties == [], "nobody is there"
    assert look("100%_").is_nothing


@pytest.mark.parametrize(
    "scope", [parse_scope("county 330825"), parse_scope(f"enterprise {ONE}")], ids=str
)
def test_only_what_is_seen_is_found(look: Look, scope: Scope) -> None:
    assert sorted(_numbers(look("注塑", scope))) == ["ZS-0012", "ＺＳ-001"]
    for text in ("云杉", OTHER, "砂光机", "gw-1", "江山"):
        assert look(text, scope).is_nothing, text
    assert _numbers(look(HANDLE, scope)) == ["ＺＳ-001"]
    assert look(HANDLE, parse_scope("county 330881")).is_nothing


def test_the_ledger_is_read_again_when_it_has_changed(database: Database) -> None:
    database.run_now(_fill)
    before = database.read_now(queries.known, None)
    assert before is not None
    assert database.read_now(queries.known, before.change) is None

    def change(connection: Connection) -> None:
        add_machine(connection, ONE, "NEW-9", name="涂布机")
        note_change(connection)

    database.run_now(change)
    after = database.read_now(queries.known, before.change)
    assert after is not None
    assert _numbers(database.read_now(find, after, query("涂布"), EVERYTHING)) == ["NEW-9"]


def test_a_name_may_hold_what_parts_names_in_the_text(database: Database) -> None:
    database.run_now(_fill)
    before = database.read_now(queries.known, None)

    def change(connection: Connection) -> None:
        add_machine(connection, ONE, f"K{RECORD}-1", name=f"烫{FIELD}金机")
        note_change(connection)

    database.run_now(change)
    after = database.read_now(queries.known, None)
    assert before is not None
    assert after is not None
    assert after.machines[OTHER] == before.machines[OTHER]
    (found,) = database.read_now(find, after, query("烫金"), EVERYTHING).machines
    assert found.name == f"烫{FIELD}金机"
    assert "ZS-0012" in _numbers(database.read_now(find, after, query("注塑"), EVERYTHING))


def test_a_page_says_that_there_is_more(database: Database) -> None:
    def fill(connection: Connection) -> None:
        add_enterprise(connection, ONE, name="厂")
        for at in range(queries.SHOWN + 1):
            add_machine(connection, ONE, f"M-{at}")
        add_enterprise(connection, OTHER, name="他厂", county="330881")
        add_machine(connection, OTHER, "M-99")

    database.run_now(fill)
    known = database.read_now(queries.known, None)
    found = database.read_now(find, known, query("M-"), EVERYTHING)
    assert (len(found.machines), found.more) == (queries.SHOWN, {"machines"})
    found = database.read_now(find, known, query("M-"), parse_scope("county 330881"))
    assert (_numbers(found), found.more) == (["M-99"], set()), "others take no place of theirs"


def test_how_a_large_ledger_is_read(database: Database) -> None:
    """Machines in order of an index, never sorted; what was found by key; identifiers by theirs."""
    database.run_now(_fill)
    if database.engine.dialect.name == "sqlite":
        known = database.read_now(queries.known, None)
        asked = partial(find, known=known, asked=query("注塑"), scope=EVERYTHING)
        steps = database.run_now(plans_of, partial(queries.known, before=None))
        assert "SCAN equipment USING INDEX ix_equipment_uscc" in steps, steps
        assert not any("TEMP B-TREE" in step for step in steps), steps
        steps = database.run_now(plans_of, asked)
        assert not any(step.startswith("SCAN equipment") for step in steps), steps
        assert any("uq_identifier_handle_key" in one or "autoindex" in one for one in steps), steps
        return

    def explained(connection: Connection) -> str:
        connection.exec_driver_sql("SET enable_seqscan = off")  # of four rows it would scan
        written = queries.joined_names().compile(connection, compile_kwargs={"literal_binds": True})
        rows = connection.exec_driver_sql(f"EXPLAIN {written}")
        return "\n".join(row[0] for row in rows)

    plan = database.run_now(explained)
    assert "Index Scan using ix_equipment_uscc on equipment" in plan, plan
    assert "Sort" not in plan, plan


ROWS = st.lists(st.tuples(st.text(max_size=6), st.text(max_size=6)), min_size=1, max_size=5)


@given(rows=ROWS, at=st.integers(0, 4), part=st.booleans())
def test_any_name_finds_its_machine(rows: list[tuple[str, str]], at: int, part: bool) -> None:
    """Whatever somebody wrote, and be it a separator of the text that is looked through."""
    known = Known(0, {ONE: ""}, {ONE: machines([(n, *row) for n, row in enumerate(rows)])})
    number = at % len(rows)
    text = rows[number][0].replace(FIELD, "").replace(RECORD, "")
    asked = query(text)
    if asked.words and all(word in folded(text) for word in asked.words):
        found, _ = machines_of(known, asked, None, len(rows))
        assert number in found
