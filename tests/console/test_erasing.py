"""One enterprise is erased: nothing of it is found, its neighbours are as before, chains hold."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select, update
from typer.testing import CliRunner

from gateway.city.access import chain, users
from gateway.city.access.audit import Action, entries, note
from gateway.city.access.principal import Role, administrator, parse_scope
from gateway.city.access.users import User
from gateway.city.db.schema.access import erasure
from gateway.city.db.schema.daymaps import day_map, evidence_taking
from gateway.city.db.schema.declared import declared_value
from gateway.city.db.schema.identifiers import identifier_outbox
from gateway.city.db.schema.ledger_history import verification_history
from gateway.city.db.schema.rates import rate_result
from gateway.city.db.schema.whole import metadata
from gateway.city.db.tables import enterprise, equipment, evidence, machine_alias, quarantine
from gateway.city.erasing import rows
from gateway.city.erasing.certificate import CertificateError, check, digest
from gateway.city.erasing.erasing import Erasing, Order
from gateway.city.erasing.printed import page
from gateway.city.erasing.telling import ErasureError
from gateway.city.identifiers.outbox import enqueue
from gateway.city.ingest.quarantine import Entry, keep
from gateway.city.ledger.agreements.held import all_terms
from gateway.city.ledger.uploading.kept import Uploads
from gateway.city.rates.daymaps.verifying import verify
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.frozen.freezing import freeze_month
from gateway.city.rates.frozen.late import compared
from gateway.city.rates.frozen.reproducing import NotReproducibleError, reproduce
from gateway.city.rates.frozen.results import Correction
from gateway.city.rates.reports.kept import KEPT_FILE
from gateway.city.registry import enrolment
from gateway.cli.main import build
from gateway.core.days import DAY_MS
from gateway.relational.database import Database, connect
from tests.console.http import get
from tests.console.town import NOW_MS, Town, _filled, uscc_of

ROOT = Path(__file__).parents[2]
GONE, NEIGHBOUR = uscc_of(0), uscc_of(1)
ORDER = Order(GONE, "合同终止", "衢数〔2025〕9 号", "张三")
MONTH = "2025-10"


def fill(connection: Connection) -> None:
    """People, declared values and a waiting identifier of both enterprises."""
    for number, uscc in enumerate((GONE, NEIGHBOUR)):
        for name, scope in ((f"wang{number}", uscc), (f"both{number}", f"{uscc} {uscc_of(4)}")):
            who = (name, "王某", Role.ENTERPRISE, parse_scope(f"enterprise {scope}"))
            users.add(
                connection, administrator("root"), User(*who, NOW_MS, "root", None, is_invited=True)
            )
        said = {"uscc": uscc, "month": MONTH, "networked": 5, "equipment": 9, "known_ms": NOW_MS}
        names = dict.fromkeys(("declared_by", "source", "entered_by"), "李某")
        connection.execute(insert(declared_value).values(said | names))
        enqueue(connection, [number * 1000 + 1], NOW_MS)
    note(connection, NOW_MS, "wang0", Action.VIEWED, GONE)


def freeze(database: Database) -> None:
    for definition in ("ENR-A", "ENR-B"):
        freeze_month(database, definition, MONTH, NOW_MS, demonstration=True)


def contents(connection: Connection) -> dict[str, set[str]]:
    """Every row of every table."""
    return {
        table.name: {json.dumps([*row], default=repr) for row in connection.execute(select(table))}
        for table in metadata.sorted_tables
    }


def of_the_gone(connection: Connection) -> list[str]:
    """What rows of the erased enterprise name."""
    numbers = connection.scalars(
        select(machine_alias.c.machine_id).where(machine_alias.c.uscc == GONE)
    )
    return [f'"{GONE}"', '"gw-0"', '"wang0"', '"both0"', *(f"{one}," for one in numbers)]


def erasing(city: Town) -> Erasing:
    return Erasing(city.context.config, city.database, city.store, city.clock, 0)


async def shown(address: str) -> str:
    """A page without what each answer has of its own: the tokens of its forms."""
    answer = await get(address)
    assert answer.status_code == 200
    if "format=json" in address:  # what stands beside rows tells of the city as it is now
        return json.dumps(answer.json()["rows"])
    return re.sub(r'value="[\w-]{32}"', "", answer.text)


PAGES = (
    f"/enterprises/{NEIGHBOUR}?format=json",
    f"/enterprises/{NEIGHBOUR}/1/A-001?lang=zh",
    f"/published?month={MONTH}&format=json",
)


async def test_one_enterprise_goes_and_its_neighbours_stay(address: str, city: Town) -> None:
    database = city.database
    database.run_now(fill)
    freeze(database)
    pages = {one: await shown(address + one) for one in PAGES}
    before = database.run_now(contents)
    held = await city.store.held(GONE)
    assert held
    kept_figures = city.context.config.data_dir / KEPT_FILE
    name = database.run_now(lambda c: c.scalar(select(enterprise.c.name).filter_by(uscc=GONE)))
    assert name in kept_figures.read_text()
    uploads = Uploads(city.context.config.data_dir)
    uploads.begin("li.si")  # with whose rows, nobody has looked
    city.clock.now_ms += 1
    made = await erasing(city).run(ORDER)
    # rows: what is gone or changed names the enterprise, what is new is the acts that did it
    after, own = database.run_now(contents), database.run_now(of_the_gone)
    for name, was in before.items():
        for row in was - after[name]:
            assert any(one in row for one in own), (name, row)
    added = {name for name in before if after[name] - before[name]}
    acts = {"audit", "erasure", "ledger_act", "ledger_change", "status_history"}
    assert added - acts <= {
        *{one.table.name for one in rows.blanked(GONE, [])},
        *("machine_withdrawal", "identifier_outbox", "equipment_status", "verification_history"),
    }
    # nothing of it is found
    assert list(uploads.keys()) == []
    assert not kept_figures.exists()
    assert await city.store.held(GONE) == {}
    assert set(database.run_now(rows.counts, GONE, ["wang0"]).values()) == {0}
    text = "".join(
        one for name in ("evidence", "declared_value", "tag_schema") for one in after[name]
    )
    assert '"gw-0"' not in text and GONE not in text
    # pages of the neighbour, and what was published, are equal to the letter
    city.clock.now_ms -= 1
    for one, was in pages.items():
        assert await shown(address + one) == was, one
    theirs = await shown(f"{address}/enterprises/{GONE}?lang=zh")
    assert "XM-200" not in theirs and "磨床" not in theirs
    taken_back = select(verification_history.c.verified_by)
    assert database.run_now(lambda c: c.execute(taken_back).all()) == [(None,)]
    # the certificate
    assert check(made) and made["values"] == {
        name: {"before": count, "after": 0} for name, count in held.items()
    }
    assert made["rows"]["evidence"]["before"] > 0 == made["rows"]["evidence"]["after"]
    assert (made["gateways"], made["users"], made["identifiers_withdrawn"]) == (["gw-0"], 1, 23)
    assert made["chains"]["before"]["evidence_roots"] == made["chains"]["after"]["evidence_roots"]
    assert made["chains"]["after"]["evidence_breaks"] == []
    told = page(made)
    for words in (GONE, "合同终止", "衢数〔2025〕9 号", digest(made), "备份"):
        assert words in told
    # chains, the audit log, and the node
    assert (
        database.run_now(lambda c: list(verify(c))) == []
        and database.run_now(chain.verify).broken is None
    )
    noted = [one for one in database.run_now(entries) if one.subject == GONE]
    assert [one.action for one in noted][-2:] == [Action.ERASURE_BEGUN, Action.ERASED]
    assert noted[-1].detail.endswith(digest(made))
    box = select(identifier_outbox.c.operation).where(identifier_outbox.c.equipment_id == 1)
    assert database.run_now(lambda c: c.scalar(box)) == "withdraw"


async def test_frozen_months_keep_whole_numbers_and_say_what_is_gone(city: Town) -> None:
    database = city.database
    freeze(database)
    results = select(rate_result).order_by(rate_result.c.id)
    stored = database.run_now(lambda c: c.execute(results).all())
    reproduced_differences(database)  # it can be computed
    await erasing(city).run(ORDER)
    assert database.run_now(lambda c: c.execute(results).all()) == stored
    body = select(func.max(func.length(day_map.c.body))).where(day_map.c.uscc == GONE)
    assert database.run_now(lambda c: c.scalar(body)) == 0
    with pytest.raises(NotReproducibleError, match="erased since, of so many enterprises: 1"):
        reproduced_differences(database)
    late = database.read_now(
        compared, MONTH, NOW_MS, definitions=builtin_definitions(), demonstration=True
    )
    assert late == []  # no data came late, and none are missing: they are erased
    correction = Correction("error", "重算", "张三")
    again = freeze_month(
        database, "ENR-A", MONTH, NOW_MS + DAY_MS, demonstration=True, correction=correction
    )
    assert again is not None and again.vintage == 2
    kept = database.read_now(reason_of)
    assert kept == "重算；不含数据已擦除的企业 1 家"


def reproduced_differences(database: Database) -> Any:
    return database.read_now(reproduce, "ENR-A", MONTH, 1, demonstration=True).differences


def reason_of(connection: Connection) -> str:
    from gateway.city.db.schema.rates import rate_correction

    return str(connection.scalar(select(rate_correction.c.note)))


async def test_an_empty_map_is_right_only_of_who_was_erased(city: Town) -> None:
    freeze(city.database)
    emptied = update(day_map).where(day_map.c.uscc == NEIGHBOUR).values(body=b"")
    city.database.run_now(lambda c: c.execute(emptied))
    broken = city.database.run_now(lambda c: list(verify(c)))
    assert {one.uscc for one in broken} == {NEIGHBOUR}


async def test_what_comes_afterwards_is_refused(city: Town) -> None:
    database = city.database
    await erasing(city).run(ORDER)
    with pytest.raises(enrolment.EnrolmentError, match="erased"):
        database.run_now(enrolment.add, "gw-0", GONE, "1", NOW_MS)
    entry = Entry("gateway", NOW_MS + 1, "t", "gw-0", "revoked", 3, 4, b"data")
    stranger = Entry("gateway", NOW_MS, "t", "gw-9", "unknown", 3, 4, b"data")
    database.run_now(keep, [entry, stranger])
    payloads = select(quarantine.c.gateway, quarantine.c.payload).order_by(quarantine.c.gateway)
    found = dict(row for row in database.run_now(lambda c: c.execute(payloads).all()))
    assert (found["gw-0"], found["gw-9"]) == (b"", b"data")
    # another box of the enterprise needs a new agreement, and brings nothing older back
    assert database.run_now(enrolment.add, "gw-new", GONE, "1", NOW_MS + 1)
    terms = database.read_now(all_terms)[GONE]
    assert (terms.agreements, terms.since_ms) == ((), NOW_MS)
    with pytest.raises(ErasureError, match="no enterprise 9133"):
        await erasing(city).run(Order(GONE[:-1] + "0", "x", "y", "z"))


async def test_days_of_a_machine_that_another_enterprise_had_stay(city: Town) -> None:
    """Sold in the middle of the month: each has its own days."""
    database = city.database

    def sold(connection: Connection) -> int:
        from datetime import date

        from gateway.city.ledger.machines import alias_row
        from gateway.city.ledger.names import MachineName

        alias = machine_alias.c
        own = machine_alias.update().where(alias.machine_id == 1)
        connection.execute(own.values(valid_to=date(2025, 11, 1)))
        bought = alias_row(MachineName(NEIGHBOUR, "1", "X-1"), date(2025, 11, 1), 1, 1)
        connection.execute(insert(machine_alias), [bought])
        since = select(func.count()).where(
            evidence.c.machine_id == 1, evidence.c.day >= date(2025, 11, 1)
        )
        return int(connection.scalar(since) or 0)

    kept = database.run_now(sold)
    await erasing(city).run(ORDER)
    left = select(func.count()).where(evidence.c.machine_id == 1)
    assert database.run_now(lambda c: c.scalar(left)) == kept > 0


@pytest.mark.parametrize("change", ["reason", "values", "signature"])
async def test_a_changed_certificate_is_found_out(city: Town, change: str) -> None:
    made = await erasing(city).run(ORDER)
    assert check(json.loads(json.dumps(made))) == check(made)
    made[change] = made["public_key"] if change == "signature" else "x"
    with pytest.raises(CertificateError):
        check(made)


# -- the command --------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "city.db").write_bytes(_filled())
    (tmp_path / "passwords").write_text("city:$7$x\ngw-0:$7$y\ngw-1:$7$z\n")
    (tmp_path / "city.yaml").write_text(
        'city: { region: "330800", name_zh: 衢州市, name_en: Quzhou }\n'
        f'broker: {{ url: "mqtt://127.0.0.1:1883", password_file: {tmp_path}/passwords }}\n'
        f'identifier: {{ prefix: "88.999" }}\ndemonstration: true\ndata_dir: {tmp_path}\n',
        encoding="utf-8",
    )
    return tmp_path


WORDS = (GONE, "--reason", "合同终止", "--document", "9 号", "--apply", "--out", "out")


def run(*words: str, exit_code: int = 0) -> str:
    done = CliRunner(env={"COLUMNS": "200"}).invoke(build(["city"]), ["city", "erase", *words])
    assert done.exit_code == exit_code, done.output
    return done.output


def test_without_apply_nothing_is_changed(folder: Path) -> None:
    database = connect("sqlite:///city.db", folder)
    before = database.run_now(contents)
    told = run(GONE.lower())
    assert "nothing was changed" in told and "gateways\tgw-0" in told and "evidence\t" in told
    assert "by which document" in run(GONE, "--apply", exit_code=1)
    assert "ledger list" in run(uscc_of(99), exit_code=1)
    assert database.run_now(contents) == before
    database.close()


def test_killed_at_any_step_it_is_taken_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway.cli.city.erasing import erase_command

    for step in ("_erase_rows", "_erase_again", "_certify"):
        words = [sys.executable, "-m", "tests.support.dying_erasure", step, *WORDS]
        died = subprocess.run(
            words, check=False, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}
        )
        assert died.returncode == -signal.SIGKILL
        assert not (folder / "out").exists()  # nothing is certified that is not done
    monkeypatch.setattr(erase_command, "SETTLE_S", 0)
    # another reason now changes nothing: it is the same erasure
    run(GONE, "--reason", "另一个", *WORDS[3:])
    made = json.loads((folder / "out" / f"erasure-{GONE}-1.json").read_text(encoding="utf-8"))
    assert made["reason"] == "合同终止" and made["rows"]["evidence"]["before"] > 1_000
    assert (folder / "passwords").read_text() == "city:$7$x\ngw-1:$7$z\n"
    database = connect("sqlite:///city.db", folder)
    assert database.run_now(lambda c: c.scalar(select(func.count()).select_from(erasure))) == 1
    acts = [one.action for one in database.run_now(entries)]
    assert acts.count(Action.LEDGER_ERASURE) == acts.count(Action.ERASED) == 1
    remaining = select(func.count()).select_from(equipment)
    assert database.run_now(lambda c: c.scalar(remaining)) == sum((24, 12, 30, 16, 48, 8))
    takings = select(func.count()).select_from(evidence_taking)
    assert database.run_now(lambda c: c.scalar(takings)) == 0
    database.close()
    file = str(folder / "out" / f"erasure-{GONE}-1.json")
    assert "audit log has it" in run("verify", file, "-c", str(folder / "city.yaml"))
    assert "nothing was changed since" in run("verify", file)
    changed = folder / "changed.json"
    changed.write_text(json.dumps(made | {"reason": "x"}), encoding="utf-8")
    assert "changed since it was signed" in run("verify", str(changed), exit_code=1)
    assert (folder / "certificates.key").stat().st_mode & 0o777 == 0o600
