"""What qulink is made of: bills of materials, licences, and known advisories.

    python deploy/bill.py sbom dist            one CycloneDX file for each of requirements/*.txt
    python deploy/bill.py licences             the page docs/licences.md, to standard output
    python deploy/bill.py advisories DATABASE  exit code 1 if a pinned version is affected, 2 if
                                               DATABASE cannot tell

DATABASE is a copy of an advisory database in OSV's format: a folder of JSON or YAML files, such as
a checkout of pypa/advisory-database, or the archive ``all.zip`` that osv.dev offers for PyPI. So no
network is needed, and the answer is of the day of the copy, which is told.
"""

import json
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

import yaml
from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "requirements"
SITES = ("edge", "city", "demo")
"""What is installed somewhere; ``dev`` is for who works on qulink."""
ECOSYSTEM = "PyPI"
UNKNOWN = "not installed on Linux"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
_ABOUT = (
    "qulink itself is under Apache-2.0. None of these packages is copied into it; all are "
    "installed as they are published. Those that ask something of who passes them on "
    "(LGPL, MPL, EPL) come first: what they ask is fulfilled by leaving them whole and "
    "replaceable, as separate packages."
)
_COPYLEFT = re.compile(r"\b(A?GPL|LGPL|MPL|EPL|GNU|Mozilla)", re.IGNORECASE)


@dataclass(frozen=True, order=True)
class Part:
    """A package that is installed with qulink: name as PyPI compares it, and the pinned version."""

    name: str
    version: str

    @property
    def purl(self) -> str:
        """Its package URL."""
        return f"pkg:pypi/{self.name}@{self.version}"

    @property
    def licence(self) -> str:
        """Its licence by its own word; what it says in more than one way, in the shortest."""
        try:
            told: Any = metadata(self.name)
        except PackageNotFoundError:
            return UNKNOWN
        kinds = [one for one in told.get_all("Classifier") or [] if one.startswith("License ::")]
        named = [one.rpartition(":: ")[2] for one in kinds if not one.endswith("DFSG approved")]
        text = (told.get("License") or "").strip()
        short = text if text and "\n" not in text and not text.startswith("Copyright") else ""
        return told.get("License-Expression") or short or ", ".join(named) or "not told"


def parts_of(site: str) -> list[Part]:
    """What is pinned for a site."""
    text = (REQUIREMENTS / f"{site}.txt").read_text(encoding="utf-8")
    return sorted(Part(_plain(name), version) for name, version in _PIN.findall(text))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def bill_of(site: str) -> dict[str, Any]:
    """The bill of a site in CycloneDX 1.5."""
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None  # noqa: S101 - our own file
    own = {"type": "application", "name": f"qulink-{site}", "version": version[1]}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": own | {"licenses": [{"license": {"id": "Apache-2.0"}}]}},
        "components": [_component(part) for part in parts_of(site)],
    }


def _component(part: Part) -> dict[str, Any]:
    named = {"type": "library", "name": part.name, "version": part.version}
    licences = [] if part.licence == UNKNOWN else [{"license": {"name": part.licence}}]
    return named | {"bom-ref": part.purl, "purl": part.purl, "licenses": licences}


def licence_page() -> str:
    """The page of licences; those that ask something of who passes qulink on come first."""
    where: dict[Part, list[str]] = {}
    for site in SITES:
        for part in parts_of(site):
            where.setdefault(part, []).append(site)
    rows = sorted(where, key=lambda part: (not _COPYLEFT.search(part.licence), part))
    lines = [
        "<!-- Written by `make licences`; do not edit by hand. -->",
        "# Licences of what is installed with qulink",
        "",
        _ABOUT,
        "",
        "| package | version | licence, by its own word | installed with |",
        "|---|---|---|---|",
    ]
    told = [(one.name, one.version, one.licence, ", ".join(where[one])) for one in rows]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in told)]) + "\n"


class DatabaseError(Exception):
    """A database that cannot say whether a version is affected; the message says why."""


def advisories(database: Path) -> list[dict[str, Any]]:
    """All advisories for PyPI of a database in OSV's format.

    Raises:
        DatabaseError: there is none, or it cannot be read: "no known advisory" would be untrue.
    """
    try:
        read = [one for one in _documents(database) if _is_for_us(one)]
    except (OSError, ValueError, zipfile.BadZipFile, yaml.YAMLError) as error:
        raise DatabaseError(f"cannot read the advisories in {database}: {error}") from error
    if not read:
        raise DatabaseError(
            f"{database} holds no advisory for PyPI; give a folder or an archive of OSV files"
        )
    return read


def _is_for_us(told: Any) -> bool:
    affected = told.get("affected") if isinstance(told, dict) else None
    packages = (one.get("package", {}) for one in affected or [])
    return any(package.get("ecosystem") == ECOSYSTEM for package in packages)


def newest(told: Iterable[dict[str, Any]]) -> str:
    """The day of the newest change in a database, as 2026-11-27."""
    return max((str(one.get("modified", "")) for one in told), default="")[:10] or "an unknown day"


def _documents(database: Path) -> Iterator[Any]:
    if database.suffix == ".zip":
        with zipfile.ZipFile(database) as archive:
            for name in archive.namelist():
                if name.endswith(".json"):
                    yield json.loads(archive.read(name))
        return
    for file in sorted(database.rglob("*")):
        if file.suffix == ".json":
            yield json.loads(file.read_text(encoding="utf-8"))
        elif file.suffix in {".yaml", ".yml"}:
            yield yaml.safe_load(file.read_text(encoding="utf-8"))


def affected(parts: Iterable[Part], database: Iterable[dict[str, Any]]) -> list[str]:
    """What is wrong with which part, one line each; withdrawn advisories count for nothing."""
    by_name = {part.name: part for part in parts}
    found = set()
    for told in database:
        for one in [] if told.get("withdrawn") else told.get("affected", []):
            package = one.get("package", {})
            part = by_name.get(_plain(str(package.get("name", ""))))
            if part and package.get("ecosystem") == ECOSYSTEM and _hits(part.version, one):
                found.add(f"{part.name} {part.version}: {_said(told, one)}")
    return sorted(found)


def _said(told: dict[str, Any], one: dict[str, Any]) -> str:
    """An advisory in a line: its names, what it is about, and the versions that mend it."""
    names = ", ".join([str(told.get("id")), *map(str, told.get("aliases", []))])
    about = str(told.get("summary") or told.get("details", "")).strip().partition("\n")[0]
    mended = [
        event["fixed"]
        for within in one.get("ranges", [])
        if within.get("type") == "ECOSYSTEM"
        for event in within.get("events", [])
        if "fixed" in event
    ]
    return f"{names}: {about} ({'mended in ' + ', '.join(mended) if mended else 'not mended yet'})"


def _hits(version: str, told: dict[str, Any]) -> bool:
    if version in told.get("versions", []):
        return True
    ranges = (one for one in told.get("ranges", []) if one.get("type") == "ECOSYSTEM")
    return any(_within(Version(version), one.get("events", [])) for one in ranges)


def _within(version: Version, events: list[dict[str, str]]) -> bool:
    """Whether a version is in a range: what begins it, then what ends it, by version."""
    inside = False
    for at, kind in sorted(_dated(events)):
        if kind == "introduced" and version >= at:
            inside = True
        if (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
            inside = False
    return inside


def _dated(events: list[dict[str, str]]) -> Iterator[tuple[Version, str]]:
    """Events with versions that can be compared; a database may list them in any order."""
    for event in events:
        for kind, text in event.items():
            try:
                yield Version(text), kind
            except InvalidVersion:
                continue


def _compare(database: Path) -> int:
    every = {part for site in SITES for part in parts_of(site)}
    try:
        told = advisories(database)
    except DatabaseError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command
        return 2
    found = affected(every, told)
    print(*found, sep="\n", end="\n" if found else "")  # noqa: T201 - as above
    said = f"{len(found)} known advisories" if found else "no known advisory"
    print(f"{len(every)} packages: {said} by {len(told)} of {newest(told)}")  # noqa: T201 - as above
    return 1 if found else 0


def main(arguments: list[str]) -> int:
    """Do what is asked; see above."""
    match arguments:
        case ["sbom", folder]:
            Path(folder).mkdir(parents=True, exist_ok=True)
            for site in SITES:
                file = Path(folder) / f"qulink-{site}.cdx.json"
                file.write_text(json.dumps(bill_of(site), indent=1) + "\n", encoding="utf-8")
                print(file)  # noqa: T201 - a command
        case ["licences"]:
            print(licence_page(), end="")  # noqa: T201 - as above
        case ["advisories", database]:
            return _compare(Path(database))
        case _:
            print(__doc__, file=sys.stderr)  # noqa: T201 - as above
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
