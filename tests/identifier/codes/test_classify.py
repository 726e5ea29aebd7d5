"""A labelled corpus is told apart; the page prints how well."""

import json
import re
from collections import Counter

from typer.testing import CliRunner

from gateway.cli.main import build
from gateway.identifier.codes.classify import Candidate, classify
from gateway.identifier.codes.code import System
from tests.docs.test_documentation import ROOT
from tests.identifier.codes.corpus_maker import CORPUS, Row, rows

LABELLED: list[Row] = [tuple(json.loads(line)) for line in CORPUS.read_text("utf-8").splitlines()]
COLUMNS = (*System, "none")
NO_CODE = ("none", False)


def taken_for(found: list[Candidate]) -> tuple[str, bool]:
    """System and validity of the likeliest reading."""
    return (found[0].system.value, found[0].is_valid) if found else NO_CODE


def matrix() -> list[str]:
    """Rows of the page's table: what a text is, and for what it was taken."""
    counts = Counter(
        ((system, is_valid), taken_for(classify(text))) for text, system, is_valid, *_ in LABELLED
    )
    lines = []
    for is_it in sorted({(system, is_valid) for _, system, is_valid, *_ in LABELLED}):
        seen = [sum(counts[is_it, (column, ok)] for ok in (True, False)) for column in COLUMNS]
        right = counts[is_it, is_it]
        name = f"{is_it[0]}, {'good' if is_it[1] else 'wrong'}" if is_it[0] != "none" else "no code"
        lines.append(f"| {name} | {' | '.join(map(str, seen))} | {right} of {sum(seen)} |")
    return lines


def test_the_corpus_is_what_its_maker_makes() -> None:
    assert rows() == LABELLED
    assert len(LABELLED) >= 500


def test_each_code_is_recognised() -> None:
    for text, system, is_valid, canonical, _kind in LABELLED:
        if system == "none":
            continue
        found = classify(text)
        assert taken_for(found) == (system, is_valid), text
        assert (str(found[0].code) if is_valid else found[0].expected) == canonical, text


def test_the_page_prints_the_matrix() -> None:
    page = (ROOT / "docs/identifiers.md").read_text("utf-8")
    table = re.findall(r"^\| (?:\w+, (?:good|wrong)|no code) \|.*$", page, re.MULTILINE)
    assert table == matrix()


def test_all_readings_are_given() -> None:
    found = classify("000016901234567892")
    assert [(one.system, one.is_valid) for one in found[:2]] == [
        (System.ECODE, True),
        (System.GS1, True),
    ]
    assert classify("6901234567892")[1].code is not None  # a place may have that number, too


def test_what_was_taken_away_is_told() -> None:
    (found,) = classify("８８．１００．１／EQ001\r\n")
    assert found.removed == ("spaces, quotes or line ends around it", "full-width characters")


def test_a_text_without_end_is_no_code() -> None:
    assert classify("88.1.1/" + "x" * 10_000) == []


def test_the_command_reads_arguments_and_lines() -> None:
    runner = CliRunner()
    one = runner.invoke(build(["id"]), ["id", "classify", "6901234567893"])
    assert one.exit_code == 1
    assert "wrong" in one.stdout
    assert "2 belongs to the rest" in " ".join(one.stdout.split())
    lines = "88.100.1/EQ001\r\n(01)09521234543213\n"
    two = runner.invoke(build(["id"]), ["id", "classify", "--json"], input=lines)
    first, second = (json.loads(line)["readings"][0] for line in two.stdout.splitlines())
    assert (first["canonical"], second["system"]) == ("88.100.1/EQ001", "gs1")
    assert two.exit_code == 0
