"""Every vintage of a month with what it changed and why; records side by side."""

import io
import zipfile
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Connection, insert

from gateway.city.access.principal import EVERYTHING, Role, parse_scope
from gateway.city.console.revisions.versions import chain, differences, steps
from gateway.city.console.revisions.vintages import vintages
from gateway.city.db.schema.rates import rate_correction, rate_result
from gateway.city.rates.definitions import builtin_definitions, earlier_definitions
from gateway.city.rates.frozen.jobs import note_job
from tests.console.http import get
from tests.console.people import browser, known, peopled
from tests.console.town import NOW_MS, Town, uscc_of

ENR_A = builtin_definitions()["ENR-A"]


Stored = list[dict[str, object]]


def _vintage(month: str, number: int, status: str, cells: dict[str, tuple[int, int]]) -> Stored:
    row: dict[str, object] = {
        "definition": "ENR-A", "definition_hash": "old" if number == 1 else "new", "month": month,
        "vintage": number, "status": status, "enterprise_count": 1, "mean": None,
        "synthetic": True, "computed_ms": NOW_MS, "ledger_change": 3,
    }  # fmt: skip
    return [
        row
        | {"dimension": "city" if key == "city" else "enterprise", "cell": key}
        | {"numerator": networked, "denominator": equipment}
        for key, (networked, equipment) in cells.items()
    ]


def _store(connection: Connection) -> None:
    mine, other = uscc_of(0), uscc_of(1)
    rows = [
        *_vintage("2025-09", 1, "P", {"city": (5, 10), mine: (4, 6), other: (1, 4)}),
        *_vintage("2025-09", 2, "F", {"city": (6, 10), mine: (5, 6), other: (1, 4)}),
        *_vintage("2025-09", 3, "F", {"city": (6, 12), mine: (5, 6), other: (1, 6)}),
        *_vintage("2025-08", 1, "F", {"city": (0, 0)}),
    ]
    connection.execute(insert(rate_result), rows)
    why = {"reason": "ledger", "note": "补录两台", "corrected_by": "李四"}
    vintage = {"definition": "ENR-A", "month": "2025-09", "vintage": 3}
    connection.execute(insert(rate_correction), [vintage | why])
    note_job(connection, **vintage, started_by="李四")  # type: ignore[arg-type]


def test_each_vintage_tells_what_it_changed(city: Town) -> None:
    city.database.run_now(_store)
    found = city.database.read_now(vintages, "ENR-A", None, EVERYTHING, True)
    assert [(one.month, one.number) for one in found] == [
        ("2025-09", 1), ("2025-09", 2), ("2025-09", 3), ("2025-08", 1),
    ]  # fmt: skip
    assert [one.points for one in found] == [None, 10, -10, None]
    assert [(one.networked_change, one.equipment_change) for one in found[:3]] == [
        (0, 0), (1, 0), (0, 2),
    ]  # fmt: skip
    assert [one.is_redefined for one in found[:3]] == [False, True, False]
    assert [one.correction and one.correction.reason for one in found[:3]] == [None, None, "ledger"]
    assert found[3].pooled is None, "nobody is there: no 0 %"
    assert city.database.read_now(vintages, "ENR-A", None, EVERYTHING, False) == []


@pytest.mark.parametrize(("key", "shares"), [(0, [4, 5, 5]), (1, [1, 1, 1])])
def test_who_sees_a_part_sees_its_vintages_alone(city: Town, key: int, shares: list[int]) -> None:
    city.database.run_now(_store)
    scope = parse_scope(f"enterprise {uscc_of(key)}")
    found = city.database.read_now(vintages, "ENR-A", "2025-09", scope, True)
    assert [one.networked for one in found] == shares


async def test_the_page_and_its_file(address: str, city: Town) -> None:
    assert "还没有定稿" in (await get(f"{address}/revisions?lang=zh")).text
    city.database.run_now(_store)
    page = (await get(f"{address}/revisions?lang=zh")).text
    for words in ("台账更正", "补录两台", "李四", "−10.00", "K +0 · N +2", "口径版本与上一版不同"):
        assert words in page, words
    file = (await get(f"{address}/revisions?format=json&month=2025-09")).json()
    shown = [(row["vintage"], row["pooled_percent"]) for row in file["rows"]]
    assert [(number, float(rate)) for number, rate in shown] == [(1, 50), (2, 60), (3, 50)]


TOLD = (
    "/revisions?month=2025-09", "/revisions?month=2025-09&format=json", "/?month=2025-09",
    "/?month=2025-09&format=csv", "/?month=2025-09&format=json", "/?month=2025-09&format=xlsx",
    "/api/v1/months", "/api/v1/figures?month=2025-09",
)  # fmt: skip
"""Where a correction is told."""


def _texts(answer: httpx.Response) -> str:
    if not answer.content.startswith(b"PK"):
        return answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        return "".join(book.read(one).decode() for one in book.namelist())


async def test_a_note_may_name_others_and_is_told_to_who_sees_all(tmp_path: Path) -> None:
    async with peopled(tmp_path) as (made, base), browser(base) as own, browser(base) as bureau:
        made.database.run_now(_store)
        await known(made, own, "plant", Role.ENTERPRISE, f"enterprise {uscc_of(0)}")
        await known(made, bureau, "wang.li", Role.BUREAU, "all")
        for address in TOLD:
            answers = [await client.get(address) for client in (own, bureau)]
            assert [one.status_code for one in answers] == [200, 200], address
            said = ["补录两台" in _texts(one) or "李四" in _texts(one) for one in answers]
            assert said == [False, True], address
        assert "台账更正" in (await own.get("/revisions?month=2025-09&lang=zh")).text


async def test_versions_stand_side_by_side(address: str) -> None:
    known = chain(ENR_A, ENR_A, earlier_definitions())
    assert [one.version for one in known] == sorted({one.version for one in known})
    assert known[-1] is ENR_A
    for before, step in zip(known, steps(known, ENR_A), strict=False):
        assert not step.is_own
        assert {one.field for one in step.fields} >= {"version"}
        assert before.version == step.before
    own = ENR_A.model_copy(update={"version": 9, "level": 1})
    changed = {one.field: (one.before, one.now) for one in differences(ENR_A, own)}
    assert changed == {"version": (str(ENR_A.version), "9"), "level": ("2", "1")}
    assert steps(chain(own, ENR_A, ()), ENR_A)[-1].is_own
    page = (await get(f"{address}/definitions?lang=zh")).text
    assert f"第 {known[-2].version} 版 → 第 {ENR_A.version} 版" in page
    assert ENR_A.hash in page, "the whole of it, to compare"
