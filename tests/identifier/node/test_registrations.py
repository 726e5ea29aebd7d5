"""What may be done with identifiers, and by whom, on both databases."""

from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from gateway.identifier.irp.values import HIDDEN, Value
from gateway.identifier.node import rules
from gateway.identifier.node.http.snms_bodies import write_page
from gateway.identifier.node.keeping import audit, records
from gateway.identifier.node.keeping.lookup import Lookup
from gateway.identifier.node.keeping.prefixes import State
from gateway.identifier.node.registration import Registration, Withdrawal
from gateway.identifier.node.rights import allotting, registrations, templates
from gateway.identifier.node.rights.principal import NOBODY, Principal, Terms
from gateway.identifier.registering.registry import Outcome
from gateway.relational.database import Database
from tests.identifier.node.acting import CLERK, NOW_MS, ROOT, Node, machine, template

WHY = "entered by mistake"
URL = Value(1, "URL", b"http://a")
OK, EXISTS, GONE = Outcome.OK, Outcome.EXISTS, Outcome.NOT_FOUND
INVALID, DENIED, QUOTA = Outcome.INVALID, Outcome.DENIED, Outcome.QUOTA


def test_each_of_many_has_its_own_outcome(database: Database) -> None:
    node = Node(database)
    many = [
        machine("1"),
        machine("1", "other"),
        machine("2", "too long a text"),
        machine("2"),
        machine("3", prefix="88.999.QZ02"),
        machine("3", prefix="88.998.QZ01"),
        Registration("no handle", "1", ()),
        Registration("88.999.QZ01/4", "7", ()),
    ]
    assert node.create("qz01", *many) == [
        OK,
        EXISTS,
        INVALID,
        OK,
        DENIED,
        DENIED,
        INVALID,
        INVALID,
    ]
    assert node.create("qz01", machine("1", "x")) == [EXISTS]
    assert node.read("qz01", "88.999.qz01/1") == {2000: "a", 2001: "b", 2002: "c"}
    assert database.run_now(records.count) == database.run_now(records.count, "88.999.qz01") == 2


def test_no_two_identifiers_differ_in_case_only(database: Database) -> None:
    node = Node(database)
    assert node.create("qz01", machine("a"), machine("A"), machine("ß")) == [OK, EXISTS, OK]
    assert node.create("qz01", machine("SS"), machine("1#注塑机")) == [EXISTS, OK]


def test_who_sees_what_the_template_says(database: Database) -> None:
    node = Node(database)
    assert node.create("qz01", machine("1")) == [OK]
    handle = "88.999.QZ01/1"
    assert node.read(None, handle) == {2000: "a"}
    assert node.read("qz02", handle) == {2000: "a", 2001: "b"}
    assert node.read("qz01", handle) == {2000: "a", 2001: "b", 2002: "c"}
    lookup = Lookup(database)
    held = lookup.held(handle.lower())
    assert held is not None
    assert held.handle == handle
    assert [one.index for one in held.values if one.is_public] == [1000, 2000]
    # a later template counts for what was registered before
    change = template("88.999.QZ01", ("enterprise", "everybody"))
    node.do(templates.update, node.principal("qz01"), change)
    held = lookup.held(handle)
    assert held is not None
    assert [one.index for one in held.values if one.is_public] == [1000, 2001]
    assert lookup.held("88.999.QZ01/2") is None
    lookup.close()
    assert lookup.held(handle) is not None, "it opens its connection again"
    lookup.close()


def test_without_a_template_a_value_says_itself_who_sees_it(database: Database) -> None:
    node = Node(database)
    values = Value(1, "URL", b"http://a"), Value(2, "EMAIL", b"\xff\x00", permissions=HIDDEN)
    assert node.create("qz01", Registration("88.999.QZ01/n", "", values)) == [OK]
    for who, indices in ((NOBODY, [1]), (node.principal("qz02"), [1])):
        found = node.do(registrations.read, who, "88.999.QZ01/N")
        assert [one.index for one in found.values] == indices
    assert node.do(registrations.read, node.principal("qz01"), "88.999.QZ01/n").values == values


def test_update_keeps_the_name_and_what_is_below(database: Database) -> None:
    node = Node(database)
    admin = Value(100, "HS_ADMIN", b"octets")
    one = machine("a")
    assert node.create("qz01", Registration(one.handle, "1", (admin, *one.values))) == [OK]
    changed = [machine("A", "new"), machine("b"), machine("a", "too long a text")]
    done = node.do(registrations.update, node.principal("qz01"), changed, 2000)
    assert [one.outcome for one in done] == [OK, GONE, INVALID]
    held = node.do(registrations.read, node.principal("qz01"), "88.999.QZ01/a")
    assert held.handle == "88.999.QZ01/a"
    assert [one.data for one in held.values] == [b"octets", b"new"]
    done = node.do(registrations.update, node.principal("qz02"), [machine("a")])
    assert [one.outcome for one in done] == [DENIED]


def test_what_was_withdrawn_resolves_to_nothing_and_is_never_registered_again(
    database: Database,
) -> None:
    node = Node(database)
    node.create("qz01", machine("1"), machine("2"))
    both = ["88.999.QZ01/1", "88.999.qz01/1", "88.999.QZ01/9"]
    done = node.do(registrations.withdraw, node.principal("qz01"), [(one, WHY) for one in both])
    assert [one.outcome for one in done] == [OK, GONE, GONE]
    assert node.read("qz01", both[0]) is None
    with closing(Lookup(database)) as lookup:
        held = lookup.held(both[0])
        assert held is not None
        assert [(one.index, one.is_public) for one in held.values] == [(1002, False), (1003, False)]
    assert node.create("qz01", machine("1", "another")) == [EXISTS]
    changed = node.do(registrations.update, node.principal("qz01"), [machine("1", "another")])
    assert [one.outcome for one in changed] == [GONE]
    entry = database.run_now(audit.newest, 1)[0]
    assert (entry.who, entry.action, entry.subject) == ("qz01", "withdrawn", both[0])
    assert entry.detail == WHY


def test_why_and_by_whom_is_for_those_whom_it_concerns(database: Database) -> None:
    node = Node(database)
    node.create("qz01", machine("1"), machine("2"))
    first, second = "88.999.QZ01/1", "88.999.QZ01/2"
    own = node.principal("qz01")
    node.do(registrations.withdraw, own, [(first, "one"), (second, "two")])
    told = Withdrawal(first, NOW_MS, "one", "qz01")
    for who in (own, ROOT, CLERK):
        assert node.do(registrations.withdrawal, who, first.lower()) == told
        assert node.do(registrations.withdrawal, who, second).why == "two"
    for who in (NOBODY, node.principal("qz02")):
        assert node.do(registrations.withdrawal, who, first) == Withdrawal(first, NOW_MS)
    assert node.do(registrations.withdrawal, own, "88.999.QZ01/3") is None


def test_nobody_and_those_who_register_nothing_change_nothing(database: Database) -> None:
    node = Node(database)
    node.create("qz01", machine("1"))
    for who in (NOBODY, ROOT, CLERK, node.principal("qz02")):
        assert node.do(registrations.create, who, [machine("2")])[0].outcome is DENIED
        assert node.do(registrations.update, who, [machine("1")])[0].outcome is DENIED
        done = node.do(registrations.withdraw, who, [("88.999.QZ01/1", "x")])
        assert done[0].outcome is DENIED
        assert node.do(templates.create, who, template("88.999.QZ01")).outcome is DENIED
        assert node.do(templates.update, who, template("88.999.QZ01")).outcome is DENIED
    assert node.read("qz01", "88.999.QZ01/1") == {2000: "a", 2001: "b", 2002: "c"}


@pytest.mark.parametrize("state", [State.SUSPENDED, "delegated"])
def test_where_a_prefix_is_not_answered_here_nothing_is_registered(
    database: Database, state: str
) -> None:
    node = Node(database)
    node.create("qz01", machine("1"))
    if state is State.SUSPENDED:
        node.do(allotting.decide, CLERK, "88.999.QZ01", State.SUSPENDED, "fees")
    else:
        with database.engine.begin() as connection:
            allotting.prefixes.delegate(connection, "88.999.QZ01", b"site")
    own, handle = node.principal("qz01"), "88.999.QZ01/1"
    (denied,) = node.do(registrations.create, own, [machine("2")])
    assert (denied.outcome, denied.message) == (DENIED, rules.not_usable("88.999.QZ01"))
    assert node.do(registrations.update, own, [machine("1", "z")])[0].outcome is DENIED
    assert node.do(registrations.withdraw, own, [(handle, WHY)])[0].outcome is DENIED
    assert node.do(templates.update, own, template("88.999.QZ01")).outcome is DENIED
    assert node.read(None, handle) == {2000: "a"}
    assert node.read("qz02", handle) == {2000: "a", 2001: "b"}
    assert node.read("qz01", handle) == {2000: "a", 2001: "b", 2002: "c"}, "it stays its own"
    assert node.do(registrations.listed, own, "88.999.QZ01", 9) == [handle]


def test_the_nearest_of_its_prefixes_says_whether_an_enterprise_registers(
    database: Database,
) -> None:
    node = Node(database)
    part = "88.999.QZ01.PART"
    for change in (State.ALLOTTED, State.SUSPENDED):
        node.do(allotting.apply, node.principal("qz01"), part)
        node.do(allotting.decide, CLERK, part, change, "fees")
    without = [Registration(f"{one}/1", "", (URL,)) for one in (part, f"{part}.A", "88.999.QZ01")]
    assert node.create("qz01", *without) == [DENIED, DENIED, OK]


def test_a_day_has_a_limit_and_the_next_one_its_own(database: Database) -> None:
    node = Node(database, Terms("88.999", per_day=3))
    assert node.create("qz01", machine("1"), machine("2")) == [OK, OK]
    again = [machine("1"), machine("3"), machine("4"), machine("5")]
    assert node.create("qz01", *again) == [EXISTS, OK, QUOTA, QUOTA]
    assert node.create("qz02", machine("1", prefix="88.999.QZ02")) == [OK], "others have their own"
    assert node.now_ms == NOW_MS
    node.now_ms += 86_400_000
    assert node.create("qz01", machine("4")) == [OK]


def test_templates_grow_and_never_lose_an_item(database: Database) -> None:
    node = Node(database)
    own = node.principal("qz01")
    assert node.do(templates.create, own, template("88.999.qz01")).outcome is EXISTS
    added = template("88.999.QZ01")
    added["items"] = [added["items"][0] | {"idIndex": 2100, "idType": "extra", "name": "extra"}]
    assert node.do(templates.update, own, added).outcome is OK
    held = database.run_now(templates.read, "88.999.QZ01", "1")
    assert held is not None
    assert [one["idIndex"] for one in held["items"]] == [2000, 2001, 2002, 2100]
    assert node.do(templates.update, own, added | {"version": "2"}).outcome is GONE
    strange = template("88.999.QZ01", ("the-neighbour",)) | {"version": "3"}
    assert node.do(templates.create, own, strange).outcome is INVALID


def test_withdrawn_identifiers_are_listed_as_they_were_to_who_registers_there(
    database: Database,
) -> None:
    node = Node(database)
    own, made = node.principal("qz01"), [machine(str(number)) for number in range(1, 5)]
    handles = [one.handle for one in made]
    assert node.create("qz01", *made) == [OK] * 4
    node.do(registrations.withdraw, own, [(handles[1], WHY)])

    def listed(who: Principal, *more: Any) -> Any:
        return node.do(registrations.listed_with_withdrawn, who, "88.999.qz01", *more)

    assert listed(own, 9) == [handles[0], made[1], *handles[2:]]
    assert listed(own, 2, handles[0].lower()) == [made[1], handles[2]]
    for who in (NOBODY, node.principal("qz02"), CLERK):
        assert listed(who, 9).outcome is DENIED
    # A page ends early behind much, and the next one goes on there.
    much = replace(made[1], values=(Value(2000, "x", b"x" * 2**21),))
    assert [_name(one) for one in write_page([handles[0], much, handles[2]])] == handles[:2]


def _name(listed: str | dict[str, Any]) -> str:
    return listed if isinstance(listed, str) else listed["handle"]
