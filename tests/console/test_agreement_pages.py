"""Data agreements on pages, in files and by commands."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, update
from typer.testing import CliRunner

from gateway.city.access.audit import Action, entries
from gateway.city.db.tables import watermark
from gateway.city.ledger.agreements.sort import AGREEMENTS
from gateway.city.ledger.papers.entering import enter_files
from gateway.cli.main import build
from gateway.core.days import day_of
from gateway.relational.database import connect
from tests.console.http import get
from tests.console.town import NOW_MS, Town, _filled, uscc_of

HEAD = "统一社会信用代码,协议编号,依据文件,数据用途,协议起始日期,协议终止日期,采集点位,填报人\n"
TODAY = day_of(NOW_MS)


def line(uscc: str, last: str = "") -> str:
    return f"{uscc},SJ-1,衢数协 1 号,联网率统计,2025-01-01,{last},grinder/*,王五\n"


def left_out(connection: Connection) -> None:
    here = update(watermark).where(watermark.c.gateway == "gw-0")
    connection.execute(here.values(values_unagreed=1_234))


async def test_pages_say_what_may_be_collected(address: str, city: Town, tmp_path: Path) -> None:
    uscc, other = uscc_of(0), uscc_of(5)
    page = (await get(f"{address}/enterprises/{uscc}?lang=zh")).text
    assert "没有录入数据协议：该企业上报的点位全部保存。" in page
    file = tmp_path / "agreements.csv"
    ended = str(TODAY - timedelta(days=1))
    file.write_text(HEAD + line(uscc) + line(other, ended), encoding="utf-8")
    city.database.run_now(enter_files, AGREEMENTS, [file], NOW_MS, made_by="李四")
    city.database.run_now(left_out)
    page = (await get(f"{address}/enterprises/{uscc}?lang=zh")).text
    for told in ("SJ-1", "grinder/*", "联网率统计", "协议有效", "1,234"):
        assert told in page
    assert "grinder/*" not in (await get(f"{address}/enterprises/{uscc_of(1)}")).text
    page = (await get(f"{address}/quality?lang=en")).text
    assert "agreement ended: nothing new is kept" in page
    rows = (await get(f"{address}/quality?format=json")).json()["rows"]
    found = {row["uscc"]: row for row in rows if row["finding"].startswith("agreement.")}
    assert found.keys() == {uscc, other, *(uscc_of(at) for at in range(1, 5))} - {""}
    assert (found[uscc]["finding"], found[uscc]["count"]) == ("agreement.outside", 1_234)
    assert found[other]["finding"] == "agreement.ended"
    assert found[other]["detail"] == f"until {ended}"
    books = (await get(f"{address}/books?format=json")).json()["rows"]
    assert {row["gateway"]: row["unagreed"] for row in books}["gw-0"] == 1_234


def test_commands_enter_list_show_and_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "city.db").write_bytes(_filled())
    (tmp_path / "city.yaml").write_text(
        'city: { region: "330800", name_zh: 衢州市, name_en: Quzhou }\n'
        'broker: { url: "mqtt://127.0.0.1:1883" }\nidentifier: { prefix: "88.999" }\n'
        f"data_dir: {tmp_path}\n",
        encoding="utf-8",
    )

    def run(*words: str, exit_code: int = 0) -> str:
        done = CliRunner(env={"COLUMNS": "200"}).invoke(
            build(["ledger"]), ["ledger", "agreements", *words]
        )
        assert done.exit_code == exit_code, done.output
        return done.output

    uscc = uscc_of(0)
    assert "采集点位" in run("template", "empty.csv")
    file = tmp_path / "a.csv"
    file.write_text((tmp_path / "empty.csv").read_text(encoding="utf-8-sig") + line(uscc))
    assert "1 added" in run("import", "a.csv")
    assert "1 unchanged" in run("import", "a.csv")
    assert "SJ-1" in run("list")
    assert '"points": [\n      "grinder/*"' in run("list", "--json")
    refused = run("end", uscc, "SJ-9", "--on", "2026-12-31", "--reason", "合同到期", exit_code=1)
    assert "it has SJ-1" in refused
    assert "city erase" in run("end", uscc, "SJ-1", "--on", "2026-12-31", "--reason", "合同到期")
    shown = run("show", uscc)
    assert shown.count("SJ-1") == 2 and "2026-12-31" in shown
    assert "agreements import" in run("show", uscc_of(5), exit_code=1)
    noted = [one.action for one in connect("sqlite:///city.db", tmp_path).run_now(entries)]
    expected = (Action.LEDGER_AGREEMENTS, Action.LEDGER_AGREEMENT_END, Action.VIEWED)
    assert set(expected) <= set(noted)
