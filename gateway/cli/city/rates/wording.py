"""In whose words a file of ``qulink rates`` is."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gateway.web.i18n import Language


class Lang(StrEnum):
    """Chinese words, or the keys that programs read."""

    ZH = "zh"
    EN = "en"


LangOption = Annotated[
    Lang, typer.Option("--lang", help="Headings of CSV: Chinese words, or keys for programs.")
]


def words_of(lang: Lang) -> "Language | None":
    """The language of headings and words in a file; None: keys and codes, for programs."""
    return "zh" if lang is Lang.ZH else None
