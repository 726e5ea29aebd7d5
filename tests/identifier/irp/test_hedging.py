"""A second server is asked beside one that is slow, and one that failed is asked last."""

import pytest

from gateway.identifier.irp.bodies import Held, Question, write_held
from gateway.identifier.irp.codes import Rc
from gateway.identifier.irp.data import BOTH, TCP, UDP, Interface, Server, Site
from gateway.identifier.irp.datagrams import cut
from gateway.identifier.irp.placing import server_of
from gateway.identifier.irp.values import Value
from gateway.identifier.native.walking.places import MAX_PLACES, Place, places_of
from gateway.identifier.native.walking.standing import BAD_S, LEAST_PATIENCE_S, Standing
from gateway.identifier.native.walking.walk import Found, Manner, Walker
from gateway.identifier.native.walking.way import WalkError
from tests.identifier.irp.servers import answering, by_datagrams, nothing, sending, site_at
from tests.identifier.irp.test_walk import replies
from tests.support.peers import free_port

MACHINE = "88.999.QZ01/451.000001"
LONG_S = 60.0
"""Nobody waits for so long in a test that goes well."""
KNOWS = replies(lambda asked: (Rc.OK, write_held(Held(asked.handle, (Value(1, "D", b"x" * 900),)))))
LACKS = replies(lambda _: (Rc.HANDLE_NOT_FOUND, b""))


async def asked_twice(*sites: Site, timeout_s: float = LONG_S) -> list[Found]:
    walker = Walker(sites, Manner(timeout_s, LONG_S, patience_s=0.05))
    try:
        return [await walker.resolve(Question(MACHINE)) for _ in range(2)]
    finally:
        walker.close()


async def test_a_silent_server_is_overtaken_and_asked_last_from_then_on() -> None:
    async with sending(nothing) as silent, answering(KNOWS) as good:
        first, second = await asked_twice(site_at(silent, TCP), site_at(good, TCP))
    silent_hop, good_hop = sorted(first.hops, key=lambda hop: hop.outcome)
    assert (silent_hop.place, good_hop.place) == (
        f"127.0.0.1:{silent} tcp",
        f"127.0.0.1:{good} tcp",
    )
    assert "another one was quicker" in silent_hop.outcome
    assert [hop.outcome for hop in second.hops] == ["ok"]


async def test_one_that_hears_datagrams_only_is_asked_by_them() -> None:
    async with by_datagrams(lambda asked: list(cut(KNOWS(asked)))) as port:
        first, second = await asked_twice(site_at(port))
    assert first.hops[-1].place.endswith("udp")
    assert [hop.place.endswith("udp") for hop in second.hops] == [True]


async def test_an_answer_of_which_a_part_is_missing_is_none() -> None:
    async with (
        by_datagrams(lambda asked: list(cut(KNOWS(asked)))[:-1]) as short,
        answering(KNOWS) as good,
    ):
        first, _ = await asked_twice(site_at(short, UDP), site_at(good, TCP), timeout_s=30.0)
        with pytest.raises(WalkError, match="no server could be asked"):
            await asked_twice(site_at(short, UDP), timeout_s=0.7)
    assert "ok" in [hop.outcome for hop in first.hops]


async def test_all_of_them_down_are_all_named() -> None:
    one, other = free_port(), free_port()
    with pytest.raises(WalkError, match="no server could be asked") as caught:
        await asked_twice(site_at(one), site_at(other))
    assert not caught.value.is_certain
    assert {hop.place for hop in caught.value.hops} == {
        f"127.0.0.1:{port} {way}" for port in (one, other) for way in ("tcp", "udp")
    }


async def test_a_whole_walk_has_its_time() -> None:
    async with sending(nothing) as silent:
        walker = Walker((site_at(silent, TCP),), Manner(LONG_S, total_s=0.2))
        with pytest.raises(WalkError, match=r"not found in 0\.2 s") as caught:
            await walker.resolve(Question(MACHINE))
        walker.close()
    assert "no time left" in caught.value.hops[0].outcome


async def test_only_the_server_that_holds_a_handle_is_believed_that_there_is_none() -> None:
    async with answering(LACKS) as lacking, answering(KNOWS) as knowing:
        one = await asked_twice(site_of(free_port(), lacking, knowing))
        with pytest.raises(WalkError, match="handle not found") as caught:
            await asked_twice(site_of(free_port(), lacking))
    assert one[0].held.handle == MACHINE
    assert not caught.value.is_certain


def site_of(home: int, *others: int) -> Site:
    """A site of servers at ports; the first one holds the machine."""
    ports = [home, *others]
    for _ in ports:
        servers = (Server(port, "127.0.0.1", (Interface(BOTH, TCP, port),)) for port in ports)
        site = Site(tuple(servers))
        if server_of(site, MACHINE).id == home:
            return site
        ports.append(ports.pop(0))
    raise AssertionError("no order of the servers has it so")


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


A, B, C = (Place("192.0.2.1", port, TCP) for port in (1, 2, 3))


def test_a_failure_is_remembered_for_a_while() -> None:
    clock = Clock()
    standing = Standing(1.0, clock)
    standing.failed(A)
    assert standing.ordered([A, B, C]) == [B, C, A]
    clock.now_s += BAD_S - 1
    assert standing.ordered([A, B, C]) == [B, C, A]
    clock.now_s += 2
    assert standing.ordered([A, B, C]) == [A, B, C]
    standing.failed(A)
    standing.answered(A, 0.1)
    assert standing.ordered([A, B, C]) == [A, B, C]


def test_patience_is_learnt_from_answers_and_bounded() -> None:
    standing = Standing(1.0, Clock())
    for number in range(40):
        standing.answered(A, 0.1 if number % 10 else 0.3)
        standing.answered(B, 0.001)
        standing.answered(C, 30.0)
    assert standing.patience_s(A) == 0.3  # one of ten answers takes so long
    assert standing.patience_s(B) == LEAST_PATIENCE_S
    assert standing.patience_s(C) == 1.0
    assert standing.patience_s(Place("192.0.2.9", 1, TCP)) == 1.0
    for _ in range(64):  # what was long ago does not count
        standing.answered(A, 0.2)
    assert standing.patience_s(A) == 0.2


def test_every_server_is_asked_by_its_first_way_before_any_by_its_second() -> None:
    sites = (site_at(1), site_at(2), Site((Server(1, "127.0.0.1", (Interface(BOTH, 9, 3),)),)))
    assert [str(place) for place in places_of(sites, MACHINE)] == [
        "127.0.0.1:1 tcp",
        "127.0.0.1:2 tcp",
        "127.0.0.1:1 udp",
        "127.0.0.1:2 udp",
    ]


def test_ports_that_are_none_and_ways_without_end_are_not_gone() -> None:
    assert places_of((site_at(0), site_at(70_000), site_at(2**32 - 1)), MACHINE) == []
    many = tuple(site_at(port) for port in range(1, 1000))
    assert len(places_of(many, MACHINE)) == MAX_PLACES
