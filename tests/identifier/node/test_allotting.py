"""Prefixes: applied for, decided on, delegated; never two enterprises'."""

from collections.abc import Sequence

import pytest

from gateway.identifier.irp.data import ASK, TCP, Interface, Server, Site, write_site
from gateway.identifier.node import embedded
from gateway.identifier.node.credentials import NodeCredentials
from gateway.identifier.node.keeping import prefixes
from gateway.identifier.node.keeping.prefixes import State
from gateway.identifier.node.rights import allotting
from gateway.identifier.node.rights.principal import NOBODY
from gateway.identifier.registering.registry import Outcome, Result
from gateway.relational.database import Database, DatabaseUnusableError
from tests.identifier.node.acting import CLERK, NOW_MS, ROOT, Node, machine

ONE, NEW = "88.999.QZ01", "88.999.NEW"
SITE = write_site(Site((Server(1, "127.0.0.1", (Interface(ASK, TCP, 2641),)),)))


def applied(node: Node, prefix: str, who: str = "qz02") -> Result:
    return node.do(allotting.apply, node.principal(who), prefix)  # type: ignore[no-any-return]


def decided(node: Node, prefix: str, state: State, reason: str = "") -> Result:
    return node.do(allotting.decide, CLERK, prefix, state, reason)  # type: ignore[no-any-return]


def test_a_prefix_is_never_two_enterprises(database: Database) -> None:
    node = Node(database)
    for prefix in (ONE, ONE.lower(), f"{ONE}.SUB"):
        assert applied(node, prefix).outcome is Outcome.EXISTS
    assert applied(node, "88.999.QZ01X").outcome is Outcome.OK, "it only begins alike"
    assert applied(node, f"{ONE}.SUB", "qz01").outcome is Outcome.OK, "its own, below its own"
    assert decided(node, ONE, State.SUSPENDED, "fees").outcome is Outcome.OK
    assert applied(node, ONE).outcome is Outcome.EXISTS, "suspended is not free"
    assert decided(node, ONE, State.ALLOTTED).outcome is Outcome.OK
    assert node.principal("qz01").may_register(ONE)
    assert not node.principal("qz02").owns(ONE)


def test_reviewers_decide_and_say_why(database: Database) -> None:
    node = Node(database)
    assert applied(node, NEW).outcome is Outcome.OK
    assert applied(node, NEW, "qz01").outcome is Outcome.EXISTS, "somebody waits for it"
    for who in (NOBODY, node.principal("qz02")):
        done = node.do(allotting.decide, who, NEW, State.ALLOTTED)
        assert done.outcome is Outcome.DENIED
    assert not node.principal("qz02").owns(NEW)
    assert decided(node, NEW, State.REFUSED, " ").outcome is Outcome.INVALID
    assert decided(node, NEW, State.REFUSED, "no such firm").outcome is Outcome.OK
    assert (
        decided(node, NEW, State.ALLOTTED).message
        == f"the prefix {NEW} was refused; it can be applied for again"
    )
    assert applied(node, NEW, "qz01").outcome is Outcome.OK, "a refused one is free"
    assert node.do(allotting.decide, ROOT, NEW, State.ALLOTTED).outcome is Outcome.OK
    assert decided(node, NEW, State.REFUSED, "late").outcome is Outcome.INVALID
    assert decided(node, "88.999.NONE", State.ALLOTTED).outcome is Outcome.NOT_FOUND


def test_who_applies_for_whom_and_what_is_no_prefix(database: Database) -> None:
    node = Node(database)
    assert node.do(allotting.apply, NOBODY, NEW).outcome is Outcome.DENIED
    own = node.principal("qz01")
    assert node.do(allotting.apply, own, NEW, "enterprise qz02").outcome is Outcome.DENIED
    assert node.do(allotting.apply, CLERK, NEW).outcome is Outcome.DENIED
    assert node.do(allotting.apply, CLERK, NEW, "enterprise qz02").outcome is Outcome.OK
    for strange in ("88.999", "88.998.A", "88.999.", "88.999.A B", "88.999.注", "x" * 99, ""):
        assert applied(node, strange).outcome is Outcome.INVALID
    assert [one.prefix for one in node.do(allotting.listed, own)] == [ONE]
    assert [one.state for one in node.do(allotting.listed, CLERK)].count(State.ALLOTTED) == 2
    assert node.do(allotting.listed, NOBODY) == []


def test_a_prefix_is_delegated_and_taken_back(database: Database) -> None:
    node = Node(database)
    own = node.principal("qz01")
    assert node.do(allotting.delegate, own, ONE, b"junk").outcome is Outcome.INVALID
    other = node.principal("qz02")
    assert node.do(allotting.delegate, other, ONE, SITE).outcome is Outcome.DENIED
    assert node.do(allotting.delegate, own, ONE, SITE).outcome is Outcome.OK
    assert database.run_now(prefixes.allotted)[ONE] == SITE
    assert node.create("qz01", machine("1")) == [Outcome.DENIED]
    assert node.do(allotting.delegate, own, ONE, None).outcome is Outcome.OK
    assert node.create("qz01", machine("1")) == [Outcome.OK]
    assert database.run_now(prefixes.allotted)[ONE] is None


def own_prefixes(database: Database, prefix: str = "88.999") -> Sequence[str]:
    """What the city has after its node has started."""
    database.run_now(embedded.settle, NodeCredentials("city", "secret"), prefix, NOW_MS)
    held = database.run_now(prefixes.held, embedded.ENTERPRISE)
    return [one for one, is_usable in held.items() if is_usable]


def test_a_nodes_own_enterprise_has_its_prefix_without_a_decision(database: Database) -> None:
    assert own_prefixes(database) == ["88.999"]
    assert own_prefixes(database) == ["88.999"], "at the next start, too"


@pytest.mark.parametrize(
    ("prefix", "state"),
    [
        ("88", State.ALLOTTED),
        ("88.999.qz01", State.SUSPENDED),
        ("88.999.QZ01.SUB", State.ALLOTTED),
    ],
)
def test_what_others_hold_is_never_the_citys_own(
    database: Database, prefix: str, state: State
) -> None:
    node = Node(database)
    if state is State.SUSPENDED:
        decided(node, ONE, State.SUSPENDED, "fees")
    with pytest.raises(DatabaseUnusableError) as told:
        own_prefixes(database, prefix)
    assert f"{ONE} of 'enterprise qz01'" in str(told.value)
    assert "node.path" in str(told.value)
    assert database.run_now(prefixes.held, embedded.ENTERPRISE) == {}


def test_what_was_refused_to_others_is_the_citys(database: Database) -> None:
    node = Node(database)
    assert applied(node, NEW).outcome is Outcome.OK
    assert decided(node, NEW, State.REFUSED, "no such firm").outcome is Outcome.OK
    assert own_prefixes(database, NEW) == [NEW]


def test_a_city_that_shares_its_prefix_from_before_starts_no_more(database: Database) -> None:
    assert own_prefixes(database) == ["88.999"]
    with database.engine.begin() as connection:
        prefixes.apply(connection, ONE, "a firm", NOW_MS)
    with pytest.raises(DatabaseUnusableError, match=f"{ONE} of 'a firm'"):
        own_prefixes(database)
