"""What modules say in English: their texts for people, with something in the place of each fact."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeGuard

ROOT = Path(__file__).parents[2]
FACT = "7"
_LOGGING = frozenset({"debug", "info", "warning", "error", "exception", "log"})


def sayings(file: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each string of a module that is neither documentation nor for the log."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    skipped = {id(one) for node in ast.walk(tree) for one in _unsaid(node)}
    for node in ast.walk(tree):
        if id(node) not in skipped and isinstance(node, (ast.Constant, ast.JoinedStr)):
            text = "".join(_pieces(node, FACT))
            if text:
                yield node.lineno, text


def _unsaid(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield from node.values
    elif _is_logged(node):
        yield from (one for part in node.args for one in ast.walk(part))


def _is_logged(node: ast.AST) -> TypeGuard[ast.Call]:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _LOGGING
    )


def _pieces(node: ast.AST, fact: str) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        texts = ["".join(_pieces(part, fact)) for part in node.values]
        for at, part in enumerate(node.values):
            around = texts[at - 1][-1:] if at else "", "".join(texts[at + 1 : at + 2])[:1]
            # What stands next to a letter without a blank is a part that may be there or not.
            is_optional = isinstance(part, ast.FormattedValue) and any(map(str.isalpha, around))
            yield "" if is_optional else texts[at]
    elif isinstance(node, ast.FormattedValue):
        yield fact
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


@cache
def texts_of(folder: Path) -> str:
    """All texts of the modules below a folder, a line each, facts as line breaks."""
    found = (
        "".join(_pieces(node, "\n"))
        for file in sorted(folder.rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, (ast.Constant, ast.JoinedStr))
    )
    return "\n".join(found)
