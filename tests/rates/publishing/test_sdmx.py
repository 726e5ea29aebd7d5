"""Published tables as SDMX, read by pysdmx, which is not ours."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.city.ledger.codes import Name
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.exports.sdmx import sdmx_csv, sdmx_structure
from gateway.city.rates.publishing.publish import MonthTable, Public, PublishedTable, publish
from gateway.city.rates.publishing.record import rules_of_publication
from gateway.city.rates.publishing.withholding import withhold
from tests.rates.publishing.cities import city
from tests.support.peers import missing

CITY = city(1)
ENR_A = builtin_definitions()["ENR-A"]
QUZHOU = Name("衢州市", "Quzhou")
READER = Path(__file__).parents[2] / "foreign" / "sdmx" / "pysdmx_reader.py"


@pytest.fixture(scope="module")
def python() -> Path:
    """Of the environment that ``make foreign-peers`` makes for pysdmx."""
    found = Path(sys.prefix) / "sdmx" / "bin" / "python"
    if not found.exists():
        missing("pysdmx", "make foreign-peers")
    return found


def table() -> PublishedTable:
    month = MonthTable("ENR-A", "2026-09", "F", 2, CITY)
    return publish(month, Public(withhold([CITY], rules_of_publication())))


def read_again(python: Path, folder: Path) -> dict[str, Any]:
    data, structure = folder / "data.csv", folder / "structure.json"
    data.write_bytes(sdmx_csv(table(), ENR_A, "330800").encode())
    structure.write_text(sdmx_structure(table(), ENR_A, "330800", QUZHOU), encoding="utf-8")
    answer = subprocess.run(
        [python, READER, data, structure], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    read: dict[str, Any] = json.loads(answer.stdout)
    return read


def test_a_foreign_library_reads_what_is_published(python: Path, tmp_path: Path) -> None:
    read = read_again(python, tmp_path)
    assert read["unknown"] == []
    assert read["columns"][:6] == [
        "FREQ", "REF_AREA", "ACTIVITY", "INDICATOR", "MEASURE", "TIME_PERIOD",
    ]  # fmt: skip
    rows = read["rows"]
    assert len(rows) == 5 * len(table().cells)
    total = {
        row["MEASURE"]: row
        for row in rows
        if row["REF_AREA"] == "330800" and row["ACTIVITY"] == "_T"
    }
    assert float(total["N"]["OBS_VALUE"]) == sum(one.equipment for one in CITY)
    assert (total["POOLED"]["UNIT_MEASURE"], total["POOLED"]["DECIMALS"]) == ("PERCENT", 2)
    hidden = [row for row in rows if row["CONF_STATUS"] == "N"]
    assert hidden and {row["OBS_STATUS"] for row in hidden} == {"Q"}
    assert {str(row["OBS_VALUE"]) for row in hidden} <= {"", "nan", "None"}
    assert {row["OBS_STATUS"] for row in rows if row["CONF_STATUS"] == "F"} == {"A"}


def test_equal_tables_are_equal_bytes() -> None:
    assert sdmx_csv(table(), ENR_A, "330800") == sdmx_csv(table(), ENR_A, "330800")
    one = sdmx_structure(table(), ENR_A, "330800", QUZHOU)
    assert one == sdmx_structure(table(), ENR_A, "330800", QUZHOU)
