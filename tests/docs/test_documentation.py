"""The documentation is true: paths exist, links resolve, decisions are listed, words are ours."""

import ast
import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest

from edge_config.files.yaml_file import parse

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([*ROOT.glob("*.md"), ROOT / "deploy/README.md", *ROOT.glob("docs/**/*.md")])
PACKAGES = ("gateway", "edge_config", "simulators")
MAX_FILE_LINES = 300
MAX_TEST_LINES = 500
MAX_FUNCTION_LINES = 40

_PATH = re.compile(
    r"`((?:gateway|edge_config|simulators|deploy|tests|docs|benchmarks)/[\w./<>-]*)`"
)
_BLOCKS = re.compile(r"```\w+\n(.*?)```", re.DOTALL)
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_named_in_pages_exist(page: Path) -> None:
    named = {path for path in _PATH.findall(page.read_text()) if "<" not in path}
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    links = [link for link in _LINK.findall(page.read_text()) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        links = [link for link in _LINK.findall(page.read_text()) if "://" not in link]
        waiting += [(page.parent / link).resolve() for link in links]
    assert set(PAGES) - reached == {ROOT / "CHANGELOG.md"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_yaml_on_pages_can_be_read(page: Path) -> None:
    for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL):
        assert parse(block, page.name).problems == []


PAIRS = [
    ("README.md", "README.zh.md"),
    ("docs/first-gateway.md", "docs/first-gateway.zh.md"),
    ("docs/unknown-device.md", "docs/unknown-device.zh.md"),
]
"""Pages that stand in both languages."""


def _blocks(page: str) -> list[str]:
    return [re.sub(r" *# .*", "", block) for block in _BLOCKS.findall((ROOT / page).read_text())]


def _targets(page: str) -> set[str]:
    return {link.replace(".zh.", ".") for link in _LINK.findall((ROOT / page).read_text())}


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_both_languages_say_the_same(english: str, chinese: str) -> None:
    assert len(_blocks(english)) > 3
    assert _blocks(english) == _blocks(chinese)
    assert _targets(english) == _targets(chinese)


def test_every_hop_of_the_path_exists() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    hops = re.findall(r"^\| \d \| (.+?) \| .+ \|$", text, re.MULTILINE)
    assert len(hops) == 8
    for hop in hops:
        *files, function = re.findall(r"`([^`]+)`", hop)
        method = function.rpartition(".")[2]
        candidates = [path for name in files for path in ROOT.glob(name.replace("<x>", "*"))]
        assert candidates, hop
        assert any(re.search(rf"def {method}\b", path.read_text()) for path in candidates), hop


def test_decisions_are_numbered_and_listed() -> None:
    numbered = sorted(path.name for path in (ROOT / "docs/adr").glob("0*.md"))
    numbers = [int(name[:4]) for name in numbered]
    assert numbers == sorted(set(numbers))
    index = (ROOT / "docs/adr/README.md").read_text()
    assert [name for name in numbered if f"({name})" not in index] == []


def test_every_direct_dependency_is_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = list(chain(project["dependencies"], *project["optional-dependencies"].values()))
    names = {re.split(r"[\[><=;~ ]", line)[0] for line in wanted} - {"qulink", "setuptools"}
    page = (ROOT / "docs/dependencies.md").read_text()
    unexplained = [n for n in sorted(names) if n not in page and not n.startswith("types-")]
    assert unexplained == []


def test_locks_name_no_package_source() -> None:
    paths = [*ROOT.glob("requirements/*.txt"), *ROOT.glob("tests/foreign/*/requirements.txt")]
    locks = [path.read_text() for path in paths]
    assert len(locks) >= 5
    assert all("://" not in lock and "--hash=sha256:" in lock for lock in locks)
    assert '"resolved"' not in (ROOT / "tests/foreign/package-lock.json").read_text()


@pytest.mark.parametrize(
    ("limit", "folders"), [(MAX_FILE_LINES, PACKAGES), (MAX_TEST_LINES, ("tests",))]
)
def test_files_stay_small(limit: int, folders: tuple[str, ...]) -> None:
    sizes = {
        str(path.relative_to(ROOT)): path.read_text().count("\n")
        for path in sources(*folders)
        if "migrations" not in path.parts
    }
    assert {name: lines for name, lines in sizes.items() if lines > limit} == {}


def _lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function from its name on: what it takes is read with what it does.

    Decorators and the docstring do not count: what they say is asked for.
    """
    every = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    said = ast.get_docstring(function, clean=False) is not None
    return every - ((first.end_lineno or 0) - first.lineno + 1 if said else 0)


def test_functions_stay_small() -> None:
    sizes = {
        f"{path.relative_to(ROOT)}: {node.name}": _lines_of(node)
        for path in sources(*PACKAGES)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: lines for name, lines in sizes.items() if lines > MAX_FUNCTION_LINES} == {}


def test_command_line_imports_little() -> None:
    heavy = ("numpy", "pydantic", "asyncua", "sqlalchemy")
    code = f"import sys, gateway.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"
