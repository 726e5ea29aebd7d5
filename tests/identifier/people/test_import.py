"""``qulink id import``: what becomes of the rows of a sheet, and that conflicts change nothing."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import Connection, insert, select, update

from gateway.city.access.audit import entries
from gateway.city.db.schema.identifiers import identifier, identifier_outbox, identifier_review
from gateway.city.db.tables import equipment, status_rows
from gateway.city.identifiers.issued import Issue
from gateway.city.identifiers.issuing import Issuing
from gateway.city.identifiers.sheets.applying import apply, asked, portions
from gateway.city.identifiers.sheets.plan import Fate, PlannedRow, planned
from gateway.city.identifiers.sheets.rows import read_rows
from gateway.city.ledger.names import MachineName
from gateway.identifier.codes.handle import Handle
from gateway.relational.database import Database
from tests.identifier.people.conftest import Place
from tests.support.city_db import USCCS, add_enterprise, add_machine
from tests.support.node import NOW_MS, served
from tests.support.registering import Clock, made, rules, work_off

HOUR_MS = 3_600_000
FIRST, SECOND, THIRD = USCCS[:3]
HELD, OWN = "88.999.QZ00/PM.000001", "88.999.QZ00/OLD-7"
FOREIGN = "88.100.7/OLD-9"


def ledger(connection: Connection) -> None:
    """A-0 has an identifier, A-1 to A-3 have none; B-0 has no code, W-0 was a mistake."""
    add_enterprise(connection, FIRST, identifier_code="QZ00")
    add_enterprise(connection, SECOND)
    add_enterprise(connection, THIRD, identifier_code="QZ02")
    first = add_machine(connection, FIRST, "A-0", category="451")
    for number in range(1, 4):
        add_machine(connection, FIRST, f"A-{number}", category="451")
    add_machine(connection, SECOND, "B-0")
    add_machine(connection, THIRD, "C-0")
    add_machine(connection, FIRST, "W-0", history=[(date(2020, 1, 1), "withdrawn")])
    times = {"issued_ms": NOW_MS, "registered_ms": NOW_MS, "resolved_ms": NOW_MS}
    own = {"equipment_id": first, "handle": HELD, "handle_key": HELD.upper()}
    connection.execute(insert(identifier).values(own | times))


def sheet(folder: Path, *rows: tuple[str, str, str], name: str = "ledger.xlsx") -> Path:
    """A workbook as offices have it: a title over merged cells, a column of their own."""
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = "台账"
    page["A1"] = "设备台账"
    page.merge_cells("A1:D1")
    page.append(["统一社会信用代码", "资产编号", "标识编码", "购置人", "设备名称"])
    for uscc, asset_no, code in rows:
        page.append([uscc, asset_no, code or None, "张三", f"机床{asset_no}"])
    book.save(folder / name)
    return folder / name


def plan(
    database: Database, file: Path, by: Issuing | None = None
) -> dict[tuple[str, str], PlannedRow]:
    by = by or rules(review_ms=HOUR_MS)
    found = database.read_now(planned, read_rows([file], NOW_MS).rows, by, NOW_MS)
    return {(one.row.machine.asset_no, one.row.code): one for one in found}


def test_each_row_has_its_fate(database: Database, tmp_path: Path) -> None:
    database.run_now(ledger)
    rows = [(FIRST, "A-0", HELD), (FIRST, "A-1", "待分配"), (FIRST, "A-2", f"https://x.cn/{OWN}")]
    found = plan(database, sheet(tmp_path, *rows[:2], (FIRST, "A-2", f" {OWN}\u200b")))
    fates = {key: (one.fate, one.handle, one.preview) for key, one in found.items()}
    day = "20261118"
    assert fates == {
        ("A-0", HELD): (Fate.CONFIRMED, HELD, ""),
        ("A-1", ""): (Fate.ISSUE, "", f"88.999.QZ00/451.{day}.…"),
        ("A-2", OWN): (Fate.ADOPT, OWN, ""),
    }


CONFLICTS = {
    ("A-9", ""): "is no machine of the ledger; import it with `qulink ledger import` first",
    ("W-0", ""): "was withdrawn as a mistake and gets no identifier; delete the row",
    ("B-0", ""): "has no 标识企业代码",
    ("A-0", OWN): f"the node has confirmed {HELD} for this machine",
    ("A-1", HELD): f"{HELD} is the identifier of A-0 of {FIRST}, site 1",
    ("A-2", FOREIGN): "this enterprise registers below 88.999.QZ00 here",
    ("A-3", "6901234567892"): "(it may be a code of gs1)",
}


@pytest.mark.parametrize("case", CONFLICTS, ids="-".join)
def test_a_conflict_says_what_to_do(place: Place, case: tuple[str, str]) -> None:
    place.database.run_now(ledger)
    asset_no, code = case
    uscc = SECOND if asset_no == "B-0" else FIRST
    (row,) = plan(place.database, sheet(place.folder, (uscc, asset_no, code))).values()
    assert row.fate is Fate.CONFLICT
    assert CONFLICTS[case] in row.why


def test_what_stands_twice_is_told_with_its_row(place: Place) -> None:
    place.database.run_now(ledger)
    rows = [(FIRST, "A-1", OWN), (FIRST, "A-2", OWN.lower()), (FIRST, "a-1", "")]
    found = plan(place.database, sheet(place.folder, *rows))
    assert [one.fate for one in found.values()] == [Fate.ADOPT, *[Fate.CONFLICT] * 2]
    assert all("stands in row 3 already" in one.why for one in list(found.values())[1:])


def test_an_identifier_of_a_machine_before_a_restore_is_nobody_elses(place: Place) -> None:
    place.database.run_now(ledger)
    by = rules(review_ms=HOUR_MS)
    by.issued.add([Issue(Handle.parse(OWN), MachineName(FIRST, "1", "GONE"))], NOW_MS)
    (row,) = plan(place.database, sheet(place.folder, (FIRST, "A-1", OWN)), by).values()
    assert f"{OWN} is the identifier of GONE" in row.why


async def test_the_node_is_asked_whose_an_identifier_is(place: Place) -> None:
    """Adopted are those that it does not have, or has for the same machine."""
    database = place.database
    database.run_now(ledger)
    theirs = "88.999.QZ02/OLD-8"
    async with served(place.folder / "data") as node, node.registry() as registry:
        by = rules(review_ms=HOUR_MS)
        rows = list(plan(database, sheet(place.folder, (THIRD, "C-0", theirs)), by).values())
        assert [one.fate for one in await asked(database, rows, registry.read)] == [Fate.ADOPT]
        database.run_now(apply, portions(rows)[0], by.issued, NOW_MS, "lisi")
        await work_off(made(database, registry, Clock(), by))
        assert handle_of(database, "C-0") == (theirs, NOW_MS)
        # The same sheet at a city whose ledger calls that machine otherwise.
        database.run_now(forget)
        wrong = sheet(place.folder, (THIRD, "D-0", theirs))
        database.run_now(lambda c: add_machine(c, THIRD, "D-0"))
        held = rules(review_ms=HOUR_MS)
        rows = list(plan(database, wrong, held).values())
        (told,) = await asked(database, rows, registry.read)
        assert told.fate is Fate.CONFLICT
        assert f"the node holds {theirs} for something that is not this machine" in told.why
        assert portions([told]) == []


def handle_of(database: Database, asset_no: str) -> tuple[str, int | None]:
    query = select(identifier.c.handle, identifier.c.registered_ms).join(
        equipment, equipment.c.id == identifier.c.equipment_id
    )
    row = database.run_now(lambda c: c.execute(query.where(equipment.c.asset_no == asset_no)).one())
    return row.handle, row.registered_ms


def forget(connection: Connection) -> None:
    for table in (identifier_outbox, identifier):
        connection.execute(table.delete())


def said(rows: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in rows.splitlines()]


def test_a_dry_run_changes_nothing_and_shows_no_identifier(place: Place) -> None:
    place.database.run_now(ledger)
    file = sheet(place.folder, (FIRST, "A-1", ""), (FIRST, "A-9", ""))
    done = place.qulink("import", file)
    assert done.exit_code == 1
    assert "ledger.xlsx[台账], row 4: A-9 of" in done.stderr
    assert "dry run, nothing was changed" in done.stdout
    assert "row 3, A-1 of 91330822MA0000015W: 88.999.QZ00/451." in done.stdout
    assert "….\n" not in done.stdout and ".…\n" in done.stdout
    assert released(place) == []


def released(place: Place) -> list[int]:
    own = identifier_review.c
    query = select(own.equipment_id).where(own.approved_ms.is_not(None))
    return list(place.database.read_now(lambda c: c.scalars(query).all()))


def test_apply_releases_what_is_in_no_conflict(place: Place) -> None:
    place.database.run_now(ledger)
    file = sheet(place.folder, (FIRST, "A-1", ""), (FIRST, "A-2", OWN), (FIRST, "A-3", ""))
    done = place.qulink("import", file, "--apply", "--json")
    assert done.exit_code == 1
    fates = {one["asset_no"]: (one["fate"], one["why"]) for one in said(done.stdout)}
    assert [fates[key][0] for key in sorted(fates)] == ["is issued", "conflict", "is issued"]
    assert "the node could not be asked whose" in fates["A-2"][1]  # none listens
    assert len(released(place)) == 2
    (entry,) = place.database.read_now(entries)
    assert (entry.action, entry.subject) == ("identifiers-released", FIRST)
    assert entry.detail == "2 by a ledger sheet: A-1, A-3"
    again = place.qulink("import", file, "--apply", "--json")
    assert [one["fate"] for one in said(again.stdout)] == ["under way", "conflict", "under way"]


def test_a_copy_is_filled_in_as_the_node_confirms(place: Place) -> None:
    place.database.run_now(ledger)
    file, copy = (
        sheet(place.folder, (FIRST, "A-0", ""), (FIRST, "A-1", "")),
        place.folder / "c.xlsx",
    )
    before = file.read_bytes()
    done = place.qulink("import", file, "--write-back", copy)
    assert (done.exit_code, "1 identifier written" in done.stdout) == (0, True), done.output
    assert codes(copy) == [HELD, None]
    place.database.run_now(confirm)
    place.qulink("import", file, "--write-back", copy)
    assert codes(copy) == [HELD, OWN]
    assert file.read_bytes() == before
    refused = place.qulink("import", file, "--write-back", file)
    assert "is the sheet itself" in refused.stderr


def test_a_withdrawn_machine_keeps_no_identifier_in_a_sheet(place: Place) -> None:
    place.database.run_now(ledger)
    place.database.run_now(lambda c: c.execute(update(status_rows).values(status="withdrawn")))
    copy = place.folder / "c.xlsx"
    file = sheet(place.folder, (FIRST, "A-0", ""))
    done = place.qulink("import", file, "--write-back", copy)
    assert (done.exit_code, "was withdrawn as a mistake" in done.stderr) == (1, True)
    assert codes(copy) == [None]


def codes(file: Path) -> list[object]:
    page = load_workbook(file)["台账"]
    return [row[2] for row in page.iter_rows(min_row=3, values_only=True)]


def confirm(connection: Connection) -> None:
    machine = connection.scalar(select(equipment.c.id).where(equipment.c.asset_no == "A-1"))
    own = {"equipment_id": machine, "handle": OWN, "handle_key": OWN.upper()}
    connection.execute(insert(identifier).values(own | {"issued_ms": NOW_MS}))
    connection.execute(update(identifier).values(registered_ms=NOW_MS))


def test_a_file_without_machines_is_refused(place: Place) -> None:
    empty = place.folder / "notes.csv"
    empty.write_text("标题,内容\n一,二\n", encoding="gb18030")
    done = place.qulink("import", empty, "--apply")
    assert done.exit_code == 1
    assert "notes.csv" in done.stderr and "nothing was changed" in done.stderr
