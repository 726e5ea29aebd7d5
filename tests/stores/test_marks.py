"""Companion fields of the line protocol: where one is written, and where none is."""

import re

import pytest

from edge_config.models.tag import TAG_NAME
from gateway.city.ingest import admission
from gateway.city.stores.api import Rows
from gateway.city.stores.line_protocol import encode
from gateway.city.stores.marks import Doubts, is_mark, mark_of
from gateway.core.status import GOOD, Reason, uncertain
from tests.stores.cases import T0, rows, series

RANGE = uncertain(Reason.RANGE)


def texts(table: Rows, doubts: Doubts) -> list[str]:
    """The fields of every line."""
    lines, refused = encode(table, doubts)
    assert refused == []
    return [line.body.decode().split(" ")[1] for line in lines]


def test_a_mark_stands_beside_what_is_not_good_and_nowhere_else() -> None:
    table = rows(
        [T0, T0 + 1],
        present=[[True, True], [True, False]],
        status=[[GOOD, RANGE], [RANGE, GOOD]],
        a=("f8", [1.0, 2.0]),
        b=("i8", [1, 2]),
    )
    assert texts(table, Doubts()) == [f"a=1.0,b=1i,b.q={RANGE}i", f"a=2.0,a.q={RANGE}i"]
    assert [line.values for line in encode(table, Doubts())[0]] == [2, 1]


def test_good_values_have_a_mark_only_where_a_doubted_one_may_have_been() -> None:
    doubts = Doubts()
    both = {"a": ("f8", [1.0, 2.0]), "b": ("f8", [1.0, 2.0])}
    texts(rows([T0 + 10, T0 + 20], status=[[RANGE, GOOD], [RANGE, GOOD]], **both), doubts)
    assert texts(rows([T0 + 9, T0 + 21], **both), doubts) == ["a=1.0,b=1.0", "a=2.0,b=2.0"]
    assert texts(rows([T0 + 10, T0 + 15], **both), doubts) == [
        "a=1.0,b=1.0,a.q=0i",
        "a=2.0,b=2.0,a.q=0i",
    ]
    other = rows([T0 + 10], of=series(asset="B-002"), a=("f8", [1.0]))
    assert texts(other, doubts) == ["a=1.0"]


def test_what_is_remembered_is_bounded_and_the_oldest_doubt_goes_first() -> None:
    doubts = Doubts(most=3)
    assets = ["B-001", "B-002", "B-003", "B-001", "B-004"]
    for asset in assets:
        texts(rows([T0], of=series(asset=asset), status=[[RANGE]], a=("f8", [1.0])), doubts)
    again = {
        asset: texts(rows([T0], of=series(asset=asset), a=("f8", [1.0])), doubts)
        for asset in sorted(set(assets))
    }
    assert [asset for asset, lines in again.items() if lines == ["a=1.0,a.q=0i"]] == [
        "B-001",
        "B-003",
        "B-004",
    ]


@pytest.mark.parametrize("name", ["a", "a_q", "q", "Aq9"])
def test_no_tag_has_the_name_of_a_mark(name: str) -> None:
    assert is_mark(mark_of(name))
    for pattern in (TAG_NAME, admission._NAME.pattern):
        assert re.search(f"^(?:{pattern})$", name)
        assert not re.search(f"^(?:{pattern})$", mark_of(name))
