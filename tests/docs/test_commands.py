"""Commands as pages and help texts print them: they exist, with these options and arguments."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from gateway.cli.main import build
from simulators.options import parser
from tests.docs.test_documentation import PAGES, ROOT

SAMPLES = sorted((ROOT / "edge_config/samples").glob("*.yaml"))
_SPAN = re.compile(r"`((?:\.venv/bin/)?qulink [^`]+)`")
_LINE = re.compile(r"^(?:    )?((?:\S+/)?qulink [a-z-].*)$", re.MULTILINE)
_FENCED = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
ROOT_COMMAND: Any = typer.main.get_command(build([]))


def words_of(command: str) -> list[str]:
    """The words after ``qulink``; what a shell would take for itself is left out."""
    plain = re.split(r"\s[>|#]\s?", command)[0].replace("<USCC>", "USCC")
    return shlex.split(plain)[1:]


def descend(words: list[str]) -> tuple[Any, list[str]]:
    """The command that words lead to, and what is left for it."""
    command = ROOT_COMMAND
    while words and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]
    if command.name == "city" and words and not words[0].startswith("-"):
        command = command.commands["run"]
    return command, words


def wrong(words: list[str], *, is_whole: bool) -> str | None:
    """What is wrong with a command line; a mere mention need not name what is required."""
    command, rest = descend(words)
    if command is ROOT_COMMAND and not rest[0].startswith("-"):
        return f"there is no command {rest[0]!r}"
    known = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
    given = [word for word in rest if word.startswith("-") and word != "-h"]
    strange = [word for word in given if word not in {*known, "--help"}]
    if strange and command.name != "simulate":
        return f"{command.name} has no option {strange[0]}"
    missing = [
        param.opts[0]
        for param in command.params
        if param.required and param.param_type_name == "option" and not set(param.opts) & set(given)
    ]
    return f"{command.name} needs {missing[0]}" if is_whole and missing else None


def mentions(page: Path) -> list[str]:
    return _SPAN.findall(re.sub(r"\n# ?", " ", page.read_text()))


def lines(page: Path) -> list[str]:
    text = page.read_text()
    indented = re.findall(r"^    (?=qulink ).*$", text, re.MULTILINE)
    return [line for block in [*_FENCED.findall(text), *indented] for line in _LINE.findall(block)]


@pytest.mark.parametrize("page", [*PAGES, *SAMPLES], ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_that_are_mentioned_exist(page: Path) -> None:
    found = {command: wrong(words_of(command), is_whole=False) for command in mentions(page)}
    assert {command: why for command, why in found.items() if why} == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_to_be_typed_are_whole(page: Path) -> None:
    found = {command: wrong(words_of(command), is_whole=True) for command in lines(page)}
    assert {command: why for command, why in found.items() if why} == {}


def test_there_are_commands_to_be_typed() -> None:
    assert len([line for page in PAGES for line in lines(page)]) > 20


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_targets_of_make_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = page.read_text()
    typed = re.findall(r"`make ([^`]+)`", text) + re.findall(r"^make (.+)$", text, re.MULTILINE)
    named = {word for line in typed for word in shlex.split(line) if "=" not in word}
    assert named <= targets


def leaves(command: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Every command a person can type, those below others included."""
    below = [
        leaf
        for name, inner in getattr(command, "commands", {}).items()
        for leaf in leaves(inner, (*path, name))
    ]
    return [(path, command), *below] if path else below


GROUPS = {
    ("driver",),
    ("city", "alerts"),
    ("city", "gateway"),
    ("city", "audit"),
    ("city", "token"),
    ("city", "user"),
    ("ledger",),
    ("ledger", "stops"),
    ("ledger", "agreements"),
    ("ledger", "schedules"),
    ("city", "erase"),
    ("evidence",),
    ("rates", "engine"),
    ("id",),
    ("id", "carrier"),
    ("node", "key"),
    ("node", "user"),
    ("node", "credential"),
    ("node", "prefix"),
}


@pytest.mark.parametrize(
    ("path", "command"),
    leaves(ROOT_COMMAND),
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_every_command_has_a_help_and_an_example_that_is_whole(
    path: tuple[str, ...], command: Any
) -> None:
    assert command.help
    if path in GROUPS:
        return
    example = parser().epilog if path == ("simulate",) else command.epilog
    assert example
    assert example.startswith("Example: ")
    words = words_of(example.removeprefix("Example: ").strip("`"))
    assert tuple(words[: len(path)]) == path or path[1:] == ("run",)
    assert wrong(words, is_whole=True) is None


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("qulink chek gateway.yaml", "there is no command 'chek'"),
        ("qulink rates --country", "rates has no option --country"),
        ("qulink city gateway add --id gw-1", "add needs --enterprise"),
    ],
)
def test_a_wrong_command_would_be_found(command: str, why: str) -> None:
    assert wrong(words_of(command), is_whole=True) == why
