"""What qulink is made of: bills of materials, licences, and known advisories.

    python deploy/bill.py sbom dist            one CycloneDX file for each of requirements/*.txt
    python deploy/bill.py licences             the page docs/licences.md, to standard output
    python deploy/bill.py advisories DATABASE  exit code 1 if a pinned version is affected

DATABASE is a copy of an advisory database in OSV's format: a folder of JSON or YAML files, such as
a checkout of pypa/advisory-database, or the archive ``all.zip`` that osv.dev offers for PyPI. So no
network is needed, and the answer is of the day of the copy.
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


def advisories(database: Path) -> Iterator[dict[str, Any]]:
    """All advisories of a database in OSV's format."""
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
            told = yaml.safe_load(file.read_text(encoding="utf-8"))
            yield from [told] if isinstance(told, dict) else []


def affected(parts: Iterable[Part], database: Iterable[dict[str, Any]]) -> list[str]:
    """What is wrong with which part, one line each; withdrawn advisories count for nothing."""
    by_name = {part.name: part for part in parts}
    found = set()
    for told in database:
        for one in [] if told.get("withdrawn") else told.get("affected", []):
            package = one.get("package", {})
            part = by_name.get(_plain(str(package.get("name", ""))))
            if part and package.get("ecosystem") == "PyPI" and _hits(part.version, one):
                found.add(f"{part.name} {part.version}: {told.get('id')} {told.get('summary', '')}")
    return sorted(found)


def _hits(version: str, told: dict[str, Any]) -> bool:
    if version in told.get("versions", []):
        return True
    ranges = (one for one in told.get("ranges", []) if one.get("type") == "ECOSYSTEM")
    return any(_within(Version(version), one.get("events", [])) for one in ranges)


def _within(version: Version, events: list[dict[str, str]]) -> bool:
    """Whether a version is in a range: what begins it, then what ends it, in order."""
    inside = False
    for event in events:
        for kind, text in event.items():
            try:
                at = Version(text)
            except InvalidVersion:
                continue
            if kind == "introduced" and version >= at:
                inside = True
            if (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
                inside = False
    return inside


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
            every = {part for site in SITES for part in parts_of(site)}
            found = affected(every, advisories(Path(database)))
            print("\n".join(found) or f"{len(every)} packages: no known advisory")  # noqa: T201 - as above
            return 1 if found else 0
        case _:
            print(__doc__, file=sys.stderr)  # noqa: T201 - as above
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
