"""Referrals lead no further inside than the server that refers is itself, unless configured."""

import time

import pytest

from gateway.identifier.irp.bodies import Question
from gateway.identifier.irp.data import TCP
from gateway.identifier.native.walking.asking import Asker
from gateway.identifier.native.walking.places import Sites
from gateway.identifier.native.walking.trust import Scope, may_refer, scope_of
from gateway.identifier.native.walking.way import WalkError, Way
from tests.identifier.irp.servers import site_at


@pytest.mark.parametrize(
    ("address", "scope"),
    [
        ("127.0.0.1", Scope.HOST),
        ("::1", Scope.HOST),
        ("::ffff:127.0.0.1", Scope.HOST),
        ("64:ff9b::7f00:1", Scope.HOST),
        ("2002:7f00:1::1", Scope.HOST),
        ("169.254.169.254", Scope.LINK),
        ("fe80::1", Scope.LINK),
        ("10.0.0.8", Scope.PRIVATE),
        ("192.168.1.1", Scope.PRIVATE),
        ("100.64.0.1", Scope.PRIVATE),
        ("fd00::1", Scope.PRIVATE),
        ("240.0.0.1", Scope.PRIVATE),
        ("36.112.25.8", Scope.PUBLIC),
        ("2400:3200::1", Scope.PUBLIC),
        ("node.example.cn", Scope.PUBLIC),
        ("0.0.0.0", None),
        ("::", None),
        ("224.0.0.1", None),
    ],
)
def test_who_can_reach_an_address(address: str, scope: Scope | None) -> None:
    assert scope_of(address) is scope


@pytest.mark.parametrize(
    ("told_by", "address", "least", "may"),
    [
        ("36.112.25.8", "8.8.8.8", Scope.PUBLIC, True),
        ("36.112.25.8", "10.0.0.8", Scope.PUBLIC, False),
        ("36.112.25.8", "127.0.0.1", Scope.PUBLIC, False),
        ("36.112.25.8", "10.0.0.8", Scope.PRIVATE, True),
        ("36.112.25.8", "169.254.169.254", Scope.PRIVATE, False),
        ("36.112.25.8", "127.0.0.1", Scope.HOST, True),
        ("36.112.25.8", "0.0.0.0", Scope.HOST, False),
        ("10.0.0.1", "10.0.0.8", Scope.PUBLIC, True),
        ("10.0.0.1", "127.0.0.1", Scope.PUBLIC, False),
        ("10.0.0.1", "169.254.169.254", Scope.PUBLIC, False),
        ("127.0.0.1", "127.0.0.1", Scope.PUBLIC, True),
        ("127.0.0.1", "10.0.0.8", Scope.PUBLIC, True),
    ],
)
def test_who_may_send_us_where(told_by: str, address: str, least: Scope, *, may: bool) -> None:
    assert may_refer(told_by, address, least) is may


async def test_a_refusal_is_said_and_nobody_is_asked() -> None:
    asker, way = Asker(5.0, 1.0, Scope.PUBLIC, time.monotonic), Way()
    sites = Sites((site_at(2641, TCP),), "36.112.25.8")
    with pytest.raises(WalkError, match=r"36\.112\.25\.8 refers to 127\.0\.0\.1:2641 tcp, which"):
        await asker.ask(sites, Question("88.1.1/x"), way)
    assert [hop.outcome for hop in way.hops] == ["not asked: 36.112.25.8 said it"]
