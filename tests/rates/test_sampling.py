"""Samples to look at on site: drawn by size, chosen by nobody, with an interval that holds."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection
from typer.testing import CliRunner

from gateway.city.access.principal import EVERYTHING, Scope, ScopeKind
from gateway.city.db.operation import begin
from gateway.city.rates.daymaps.takings import keep, take
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.period import period_of
from gateway.city.rates.sampling.design import (
    Looked,
    SampleError,
    enterprises_drawn,
    machines_drawn,
    verified,
)
from gateway.city.rates.sampling.looks import Look, looks
from gateway.cli.main import build
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.support.city import city_file
from tests.support.city_db import (
    USCCS,
    add_days,
    add_enterprise,
    add_machine,
    days_between,
    sqlite_city,
)

NOW = day_start_ms(date(2026, 10, 20))
SIZES = st.dictionaries(st.text("AB", min_size=1, max_size=5), st.integers(0, 300), min_size=1)


@given(SIZES, st.integers(1, 40), st.text(max_size=5))
def test_an_enterprise_is_drawn_as_often_as_its_share_says(
    sizes: dict[str, int], draws: int, seed: str
) -> None:
    total = sum(sizes.values())
    if draws > total:
        with pytest.raises(SampleError, match="draw fewer"):
            enterprises_drawn(sizes, draws, seed)
        return
    drawn = enterprises_drawn(sizes, draws, seed)
    assert len(drawn) == draws
    assert drawn == enterprises_drawn(sizes, draws, seed)
    for uscc, often in (Counter(drawn) | Counter(dict.fromkeys(sizes, 0))).items():
        assert abs(often - Fraction(draws * sizes[uscc], total)) < 1


def test_each_machine_is_drawn_as_likely_as_any_other() -> None:
    sizes = {"A": 5, "B": 20, "C": 75}
    often: Counter[tuple[str, int]] = Counter()
    for seed in range(2000):
        for number, uscc in enumerate(enterprises_drawn(sizes, 2, str(seed))):
            chosen = machines_drawn(range(sizes[uscc]), 2, str(seed), number)
            often.update((uscc, one) for one in chosen)
    for uscc, size in sizes.items():  # 2 draws of 2 machines among 100: 80 times each
        mean = sum(number for (one, _), number in often.items() if one == uscc) / size
        assert 74 < mean < 86


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """A city of 60 enterprises that differ, looked at 400 times."""
    chance = random.Random(5)
    sizes = {f"{at:03d}": chance.randrange(5, 100) for at in range(60)}
    rates = {one: chance.choice([0.1, 0.4, 0.6, 0.9]) for one in sizes}
    city = {one: [chance.random() < rates[one] for _ in range(sizes[one])] for one in sizes}
    truth = sum(map(sum, city.values())) / sum(sizes.values())
    holds, rates_found = 0, []
    for seed in range(400):
        looked = []
        for number, uscc in enumerate(enterprises_drawn(sizes, 20, str(seed))):
            some = machines_drawn(range(sizes[uscc]), 5, str(seed), number)
            looked.append(Looked(5, 5, sum(city[uscc][one] for one in some)))
        found = verified(looked)
        assert found.rate is not None
        assert found.low is not None
        assert found.high is not None
        holds += found.low <= truth <= found.high
        rates_found.append(float(found.rate))
    assert holds >= 372  # of 400: 95 % is 380; two standard errors of that are 9
    assert abs(sum(rates_found) / 400 - truth) < 0.01


def test_what_the_look_says() -> None:
    one = verified([Looked(4, 4, 2), Looked(4, 2, 2)])  # 4 connected of 6 found
    assert (one.found, one.rate) == (Fraction(3, 4), Fraction(2, 3))
    assert one.low == 0.0
    assert one.high == 1.0
    assert verified([Looked(5, 0, 0)] * 3).rate is None
    sure = verified([Looked(5, 5, 5)] * 20)
    assert (sure.rate, sure.high) == (1, 1.0)
    assert sure.low == pytest.approx(0.025 ** (1 / 20))
    none = verified([Looked(5, 5, 0)] * 20)
    assert (none.low, none.high) == (0.0, pytest.approx(1 - 0.025 ** (1 / 20)))
    alike = verified([Looked(2, 2, 1)] * 3)
    assert (alike.rate, alike.low) == (Fraction(1, 2), None)


def fill(connection: Connection) -> None:
    begin(connection, date(2026, 1, 1))
    since = date(2020, 1, 1)
    for uscc, machines in zip(USCCS, (2, 9, 5), strict=False):
        add_enterprise(connection, uscc)
        for at in range(machines):
            made = add_machine(connection, uscc, f"{at}#磨床", commissioned_on=since)
            if at % 2:
                add_days(connection, made, days_between(date(2026, 9, 1), date(2026, 9, 30)))


def seal(connection: Connection) -> None:
    record = builtin_definitions()["ENR-A"]
    inquiry = Inquiry(record, period_of("2026-09", NOW, None), NOW, demonstration=False)
    keep(connection, take(connection, inquiry), NOW)


@pytest.fixture
def city(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr("gateway.cli.city.evidence.sample_command.system_ms", lambda: NOW)
    city_file(tmp_path, "127.0.0.1:1")
    made = sqlite_city(tmp_path)
    made.run_now(fill)
    yield made
    made.close()


def said(folder: Path, command: str, file: Path, *more: str) -> tuple[int, list[str]]:
    wanted = ["evidence", command, str(file), "--month", "2026-09", "--draws", "4"]
    wanted += ["--machines", "2", "-c", str(folder / "city.yaml"), *more]
    done = CliRunner(env={"COLUMNS": "200"}).invoke(build(["evidence"]), wanted)
    return done.exit_code, done.output.splitlines()


def test_nobody_chooses_the_sample(city: Database, tmp_path: Path) -> None:
    code, lines = said(tmp_path, "sample", tmp_path / "sheet.xlsx")
    assert code == 1
    assert "no rate of 2026-09 is published yet" in lines[0]
    city.run_now(seal)
    first, again = tmp_path / "sheet.csv", tmp_path / "again.csv"
    assert said(tmp_path, "sample", first)[0] == said(tmp_path, "sample", again)[0] == 0
    assert first.read_bytes() == again.read_bytes()


def test_a_sheet_goes_out_and_comes_back(city: Database, tmp_path: Path) -> None:
    city.run_now(seal)
    file = tmp_path / "sheet.xlsx"
    code, lines = said(tmp_path, "sample", file)
    assert code == 0
    assert "8 machines of" in lines[0]
    code, lines = said(tmp_path, "sampled", file)
    assert code == 1
    assert lines[-1] == "mistakes: 16; nothing was computed"  # nobody has filled it in

    book = openpyxl.load_workbook(file)
    sheet = book.active
    assert sheet is not None
    head = next(row for row in sheet.iter_rows() if row[0].value == "抽样序号")
    place = {cell.value: cell.column for cell in head}
    rows = range(head[0].row + 1, head[0].row + 9)
    for row in rows:
        expected = sheet.cell(row, place["计为已联网"]).value
        sheet.cell(row, place["现场找到"], "是")
        sheet.cell(row, place["现场已联网"], expected)
    book.save(file)
    code, lines = said(tmp_path, "sampled", file)
    assert code == 0, lines
    assert lines[0].startswith("100.00 % of the machines were found; verified rate ")
    assert "95 % interval" in lines[0]
    assert lines[1] == "found otherwise than the month counts them: 0 of 8"
    assert city.read_now(looks, EVERYTHING, synthetic=False) == []
    told = _kept(city, tmp_path, book, file, (rows[0], place["现场已联网"]))
    assert told.verified.rate is not None

    kept = [sheet.cell(rows[-1], at).value for at in range(1, len(head) + 1)]
    sheet.delete_rows(rows[-1])
    book.save(file)
    code, lines = said(tmp_path, "sampled", file)
    assert code == 1
    assert "machines of the sample that have no row: 1" in lines[0]
    for at, value in enumerate(kept, 1):
        sheet.cell(rows[-1], at, value)

    sheet.cell(rows[0], place["现场找到"], "否")
    sheet.cell(rows[0], place["现场已联网"], "是")
    sheet.cell(rows[1], place["资产编号"], "other")
    book.save(file)
    code, lines = said(tmp_path, "sampled", file)
    text = "\n".join(lines)
    assert code == 1
    assert "was not found, so it is not connected" in text
    assert "was not drawn; look for what was" in text


def _kept(
    city: Database, folder: Path, book: openpyxl.Workbook, file: Path, cell: tuple[int, int]
) -> Look:
    """A look that found one machine otherwise is kept; one that is entered again is another."""
    sheet = book.active
    assert sheet is not None
    before = sheet.cell(*cell).value
    sheet.cell(*cell, "否" if before == "是" else "是")
    book.save(file)
    code, lines = said(folder, "sampled", file, "--keep", "--note", "两人到场")
    assert (code, lines[0]) == (0, "kept as look 1")
    sheet.cell(*cell, before)
    book.save(file)
    assert said(folder, "sampled", file, "--keep")[1][0] == "kept as look 2"
    second, first = city.read_now(looks, EVERYTHING, synthetic=False)
    assert (first.looked, len(first.differing), len(second.differing)) == (8, 1, 0)
    assert (first.note, first.sample.draws, first.sample.machines) == ("两人到场", 4, 2)
    assert city.read_now(looks, EVERYTHING, synthetic=True) == []
    (one,) = first.differing
    own = Scope(ScopeKind.ENTERPRISES, frozenset({one.uscc}))
    other = Scope(ScopeKind.ENTERPRISES, frozenset({"9"}))
    assert city.read_now(looks, own, synthetic=False)[1].differing == [one]
    nobody = city.read_now(looks, other, synthetic=False)[1]
    assert (nobody.looked, nobody.differing) == (0, [])
    return first
