"""The judge of identifiers finds what he is there for, and nothing where nothing is wrong."""

import pytest

from tests.chaos.identifiers.judge import Told, Witness, judge

LEDGER = {"A": False, "B": False, "C": True}
CONFIRMED = {"A": "88.1/1", "B": "88.1/2", "C": "88.1/3"}
NODE = {"88.1/1": Told("A"), "88.1/2": Told("B"), "88.1/3": Told("C", is_withdrawn=True)}


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert judge(LEDGER, CONFIRMED, NODE) == []
    hidden = {"88.1/3": Told(), "88.1/9": Told(), "88.1/8": Told("D", is_withdrawn=True)}
    assert judge(LEDGER, CONFIRMED, NODE | hidden) == []
    assert judge(LEDGER, {key: CONFIRMED[key] for key in "AB"}, NODE) == []


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ({"88.1/1": Told()}, "lost: 88.1/1 of A is told to nobody"),
        ({"88.1/1": Told("B")}, "another's: 88.1/1 of A is told as B's"),
        ({"88.1/1": Told("A", is_withdrawn=True)}, "withdrawn: 88.1/1 of A, which is there"),
        ({"88.1/3": Told("C")}, "not withdrawn: 88.1/3 of C is still told"),
        ({"88.1/3": Told("A")}, "another's: 88.1/3 of C is told as A's"),
        ({"88.1/9": Told("A")}, "left over: 88.1/9 is told as A's, which has 88.1/1"),
        ({"88.1/9": Told("Z")}, "left over: 88.1/9 is told as Z's, which has None"),
    ],
)
def test_each_wrong_record_is_found(node: dict[str, Told], said: str) -> None:
    assert judge(LEDGER, CONFIRMED, NODE | node) == [said]


def test_a_machine_without_an_identifier_is_found() -> None:
    (lacking, left) = judge(LEDGER, {"B": "88.1/2", "C": "88.1/3"}, NODE)
    assert lacking == "lacking: A has no identifier"
    assert left.startswith("left over: 88.1/1")


def test_what_was_shown_once_holds_for_ever() -> None:
    witness = Witness()
    witness.see(CONFIRMED.items())
    witness.see(CONFIRMED.items())
    witness.see([])
    assert witness.findings == []
    for _ in range(2):
        witness.see([("A", "88.1/7"), ("D", "88.1/2")])
    assert witness.findings == [
        "changed: A had 88.1/1 and has 88.1/7",
        "twice: 88.1/2 was shown for B and for D",
    ]
