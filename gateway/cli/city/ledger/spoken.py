"""In which language commands of the ledger say what is wrong."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gateway.city.ledger.sheet.problems import Problem


class Language(StrEnum):
    """Of sentences and templates."""

    ZH = "zh"
    EN = "en"


Spoken = Annotated[
    Language, typer.Option("--lang", envvar="QULINK_LANG", help="Language of what is wrong.")
]


def sentence(words: str, language: Language) -> str:
    """A sentence of the ledger, as a page of that language has it."""
    from gateway.web.catalog.sentences import said

    return said(words, language.value)


def problem_lines(problems: "Sequence[Problem]", language: Language) -> list[str]:
    """Problems or notes, one a line: file, row, column, and what is wrong."""
    if language is Language.EN:
        return [str(one) for one in problems]
    return [_line(one, sentence(one.message, language)) for one in problems]


def _line(problem: "Problem", words: str) -> str:
    row = f" 第 {problem.row} 行" if problem.row else ""
    column = f" “{problem.column}”列" if problem.column else ""
    return f"{problem.file}{row}{column}：{words}"
