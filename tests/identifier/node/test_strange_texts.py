"""Texts that JSON can say and a database cannot keep are refused, on both databases."""

import json
from pathlib import Path

import pytest

from edge_config.models.identifiers.node import NodeDatabase
from gateway.identifier.irp.values import Value
from gateway.identifier.node import rules
from gateway.identifier.node.keeping.prefixes import State
from gateway.identifier.node.keeping.users import Role
from gateway.identifier.node.registration import Registration
from gateway.identifier.node.rights import accounts, allotting, refusals, registrations, templates
from gateway.identifier.registering.registry import Outcome, Result
from gateway.relational.database import Database
from tests.identifier.node.acting import CLERK, ROOT, Node, machine, template
from tests.identifier.node.running import body, configured, logged_in, running, settled

ONE = "88.999.QZ01"
STRANGE = ["a\0b", "a\ud800b"]


@pytest.mark.parametrize("text", STRANGE)
def test_a_reason_or_enterprise_that_no_database_keeps_is_refused(
    database: Database, text: str
) -> None:
    node = Node(database)
    node.create("qz01", machine("1"))
    own = node.principal("qz01")
    (done,) = node.do(registrations.withdraw, own, [(f"{ONE}/1", text)])
    assert (done.outcome, done.message) == (Outcome.INVALID, rules.BAD_REASON)
    assert node.read("qz01", f"{ONE}/1") is not None
    for refused in (
        node.do(allotting.decide, CLERK, ONE, State.SUSPENDED, text),
        node.do(allotting.apply, CLERK, "88.999.NEW", text),
        node.do(accounts.add, ROOT, "new", Role.ENTERPRISE, text),
    ):
        assert (refused.outcome, refused.message) == (Outcome.INVALID, refusals.NO_TEXT)
    assert node.principal("qz01").may_register(ONE)
    assert node.do(accounts.add, ROOT, "new", Role.ENTERPRISE, "泉州 #1").outcome is Outcome.OK


@pytest.mark.parametrize("text", STRANGE)
def test_a_prefix_template_or_type_that_no_database_keeps_is_refused(
    database: Database, text: str
) -> None:
    node = Node(database)
    own = node.principal("qz01")
    for decision in (
        node.do(allotting.decide, CLERK, text, State.ALLOTTED),
        node.do(allotting.delegate, CLERK, text, None),
    ):
        assert decision.outcome is Outcome.NOT_FOUND
    listed = node.do(registrations.listed, own, f"{ONE}.{text}", 9)
    assert isinstance(listed, Result)
    assert listed.outcome is Outcome.DENIED
    for key in ("name", "idType"):
        strange = template(ONE) | {"version": "2"}
        strange["items"][0][key] = text
        done = node.do(templates.create, own, strange)
        assert (done.outcome, "无效字符" in done.message) == (Outcome.INVALID, True)
    new = Registration(f"{ONE}/1", "", (Value(1, text, b"x"),))
    assert node.create("qz01", new) == [Outcome.INVALID]


async def test_over_http_such_a_text_is_a_refusal_and_no_fault(tmp_path: Path, url: str) -> None:
    config = configured(tmp_path, database=NodeDatabase(url=url))
    secret = settled(config)
    async with running(config) as at, logged_in(at, secret) as http:
        for text in ("\\u0000", "\\ud800"):
            value = body("1")
            value["value"][0]["data"]["value"] = "@"
            item = template(ONE)
            item["items"][0]["name"] = "@"
            for method, path, given in (
                ("POST", "/identityv2/data", value),
                ("POST", "/snms/api/v5/template", item),
                ("DELETE", "/identityv2/data", {"handle": f"{ONE}/@"}),
                ("DELETE", "/identityv2/data", {"handle": f"{ONE}/1", "reason": "@"}),
                ("POST", "/identity/token", {"username": "@", "password": "@"}),
            ):
                sent = json.dumps(given).replace("@", text).encode()
                answer = await http.request(method, path, content=sent)
                assert answer.status_code == 200, (path, text)
                assert answer.json()["status"] < 0, (path, text)
                assert answer.json()["message"], (path, text)
