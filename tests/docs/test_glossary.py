"""The glossary is whole, and its names are those of the code."""

import re

import pytest

from edge_config.reference.schema import city_schema, gateway_schema
from gateway.drivers.registry import installed
from tests.docs.test_documentation import PACKAGES, ROOT

TEXT = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith("| term ")
]
_CHINESE = re.compile("[\u4e00-\u9fff]")
ELSEWHERE = {
    "code",
    "format",
    "id",
    "list",
    "log",
    "model",
    "limits",
    "offset",
    "template",
    "average",
    "slot",
}
"""Words that are keys with a meaning of their own."""


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_term_has_both_languages_and_a_meaning(row: list[str]) -> None:
    term, chinese, meaning, _, _ = row
    assert term
    assert meaning
    assert _CHINESE.search(chinese)


def test_a_term_stands_once() -> None:
    terms = [term for row in ROWS for term in re.split(r", ", row[0])]
    assert sorted(set(terms)) == sorted(terms)


def test_names_of_the_code_exist() -> None:
    named = {
        name.strip(":").split(":")[0] for row in ROWS for name in re.findall("`(.+?)`", row[3])
    }
    files = [path for folder in PACKAGES for path in (ROOT / folder).rglob("*.*")]
    code = "\n".join(path.read_text() for path in files if path.suffix in {".py", ".yaml"})
    paths = "\n".join(str(path) for path in files)
    assert [name for name in sorted(named) if name not in code and name not in paths] == []


def test_no_key_of_a_configuration_is_a_word_not_to_use() -> None:
    words = {word for row in ROWS for word in re.findall("[a-z]+", row[4])} - ELSEWHERE
    schemas = (gateway_schema(installed()), city_schema())
    models = [model for schema in schemas for model in [schema, *schema["$defs"].values()]]
    keys = {key for model in models for key in model.get("properties", {})}
    assert keys & words == set()
