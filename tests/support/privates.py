"""Which private members of libraries a package of ours touches, found in its source."""

import ast
import inspect
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

_ROOT = Path(__file__).parents[2]


def project() -> dict[str, Any]:
    """The table ``project`` of ``pyproject.toml``."""
    table: dict[str, Any] = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]
    return table


def touched(package: ModuleType) -> set[str]:
    """Private names that a package reads or sets on others, or overrides in their subclasses."""
    return {name for module in _modules(package) for name in _touched_in(module)}


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    (folder,) = map(Path, package.__path__)
    for file in sorted(folder.rglob("*.py")):
        inner = file.relative_to(folder).with_suffix("").parts
        yield import_module(".".join((package.__name__, *inner)).removesuffix(".__init__"))


def _touched_in(module: ModuleType) -> Iterator[str]:
    yield from _reached_into(ast.parse(inspect.getsource(module)))
    for _, one in inspect.getmembers(module, inspect.isclass):
        if one.__module__ == module.__name__:
            yield from _taken_over(one)


def _reached_into(tree: ast.AST) -> Iterator[str]:
    """Private members of anything but ``self``; the linter allows those of libraries only."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _is_private(node.attr):
            is_own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            if not is_own and node.attr != "_replace":  # a named tuple's, and public
                yield node.attr


def _taken_over(one: type) -> Iterator[str]:
    """What a class shares with the classes of libraries that it inherits from."""
    foreign = [base for base in one.__mro__[1:] if not _is_ours_or_standard(base)]
    theirs = {name for base in foreign for name in _names_in(base)}
    return (name for name in _names_in(one) if name in theirs)


def _is_ours_or_standard(one: type) -> bool:
    root = one.__module__.partition(".")[0]
    return root in ("gateway", "edge_config") or root in sys.stdlib_module_names


def _names_in(one: type) -> set[str]:
    source = inspect.getsource(one)
    return set(filter(_is_private, re.findall(r"(?:self\.|def )(_[a-z]\w*)", source)))


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")
