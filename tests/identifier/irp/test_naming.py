"""Sites of a prefix: in both spellings, by services and by what a prefix is derived from; kept."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from gateway.identifier.irp.bodies import Held, Question, Referral, read_question, write_held
from gateway.identifier.irp.bodies import write_referral as referral
from gateway.identifier.irp.codes import Flag, Op, Rc
from gateway.identifier.irp.data import write_site
from gateway.identifier.irp.message import Message, decode, encode, request_digest
from gateway.identifier.irp.values import ABSOLUTE, RELATIVE, Value, left_s
from gateway.identifier.native.walking.walk import Manner, Walker
from gateway.identifier.native.walking.way import WalkError
from tests.identifier.irp.servers import answering, site_at
from tests.support.peers import free_port

MACHINE = "88.999.QZ01/1"
Says = Callable[[Question], tuple[Rc, bytes] | None]


@dataclass
class Told:
    """A server that has answers by handle, and notes the questions with their flags."""

    says: dict[str, tuple[Rc, bytes]] = field(default_factory=dict)
    otherwise: tuple[Rc, bytes] = (Rc.HANDLE_NOT_FOUND, b"")
    authoritatively: dict[str, tuple[Rc, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    site: bytes = b""

    def __call__(self, request: bytes) -> bytes:
        message = decode(request)
        rc, body = self._answer(message)
        digest = request_digest(request)
        flags = int(Flag.RETURN_DIGEST | Flag.KEEP_ALIVE)
        return encode(Message(message.op, message.request_id, body, rc, flags, digest=digest))

    def _answer(self, message: Message) -> tuple[Rc, bytes]:
        if message.op == Op.GET_SITE:
            self.asked.append("/")
            return Rc.OK, self.site
        handle = read_question(message.body).handle
        self.bodies.append(message.body)
        is_authoritative = bool(message.flags & Flag.AUTHORITATIVE)
        self.asked.append(handle + "!" * is_authoritative)
        if is_authoritative and handle in self.authoritatively:
            return self.authoritatively[handle]
        return self.says.get(handle, self.otherwise)


def held(handle: str, *values: Value) -> tuple[Rc, bytes]:
    return Rc.OK, write_held(Held(handle, values))


def naming(handle: str, port: int, kind: str = "HS_SITE", ttl_s: int = 3_600) -> tuple[Rc, bytes]:
    return held(handle, Value(1, kind, write_site(site_at(port)), ttl_s=ttl_s))


def walker_at(port: int, *, by_prefix: bool = True, with_auth: bool = False) -> Walker:
    manner = Manner(5.0, 60.0, patience_s=60.0, by_prefix=by_prefix, with_auth=with_auth)
    return Walker((site_at(port),), manner)


async def once(walker: Walker, handle: str = MACHINE) -> Held:
    try:
        return (await walker.resolve(Question(handle))).held
    finally:
        walker.close()


@pytest.fixture
def enterprise() -> Told:
    return Told({f"88.999.QZ01/{number}": held(f"88.999.QZ01/{number}") for number in (1, 2)})


@pytest.mark.parametrize("spelling", ["88.999.QZ01", "0.NA/88.999.QZ01"])
async def test_a_prefix_is_asked_for_once_in_either_spelling(
    enterprise: Told, spelling: str
) -> None:
    root = Told()
    async with answering(enterprise) as below, answering(root) as top:
        root.says[spelling] = naming(spelling, below)
        walker = walker_at(top)
        for number in (1, 2):
            assert (await walker.resolve(Question(f"88.999.QZ01/{number}"))).held
        walker.close()
    assert root.asked == ["88.999.QZ01", "0.NA/88.999.QZ01"][: 1 + spelling.startswith("0.")]
    assert enterprise.asked == ["88.999.QZ01/1", "88.999.QZ01/2"]


async def test_a_known_site_is_believed_that_there_is_none_if_nobody_says_otherwise(
    enterprise: Told,
) -> None:
    root, moved = Told(), Told({"88.999.QZ01/3": held("88.999.QZ01/3")})
    async with answering(enterprise) as before, answering(moved) as after:
        async with answering(root) as top:
            root.says["88.999.QZ01"] = naming("88.999.QZ01", before)
            walker = walker_at(top)
            await walker.resolve(Question(MACHINE))
            with pytest.raises(WalkError) as absent:
                await walker.resolve(Question("88.999.QZ01/3"))
            root.says["88.999.QZ01"] = naming("88.999.QZ01", after)
            assert (await walker.resolve(Question("88.999.QZ01/3"))).held
        with pytest.raises(WalkError) as without_root:
            await once(walker, "88.999.QZ01/4")
    assert absent.value.is_certain
    assert without_root.value.is_certain


async def test_a_site_is_asked_for_anew_when_its_time_is_over(enterprise: Told) -> None:
    root = Told()
    async with answering(enterprise) as below, answering(root) as top:
        root.says["88.999.QZ01"] = naming("88.999.QZ01", below, ttl_s=0)
        walker = walker_at(top)
        for _ in range(2):
            await walker.resolve(Question(MACHINE))
        walker.close()
    assert root.asked == ["88.999.QZ01"] * 2


async def test_a_site_that_is_gone_is_asked_for_anew_and_the_old_one_outlives_a_failure(
    enterprise: Told,
) -> None:
    root, moved = Told(), free_port()
    async with answering(root) as top:
        walker = walker_at(top)
        async with answering(enterprise) as below:
            root.says["88.999.QZ01"] = naming("88.999.QZ01", below)
            await walker.resolve(Question(MACHINE))
        with pytest.raises(WalkError, match="no server could be asked"):  # the root says the same
            await walker.resolve(Question(MACHINE))
        root.says["88.999.QZ01"] = naming("88.999.QZ01", moved)
        with pytest.raises(WalkError, match="no server could be asked"):
            await walker.resolve(Question(MACHINE))
        async with answering(enterprise) as below:
            root.says["88.999.QZ01"] = naming("88.999.QZ01", below)
            assert (await walker.resolve(Question(MACHINE))).held.handle == MACHINE
        walker.close()


async def test_a_server_that_is_not_responsible_any_more_leads_back(enterprise: Told) -> None:
    root, old = Told(), Told({MACHINE: held(MACHINE)}, (Rc.NOT_RESPONSIBLE, b""))
    async with answering(enterprise) as below, answering(old) as before, answering(root) as top:
        root.says["88.999.QZ01"] = naming("88.999.QZ01", before)
        walker = walker_at(top)
        await walker.resolve(Question(MACHINE))
        old.says.clear()
        root.says["88.999.QZ01"] = naming("88.999.QZ01", below)
        assert (await walker.resolve(Question(MACHINE))).held.handle == MACHINE
        walker.close()
    assert enterprise.asked == [MACHINE]


async def test_a_site_out_of_date_is_read_again_from_its_server(enterprise: Told) -> None:
    old = Told({}, (Rc.SITE_OUT_OF_DATE, b""))
    async with answering(enterprise) as below, answering(old) as top:
        old.site = write_site(site_at(below))
        walker = walker_at(top, by_prefix=False)
        assert (await walker.resolve(Question(MACHINE))).held.handle == MACHINE
        old.site = write_site(site_at(top))
        with pytest.raises(WalkError, match="site out of date"):
            await walker.resolve(Question("88.1.1/x"))
        walker.close()


async def test_a_service_is_followed_and_one_that_names_itself_is_left(enterprise: Told) -> None:
    root = Told()
    async with answering(enterprise) as below, answering(root) as top:
        root.says["88.999.QZ01"] = held("88.999.QZ01", Value(1, "HS_SERV", b"88.1/service"))
        root.says["88.1/service"] = naming("88.1/service", below)
        assert (await once(walker_at(top))).handle == MACHINE
        root.says["88.1/service"] = held("88.1/service", Value(1, "HS_SERV", b"88.1/service"))
        with pytest.raises(WalkError, match="circle"):
            await once(walker_at(top))


@pytest.mark.parametrize("kind", ["HS_SITE.PREFIX", "HS_NA_DELEGATE"])
async def test_what_a_prefix_is_derived_from_names_who_knows_it(
    enterprise: Told, kind: str
) -> None:
    root, secondary = Told(), Told()
    async with (
        answering(enterprise) as below,
        answering(secondary) as between,
        answering(root) as top,
    ):
        root.says["0.NA/88.999"] = naming("0.NA/88.999", between, kind)
        secondary.says["88.999.QZ01"] = naming("88.999.QZ01", below)
        assert (await once(walker_at(top))).handle == MACHINE
    assert root.asked == ["88.999.QZ01", "0.NA/88.999.QZ01", "88.999", "0.NA/88.999"]


async def test_nobody_is_named() -> None:
    root = Told({"88.999.QZ01": held("88.999.QZ01", Value(1, "DESC", b"x"))})
    async with answering(root) as top:
        with pytest.raises(WalkError, match="nobody is named that answers for it") as caught:
            await once(walker_at(top))
    assert not caught.value.is_certain
    assert root.asked[:2] == ["88.999.QZ01", "88.999.QZ01!"]  # once more, of the primary


async def test_a_referral_without_a_site_is_asked_for_once_more_of_the_primary(
    enterprise: Told,
) -> None:
    empty = Rc.PREFIX_REFERRAL, referral(Referral())
    root = Told({MACHINE: empty})
    async with answering(enterprise) as below, answering(root) as top:
        site = Value(1, "HS_SITE", write_site(site_at(below)))
        root.authoritatively[MACHINE] = Rc.PREFIX_REFERRAL, referral(Referral("", (site,)))
        walker = walker_at(top, by_prefix=False)
        assert (await walker.resolve(Question(MACHINE))).held.handle == MACHINE
        root.authoritatively.clear()
        root.says["88.1.1/x"] = empty
        with pytest.raises(WalkError, match="names no site"):
            await once(walker, "88.1.1/x")
    assert root.asked == [MACHINE, f"{MACHINE}!", "88.1.1/x", "88.1.1/x!"]


async def test_one_makers_form_is_for_the_servers_to_begin_with(enterprise: Told) -> None:
    root = Told()
    async with answering(enterprise) as below, answering(root) as top:
        root.says["88.999.QZ01"] = naming("88.999.QZ01", below)
        await once(walker_at(top, with_auth=True))
    assert root.bodies[0].endswith(b"HS_SERV.PREFIX" + bytes(4))
    assert enterprise.bodies[0].endswith(MACHINE.encode() + bytes(8))  # no indexes, no types


@pytest.mark.parametrize(
    ("kind", "told_s", "left"),
    [
        (RELATIVE, 300, 300),
        (RELATIVE, 2**32 - 1, 172_800),
        (ABSOLUTE, 1_000_300, 300),
        (ABSOLUTE, 999_000, 0),
        (ABSOLUTE, 2**32 - 1, 172_800),
    ],
)
def test_how_long_a_value_may_be_kept(kind: int, told_s: int, left: int) -> None:
    assert left_s(Value(1, "URL", b"", ttl_s=told_s, ttl_kind=kind), 1_000_000.5) == left
