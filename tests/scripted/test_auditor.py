"""What an auditor asks of a published month, and the command or page that answers.

The rows of the table, in its order: why is this machine counted, where does N come from, which
definition, which enterprises, has it changed, can it be computed again, was it tampered with, who
looked.
"""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client import CollectorRegistry
from sqlalchemy import insert
from typer.testing import CliRunner

from gateway.city.access import users
from gateway.city.access.principal import Role, administrator, parse_scope
from gateway.city.app import City
from gateway.city.console.apart.place import Here
from gateway.city.console.app import build
from gateway.city.console.context import ConsoleContext
from gateway.city.console.live.present import Present
from gateway.city.db.schema.access import console_session
from gateway.city.live.server import LiveServer
from gateway.city.live.view import Live
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.frozen.freezing import freeze_month
from gateway.city.rates.frozen.jobs import code_digest
from gateway.city.rates.frozen.results import Correction
from gateway.city.stores.embedded import EmbeddedStore
from gateway.cli.main import build as commands
from gateway.relational.database import connect
from gateway.web.access.store import digest_of
from tests.scripted.play import PER_DAY, configuration, milliseconds, played
from tests.scripted.story import BEIJING, SITE, Story, load, only

WHOLE = load()
STORY = only(WHOLE, "ADEFRT", WHOLE.data["gateways"], [])
"""Of whom the questions are; `test_oracle.py` counts the whole month."""
NOW_MS = milliseconds(STORY.moment("corrected"))
LATE = Correction("late_data", "网关断网后补传", "李四")
APPROVAL = {
    "id": "ENR-A", "version": builtin_definitions()["ENR-A"].version, "approved_by": "市统计局",
    "approved_on": "2025-09-20", "document": "衢统〔2025〕8号", "valid_from": "2025-10-01",
}  # fmt: skip
AUDITOR = "shen.ji"
NINE_MS = milliseconds(datetime(2025, 10, 11, 9, tzinfo=BEIJING))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The city after the scripted month, which was published three times."""
    made = tmp_path_factory.mktemp("audited") / "city"

    def freeze(name: str, city: City, now_ms: int) -> None:
        correction = LATE if name == "corrected" else None
        how: dict[str, Any] = {"demonstration": False, "definitions": city.definitions}
        freeze_month(city.database, "ENR-A", STORY.month, now_ms, correction=correction, **how)

    played(STORY, made, freeze, ["provisional", "final", "corrected"])
    definitions = made / "definitions.yaml"
    known = yaml.safe_load(definitions.read_text("utf-8")) | {"approvals": [APPROVAL]}
    definitions.write_text(yaml.safe_dump(known, allow_unicode=True), "utf-8")
    return made


def qulink(folder: Path, *words: str) -> str:
    """What a command prints, with its exit code in front if that is not 0."""
    arguments = [*words, "-c", str(folder / "city.yaml")]
    done = CliRunner().invoke(commands(arguments), arguments)
    return done.output if done.exit_code == 0 else f"{done.exit_code}: {done.output}"


def machine(story: Story, number: str) -> str:
    return f"{story.uscc(number[0])}/{SITE}/{number}"


def _plain(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def test_commands_answer_an_auditor(folder: Path) -> None:
    month = ("--month", STORY.month)
    # Why is this machine counted?
    shown = json.loads(qulink(folder, "evidence", "show", machine(STORY, "D-01"), *month, "--json"))
    day = next(one for one in shown["days"] if one["day"] == "2025-10-11")
    assert day["sources"][0]["gateway"] == "gw-d"
    assert (day["values"]["valid"], day["values"]["expected"]) == (PER_DAY, PER_DAY)
    assert day["sources"][0]["first_ms"] == day["sources"][0]["last_ms"] == NINE_MS
    assert shown["verdicts"]["ENR-A"]["reason"] == "networked"
    # Which data is that? Those of a chain of digests, which ends in the root of the month.
    assert len(shown["sealed"]["digest"]) == len(shown["sealed"]["root"]) == 64
    # Is it what the city holds? The digest of the machine's raw days, as anybody computes it.
    rows = shown["raw"]["rows"]
    lines = "".join(" ".join(map(_plain, one.values())) + "\n" for one in rows)
    assert sha256(lines.encode()).hexdigest() == shown["raw"]["digest"]
    assert "2025-10-11 controller 0 0 gw-d" in lines
    # By what was it computed? The newest result's job, the code that ran among it.
    assert shown["results"]["ENR-A"]["job"]["code"] == code_digest()
    dead = json.loads(qulink(folder, "evidence", "show", machine(STORY, "A-01"), *month, "--json"))
    assert dead["verdicts"]["ENR-A"]["reason"] == "too_few_days"
    assert any("gateway_silent" in one["gaps_ms"] for one in dead["days"])
    # Where does N come from?
    # a machine is itself whatever its number is now
    told = qulink(folder, "ledger", "history", STORY.uscc("E"), "--asset", "E-33")
    assert "2025-09-10 10:00" in told
    assert "王录入" in told
    # Which definition? Which figures?
    table = json.loads(qulink(folder, "rates", *month, "--by", "enterprise", "--json"))
    assert table["definition"] == "ENR-A"
    assert len(table["definition_hash"]) == 64
    assert (table["approved_by"], table["approval_document"]) == ("市统计局", "衢统〔2025〕8号")
    assert table["evidence_root"] == shown["sealed"]["root"]
    # Has it changed since?
    assert (table["status"], table["vintage"]) == ("R", 3)
    assert "late_data" in json.dumps(table)
    assert LATE.note in json.dumps(table, ensure_ascii=False)
    # Which enterprises?
    members = qulink(folder, "ledger", "history", STORY.uscc("T"))
    assert "KEY" in members
    assert "2025-10-31" in members
    # Can it be computed again?
    again = qulink(folder, "rates", "reproduce", STORY.month, "--vintage", "3")
    assert "一致" in again
    assert f"started by {LATE.corrected_by}" in again
    assert "the code of now" in again
    first = qulink(folder, "rates", "reproduce", STORY.month, "--vintage", "2")
    assert first.startswith("1: ")
    assert "evidence that came later" in first


def test_machines_to_look_at_are_drawn_and_nobody_chooses_them(
    folder: Path, tmp_path: Path
) -> None:
    drawn = []
    for name in ("first.csv", "again.csv"):
        sheet = tmp_path / name
        asked = ("--month", STORY.month, "--draws", "3", "--machines", "2")
        qulink(folder, "evidence", "sample", str(sheet), *asked)
        drawn.append(sheet.read_text("utf-8-sig"))
    assert drawn[0] == drawn[1]
    assert any(STORY.uscc(one) in drawn[0] for one in "ADEFRT")


def test_what_is_tampered_with_is_named(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "city"
    copy.mkdir()
    (copy / "city.yaml").write_text(
        (folder / "city.yaml").read_text("utf-8").replace(str(folder), str(copy)), "utf-8"
    )
    (copy / "definitions.yaml").write_bytes((folder / "definitions.yaml").read_bytes())
    with sqlite3.connect(folder / "city.db") as whole, sqlite3.connect(copy / "city.db") as target:
        whole.backup(target)
    (copy / "city.db").chmod(0o600)
    assert "as it was stored" in qulink(copy, "evidence", "verify")
    with sqlite3.connect(copy / "city.db") as target:
        target.execute("UPDATE day_map SET digest = replace(digest, '1', '2')")
    changed = qulink(copy, "evidence", "verify")
    assert changed.startswith("1: ")
    assert "map of" in changed


@asynccontextmanager
async def console(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The city's console, and the browser of an auditor who has logged in."""
    config = configuration(STORY, folder)
    database = connect(config.database.url, folder)
    store = EmbeddedStore(folder / "telemetry.db")
    await store.open()
    server = LiveServer(folder, Live(), CollectorRegistry(), dict)
    present = Present(folder, database, store, 60_000, lambda: NOW_MS)

    def enter(connection: Any) -> None:
        user = users.User(
            AUDITOR, AUDITOR, Role.AUDITOR, parse_scope("all"), NOW_MS, "root", None,
            is_invited=True,
        )  # fmt: skip
        users.add(connection, administrator("root"), user)
        row = {"digest": digest_of("a"), "token_digest": "", "address": "", "user_name": AUDITOR}
        times = {"opened_ms": NOW_MS, "expires_ms": NOW_MS + 10**12}
        connection.execute(insert(console_session).values(**row, **times))

    database.run_now(enter)
    async with server.listening():
        await present.refresh()
        app = build(
            ConsoleContext(config, database, present, store, lambda: NOW_MS, Here(database))
        )
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://127.0.0.1:8080",
            cookies={"qulink_session_8080": "a", "qulink_csrf": "x"},
            timeout=60,
        ) as browser:
            yield browser
    await present.close()
    await store.close()
    database.close()


async def test_pages_answer_an_auditor(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.web.access.admission.system_ms", lambda: NOW_MS)
    monkeypatch.setattr("gateway.city.console.remember.WAIT_S", 60.0)
    firm, month = STORY.uscc("A"), f"month={STORY.month}"
    async with console(folder) as browser:

        async def page(path: str) -> str:
            answer = await browser.get(path)
            assert answer.status_code == 200, (path, answer.text[:200])
            return answer.text

        # Why is this machine counted? From the first page on it is two clicks.
        enterprise = await page(f"/enterprises/{firm}?{month}&lang=zh&purpose=audit")
        address = f"/enterprises/{firm}/{SITE}/A-01"
        assert address in enterprise
        counted = await page(f"{address}?{month}&lang=zh")
        assert "有效天数不足" in counted
        # Where does N come from? Who entered the machine, and what proves that it is there.
        assert "录入：王录入 · 凭证：发票 04417233" in counted
        # Which definition, approved by whom?
        definitions = await page("/definitions?lang=zh")
        assert "ENR-A" in definitions
        # Has it changed since, and why? Each vintage is told, with its reason and evidence root.
        months = json.loads(await page("/api/v1/months?definition=ENR-A"))["data"]
        told = next(one for one in months if one["month"] == STORY.month)["vintages"]
        assert [one["vintage"] for one in told] == [1, 2, 3]
        assert [one["correction"] and one["correction"]["note"] for one in told] == [
            None,
            None,
            LATE.note,
        ]
        assert len({one["evidence_root"] for one in told}) == len(told)
        # By what was each computed? Its job, who started it, and a digest of the code.
        rows = json.loads(await page(f"/revisions?{month}&format=json"))["rows"]
        assert [one["started_by"] for one in rows] == ["calendar", "calendar", LATE.corrected_by]
        assert len({one["job"] for one in rows}) == len(rows)
        assert {one["code"] for one in rows} == {code_digest()}
        assert code_digest() in await page(f"/revisions?{month}&lang=zh")
        # What is worth a look on site, and what was looked at?
        assert "线索台账" in await page("/findings?lang=zh")
        assert "现场核查" in await page("/samples?lang=zh")
        # The figure of the first page is that of the newest vintage.
        figures = json.loads(await page(f"/?{month}&format=json"))
        assert (figures["vintage"], figures["evidence_root"]) == (3, told[-1]["evidence_root"])
        # Who looked?
        log = await page("/audit?lang=zh")
        assert AUDITOR in log
        assert firm in log
