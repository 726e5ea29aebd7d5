"""The size class of an enterprise, from the numbers of its sheet to what is listed of it."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.city.ledger.bitemporal.timeline import said_of_enterprise
from gateway.city.ledger.importer import import_ledger
from gateway.city.ledger.listing import listed_enterprises
from gateway.city.ledger.sheet.amounts import people, revenue
from gateway.city.ledger.sheet.problems import LedgerError
from gateway.city.ledger.size_class import SIZE_CLASSES, UNKNOWN, size_class
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.support.city_db import USCCS

TODAY = date(2026, 11, 5)
NOW_MS = day_start_ms(TODAY)
HEAD = "统一社会信用代码,企业名称,县（市、区）,行业代码,规上"


@pytest.mark.parametrize(
    ("employees", "revenue_wan", "expected"),
    [
        (1000, 40_000, "large"),
        (999, 40_000, "medium"),
        (1000, 39_999.99, "medium"),
        (300, 2000, "medium"),
        (299, 2000, "small"),
        (300, 1999.9999, "small"),
        (20, 300, "small"),
        (19, 300, "micro"),
        (20, 299.99, "micro"),
        (5000, 0, "micro"),
        (0, 10**6, "micro"),
        (10, None, "micro"),
        (None, 299, "micro"),
        (500, None, UNKNOWN),
        (None, 40_000, UNKNOWN),
        (None, None, UNKNOWN),
    ],
)
def test_a_class_needs_both_limits(
    employees: int | None, revenue_wan: float | None, expected: str
) -> None:
    assert size_class(employees, revenue_wan) == expected


@given(st.integers(0, 2000), st.integers(0, 80_000))
def test_what_is_not_known_is_said_only_where_nothing_else_can_be(workers: int, money: int) -> None:
    """One number alone names a class only if every other number would, too."""
    for known in (size_class(workers, None), size_class(None, money)):
        assert known in {UNKNOWN, size_class(workers, money)}
    grown = list(SIZE_CLASSES)[::-1]
    assert grown.index(size_class(workers + 1, money)) >= grown.index(size_class(workers, money))


def test_numbers_as_sheets_have_them() -> None:
    assert people("1,234人", TODAY) == 1234
    assert revenue("４０,０００", TODAY) == 40_000
    assert revenue("¥1234.56万元", TODAY) == 1234.56
    for text in ("约300", "300.5", "-3", "1e9"):
        with pytest.raises(ValueError, match=r"people|0 or more"):
            people(text, TODAY)
    for text in ("2亿元", "20000000元"):
        with pytest.raises(ValueError, match="not in 万元; write 2000 for 2000万元"):
            revenue(text, TODAY)


def imported(database: Database, folder: Path, columns: str, cells: str, day: date) -> None:
    """Import one enterprise with some further columns."""
    path = folder / "e.csv"
    row = f"{USCCS[0]},甲,330822,3451,是"
    path.write_text(f"{HEAD}{columns}\n{row}{cells}\n", encoding="utf-8")
    import_ledger(database, [path], day_start_ms(day))


def test_a_size_is_imported_listed_and_kept_by_day(database: Database, tmp_path: Path) -> None:
    columns = ",从业人员（人）,营业收入（万元）,功能区"
    imported(database, tmp_path, "", "", date(2026, 1, 5))
    unknown = database.read_now(listed_enterprises)[0]
    assert (unknown["size_class"], unknown["employees"]) == (UNKNOWN, None)
    imported(database, tmp_path, columns, ",300,2000,智造新城", date(2026, 3, 1))
    imported(database, tmp_path, "", "", date(2026, 4, 1))  # an older sheet says nothing of it
    imported(database, tmp_path, columns, ",299,2000,智造新城", TODAY)
    one = database.read_now(listed_enterprises, uscc=USCCS[0])[0]
    assert (one["size_class"], one["size_class_zh"], one["functional_area"]) == (
        "small",
        "小型",
        "QZ-ZZXC",
    )
    sayings = database.read_now(said_of_enterprise, USCCS[0])
    said = [(one.valid_from, one.values.get("employees")) for one in sayings]
    assert said == [(date(1970, 1, 1), None), (date(2026, 3, 1), 300), (TODAY, 299)]


def test_a_number_that_is_none_is_named_by_its_cell(database: Database, tmp_path: Path) -> None:
    with pytest.raises(LedgerError) as error:
        imported(database, tmp_path, ",Employees", ",许多", TODAY)
    assert "e.csv, row 2, column Employees: '许多' is no number of people" in str(error.value)
