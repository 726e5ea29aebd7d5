"""Bills of materials, licences, and advisories against a database of the test's own."""

import json
import re
import subprocess
import sys
import zipfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bill() -> ModuleType:
    spec = spec_from_file_location("bill", ROOT / "deploy" / "bill.py")
    assert spec is not None
    assert spec.loader is not None
    made = module_from_spec(spec)
    sys.modules["bill"] = made  # dataclasses look their module up
    spec.loader.exec_module(made)
    return made


def pinned(site: str) -> set[str]:
    text = (ROOT / "requirements" / f"{site}.txt").read_text()
    return {line.split()[0].split(";")[0] for line in text.splitlines() if "==" in line}


@pytest.mark.parametrize("site", ["edge", "city", "demo"])
def test_a_bill_names_every_pinned_package(bill: ModuleType, tmp_path: Path, site: str) -> None:
    assert bill.main(["sbom", str(tmp_path)]) == 0
    made = json.loads((tmp_path / f"qulink-{site}.cdx.json").read_text())
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.5")
    parts = made["components"]
    assert len(parts) == len(pinned(site)) > 20
    assert all(re.fullmatch(r"pkg:pypi/[a-z0-9-]+@\S+", one["purl"]) for one in parts)
    without = [one["name"] for one in parts if not one["licenses"]]
    assert without == ["colorama"]  # Windows only


def test_the_page_of_licences_names_what_is_pinned(bill: ModuleType) -> None:
    """Renew it with `make licences` after `make lock`."""
    page = (ROOT / "docs" / "licences.md").read_text()
    rows = re.findall(r"^\| (\S+) \| (\S+) \| (.+) \| (.+) \|$", page, re.MULTILINE)
    told = {bill.Part(name, version) for name, version, *_ in rows if version != "version"}
    assert told == {part for site in bill.SITES for part in bill.parts_of(site)}
    assert "not told" not in page


def test_licences_that_ask_something_come_first(bill: ModuleType) -> None:
    rows = [line for line in bill.licence_page().splitlines() if line.startswith("| ")][1:]
    first = [row.split(" | ")[0].strip("| ") for row in rows[:7]]
    assert {"asyncua", "certifi", "orjson", "psycopg", "psycopg-binary"} <= set(first)


def advisory(version: str, **more: Any) -> dict[str, Any]:
    events = [{"introduced": "0"}, {"fixed": version}]
    package = {"ecosystem": "PyPI", "name": "Starlette"}
    ranges = [{"type": "ECOSYSTEM", "events": events}]
    return {
        "id": "X-1",
        "summary": "bad",
        "affected": [{"package": package, "ranges": ranges}],
    } | more


def exact(ecosystem: str, name: str) -> dict[str, Any]:
    package = {"ecosystem": ecosystem, "name": name}
    return {"id": "1", "affected": [{"package": package, "versions": ["1.0"]}]}


@pytest.mark.parametrize("kind", ["json", "yaml", "zip"])
def test_an_affected_version_is_found_in_each_form(
    bill: ModuleType, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    database, told = tmp_path / "osv", advisory("999")
    (database / "starlette").mkdir(parents=True)
    if kind == "json":
        (database / "starlette" / "X-1.json").write_text(json.dumps(told))
    elif kind == "yaml":
        (database / "starlette" / "X-1.yaml").write_text(yaml.safe_dump(told))
    else:
        database = tmp_path / "all.zip"
        with zipfile.ZipFile(database, "w") as archive:
            archive.writestr("X-1.json", json.dumps(told))
    assert bill.main(["advisories", str(database)]) == 1
    found, summary = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"starlette \S+: X-1: bad \(mended in 999\)", found)
    assert summary.endswith("packages: 1 known advisories by 1 of an unknown day")


@pytest.mark.parametrize(
    ("told", "is_affected"),
    [
        (advisory("1.0.1"), True),
        (advisory("1.0"), False),
        (advisory("999", withdrawn="2026-01-01"), False),
        (exact("npm", "starlette"), False),
        (exact("PyPI", "starlette"), True),
        (exact("PyPI", "other"), False),
        ({"id": "1"}, False),
    ],
)  # fmt: skip
def test_which_versions_are_affected(
    bill: ModuleType, told: dict[str, Any], is_affected: bool
) -> None:
    assert bool(bill.affected([bill.Part("starlette", "1.0")], [told])) is is_affected


@pytest.mark.parametrize(
    ("events", "inside"),
    [
        ([{"introduced": "1.0"}, {"last_affected": "1.4"}], True),
        ([{"introduced": "1.0"}, {"last_affected": "1.3"}], False),
        ([{"introduced": "0"}, {"fixed": "1.2"}, {"introduced": "1.4"}], True),
        ([{"introduced": "1.4"}, {"fixed": "1.2"}, {"introduced": "0"}], True),
        ([{"fixed": "1.2"}, {"introduced": "0"}], False),
        ([{"introduced": "1.5"}], False),
        ([{"introduced": "no version"}], False),
        ([], False),
    ],
)
def test_ranges(bill: ModuleType, events: list[dict[str, str]], inside: bool) -> None:
    assert bill._within(bill.Version("1.4"), events) is inside


SAMPLE = Path(__file__).parent / "advisories"
"""A few advisories as osv.dev and pypa/advisory-database write them, of packages we do not pin."""


@pytest.mark.parametrize(
    ("name", "version", "ids"),
    [
        ("sample-web", "0.9.9", []),
        ("sample-web", "1.0", ["QULINK-SAMPLE-1"]),
        ("sample-web", "1.4.2", ["QULINK-SAMPLE-1", "QULINK-SAMPLE-2"]),
        ("sample-web", "1.4.3", ["QULINK-SAMPLE-2"]),
        ("sample-web", "2.0rc1", ["QULINK-SAMPLE-2"]),
        ("sample-web", "2.0", []),
        ("sample-web", "2.1", ["QULINK-SAMPLE-1"]),
        ("sample-parser", "3.1", []),  # withdrawn
        ("sample-parser", "3.2.post1", ["QULINK-SAMPLE-4"]),
        ("sample-other", "1.0", []),  # of another ecosystem
    ],
)
def test_the_sample_database(bill: ModuleType, name: str, version: str, ids: list[str]) -> None:
    found = bill.affected([bill.Part(name, version)], bill.advisories(SAMPLE))
    assert [re.findall(r"QULINK-SAMPLE-\d", line)[0] for line in found] == ids


def test_a_line_says_what_is_wrong_and_what_to_install(bill: ModuleType) -> None:
    (line,) = bill.affected([bill.Part("sample-parser", "3.2.post1")], bill.advisories(SAMPLE))
    assert line == (
        "sample-parser 3.2.post1: QULINK-SAMPLE-4, CVE-0000-0004: A short file makes it run for "
        "hours. (not mended yet)"
    )


def make(osv: Path | str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", "-o", ".venv/dev.stamp", "advisories", f"OSV={osv}"]
    command.append(f"BIN={Path(sys.executable).parent}")
    return subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=120
    )


def test_make_compares_what_is_pinned(tmp_path: Path) -> None:
    done = make(SAMPLE)
    assert done.returncode == 0, done.stderr
    assert re.search(r"\d+ packages: no known advisory by 4 of 2026-03-04\n$", done.stdout)
    (tmp_path / "X-1.json").write_text(json.dumps(advisory("999")))
    done = make(tmp_path)
    assert done.returncode != 0
    assert "X-1: bad (mended in 999)" in done.stdout


@pytest.mark.parametrize("kind", ["missing", "empty", "another", "torn", "no archive"])
def test_a_database_that_cannot_tell_is_no_good_news(
    bill: ModuleType, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistyped path was answered by "no known advisory"."""
    database = tmp_path / "osv"
    if kind != "missing":
        database.mkdir()
    if kind == "another":
        (database / "a.json").write_text(json.dumps(exact("npm", "starlette")))
    elif kind == "torn":
        (database / "a.json").write_text(json.dumps(advisory("1"))[:-5])
    elif kind == "no archive":
        database = tmp_path / "all.zip"
        database.write_bytes(b"<html>not found</html>")
    assert bill.main(["advisories", str(database)]) == 2
    told = capsys.readouterr()
    assert str(database) in told.err
    assert told.out == ""


def test_what_cannot_be_asked_is_explained(
    bill: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bill.main(["licenses"]) == 2
    assert "python deploy/bill.py licences" in capsys.readouterr().err
