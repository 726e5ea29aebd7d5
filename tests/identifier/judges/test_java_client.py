"""What we write and read, judged by the client of the protocol's authors (handle-client 9.3.1)."""

import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.identifier.irp.bodies import (
    Fault,
    Held,
    Proof,
    Question,
    Referral,
    Removal,
    read_handle,
    read_held,
    read_question,
    read_removal,
    write_challenge,
    write_fault,
    write_handle,
    write_held,
    write_list,
    write_proof,
    write_question,
    write_referral,
    write_removal,
)
from gateway.identifier.irp.codes import ASKING, Flag, Op, Rc
from gateway.identifier.irp.data import (
    ASK,
    BOTH,
    BY_PREFIX,
    TCP,
    UDP,
    Admin,
    Interface,
    Right,
    Server,
    Site,
    write_admin,
    write_site,
)
from gateway.identifier.irp.json_form import read_json, write_json
from gateway.identifier.irp.message import Message, decode, encode, request_digest
from gateway.identifier.irp.octets import Octets
from gateway.identifier.irp.proofs import (
    is_secret_answer,
    is_signed_answer,
    write_rsa_key,
)
from gateway.identifier.irp.values import (
    ABSOLUTE,
    HIDDEN,
    Reference,
    Value,
    read_value,
    write_references,
    write_value,
)
from gateway.identifier.node.keeping import records
from gateway.identifier.node.keeping.opening import open_database
from gateway.identifier.node.keeping.secrets import Seal
from gateway.identifier.node.keeping.users import AdminKey
from gateway.identifier.node.native.answering import Holdings, answer
from gateway.identifier.node.native.changing import LISTED
from gateway.identifier.node.native.referring import Directory
from gateway.identifier.node.registration import Registration
from tests.identifier.irp.servers import answering, site_at
from tests.identifier.node.acting import Node
from tests.identifier.node.handle_face import give_key
from tests.identifier.node.natively import served
from tests.support.java import Judge

HANDLE = "88.100.1/设备-1"
PREFIX = "0.NA/88.100.1"
EXPIRES_S = 1_800_000_000
URL = Value(1, "URL", b"http://a.cn", 1_700_000_000)
KEY = generate_private_key(65537, 2048)
SITE = Site(
    (
        Server(
            1,
            "192.0.2.10",
            (Interface(ASK, UDP, 2641), Interface(BOTH, TCP, 2641)),
            write_rsa_key(KEY.public_key()),
        ),
        Server(2, "2001:db8::1", (Interface(BOTH, TCP, 3641),), write_rsa_key(KEY.public_key())),
    ),
    serial=7,
    hashing=BY_PREFIX,
    attributes=(("desc", "企业节点"), ("domain", "example.cn")),
)
OWN_TYPES = (
    Value(100, "HS_ADMIN", write_admin(Admin(0x7F3, PREFIX, 300)), 1_700_000_000),
    Value(200, "HS_VLIST", write_references((Reference(PREFIX, 300), Reference("a/b", 0)))),
    Value(3, "HS_SITE", write_site(SITE)),
    Value(300, "HS_PUBKEY", write_rsa_key(KEY.public_key())),
    Value(301, "HS_SECKEY", b"geheim", permissions=HIDDEN),
    Value(5, "URL", b"http://b.cn", references=(Reference("a/b", 3),)),
    Value(6, "0.TYPE/x", b"\xff\x00"),
    Value(4, "HS_ALIAS", "88.100.1/别名".encode(), ttl_kind=ABSOLUTE, ttl_s=EXPIRES_S),
)
VALUES = (URL, *OWN_TYPES)


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    with Judge(tmp_path_factory.mktemp("java")) as started:
        yield started


def asked(op: int, body: bytes) -> Message:
    return Message(op, 7, body, expires_s=EXPIRES_S)


def answered(op: int, body: bytes, rc: int = Rc.OK, *, digest: bytes = b"") -> Message:
    flags = int(ASKING | Flag.RETURN_DIGEST) if digest else int(ASKING)
    return Message(op, 8, body, int(rc), flags, site_serial=3, expires_s=EXPIRES_S, digest=digest)


CREATION = encode(asked(Op.CREATE, write_held(Held(HANDLE, VALUES))))
MESSAGES = {
    "ResolutionRequest": [
        asked(Op.RESOLVE, write_question(Question(HANDLE))),
        asked(Op.RESOLVE, write_question(Question(HANDLE, (1, 2), ("URL", "0.TYPE/.")))),
    ],
    "ResolutionResponse": [
        answered(Op.RESOLVE, write_held(Held(HANDLE, VALUES))),
        answered(Op.RESOLVE, write_held(Held(HANDLE, (URL,))), digest=request_digest(CREATION)),
    ],
    "GenericRequest": [asked(Op.GET_SITE, write_handle("/"))],
    "GetSiteInfoResponse": [answered(Op.GET_SITE, write_site(SITE))],
    "CreateHandleRequest": [decode(CREATION)],
    "DeleteHandleRequest": [asked(Op.DELETE, write_handle(HANDLE))],
    "AddValueRequest": [asked(Op.ADD_VALUE, write_held(Held(HANDLE, VALUES)))],
    "RemoveValueRequest": [asked(Op.REMOVE_VALUE, write_removal(Removal(HANDLE, (1, 2))))],
    "ModifyValueRequest": [asked(Op.MODIFY_VALUE, write_held(Held(HANDLE, (URL,))))],
    "ListHandlesRequest": [asked(Op.LIST_HANDLES, write_handle(PREFIX))],
    "ListHandlesResponse": [answered(Op.LIST_HANDLES, write_list(("88.1/a", "88.1/乙")))],
    "ErrorResponse": [
        answered(Op.RESOLVE, write_fault(Fault("无此标识")), Rc.HANDLE_NOT_FOUND),
        answered(Op.CREATE, write_fault(Fault("")), Rc.NOT_PERMITTED),
    ],
    "ChallengeResponse": [
        answered(
            Op.CREATE, write_challenge(bytes(16)), Rc.CHALLENGE, digest=request_digest(CREATION)
        )
    ],
    "ChallengeAnswerRequest": [
        asked(
            Op.CHALLENGE_ANSWER, write_proof(Proof("HS_SECKEY", PREFIX, 300, b"\x02" + bytes(20)))
        )
    ],
    "ServiceReferralResponse": [
        answered(Op.RESOLVE, write_referral(Referral("0.NA/88.1")), Rc.SERVICE_REFERRAL),
        answered(Op.RESOLVE, write_referral(Referral("", OWN_TYPES[2:3])), Rc.PREFIX_REFERRAL),
    ],
}


@pytest.mark.parametrize("kind", MESSAGES)
def test_it_reads_each_kind_of_message_and_writes_the_same(judge: Judge, kind: str) -> None:
    for message in MESSAGES[kind]:
        ours = encode(message)
        assert judge.do("recode", message=ours) == {"octets": ours.hex(), "kind": kind}


def in_json(judge: Judge, value: Value) -> dict[str, Any]:
    described: dict[str, Any] = judge.do("describe", value=write_value(value))["value"]
    return described


@pytest.mark.parametrize(
    ("request_", "op", "body", "parts"),
    [
        (
            "resolve",
            Op.RESOLVE,
            write_question(Question(HANDLE, (1, 300), ("URL",))),
            {"indexes": [1, 300], "types": ["URL"]},
        ),
        ("resolve", Op.RESOLVE, write_question(Question(HANDLE)), {}),
        ("site", Op.GET_SITE, write_handle(HANDLE), {}),
        ("create", Op.CREATE, write_held(Held(HANDLE, VALUES)), {"values": VALUES}),
        ("add", Op.ADD_VALUE, write_held(Held(HANDLE, VALUES)), {"values": VALUES}),
        ("modify", Op.MODIFY_VALUE, write_held(Held(HANDLE, VALUES)), {"values": VALUES}),
        ("remove", Op.REMOVE_VALUE, write_removal(Removal(HANDLE, (1, 2))), {"indexes": [1, 2]}),
        ("delete", Op.DELETE, write_handle(HANDLE), {}),
        ("list", Op.LIST_HANDLES, write_handle(HANDLE), {}),
    ],
)
def test_out_of_the_same_parts_it_makes_the_same_request(
    judge: Judge, request_: str, op: Op, body: bytes, parts: dict[str, Any]
) -> None:
    if "values" in parts:
        parts = {"values": [in_json(judge, one) for one in VALUES]}
    made = judge.do("compose", request=request_, handle=HANDLE, id=7, expires=EXPIRES_S, **parts)
    assert "error" not in made, made
    theirs = decode(bytes.fromhex(made["octets"]))
    assert theirs.op == op
    readers = {Op.RESOLVE: read_question, Op.REMOVE_VALUE: read_removal}
    read = readers.get(op, read_held if "values" in parts else read_handle)
    assert read(theirs.body) == read(body)
    assert encode(theirs).hex() == made["octets"]


@pytest.mark.parametrize("value", VALUES, ids=lambda one: one.type)
def test_a_value_means_the_same_to_it(judge: Judge, value: Value) -> None:
    ours = write_value(value)
    described = judge.do("describe", value=ours)
    assert described["octets"] == ours.hex()
    assert described["data"] == value.data.hex(), described
    again = bytes.fromhex(judge.do("value", value=described["value"])["octets"])
    assert read_value(Octets(again)) == value
    assert again == ours


def test_it_sees_in_values_what_we_put_into_them(judge: Judge) -> None:
    seen = {one.type: in_json(judge, one)["data"]["value"] for one in VALUES}
    assert seen["HS_ADMIN"] == {"handle": PREFIX, "index": 300, "permissions": "011111110011"}
    assert seen["HS_VLIST"][1] == {"handle": "a/b", "index": 0}
    site = seen["HS_SITE"]
    assert (site["serialNumber"], site["primarySite"]) == (7, True)
    addresses = [ip_address(server["address"]) for server in site["servers"]]
    assert addresses == [ip_address(server.address) for server in SITE.servers]
    assert site["servers"][0]["interfaces"][1] == {
        "query": True,
        "admin": True,
        "protocol": "TCP",
        "port": 2641,
    }
    assert json.dumps(site["attributes"], ensure_ascii=False).count("企业节点") == 1


small = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
u31 = st.integers(0, 2**31 - 1)


@settings(max_examples=60)
@given(
    st.builds(
        Value,
        u31,
        small,
        st.binary(max_size=64),
        u31,
        u31,
        st.integers(0, 1),
        st.integers(0, 15),
        st.lists(st.builds(Reference, small, u31), max_size=2).map(tuple),
    )
)
def test_it_reads_any_value_and_writes_the_same(judge: Judge, value: Value) -> None:
    message = encode(answered(Op.RESOLVE, write_held(Held(HANDLE, (value,)))))
    assert judge.do("recode", message=message).get("octets") == message.hex()


def test_keys_are_written_alike(judge: Judge) -> None:
    for size in (1024, 1028, 2048):
        ours = write_rsa_key(generate_private_key(65537, size).public_key())
        assert judge.do("rekey", key=ours) == {"octets": ours.hex()}


def proved(judge: Judge, **who: Any) -> tuple[bytes, bytes, bytes]:
    """Its answer to a challenge of ours, with the nonce and the digest."""
    nonce, digest = secrets.token_bytes(16), request_digest(CREATION)
    challenge = encode(answered(Op.CREATE, write_challenge(nonce), Rc.CHALLENGE, digest=digest))
    made = judge.do("prove", request=CREATION, challenge=challenge, admin=PREFIX, **who)
    return bytes.fromhex(made["octets"]), nonce, digest[1:]


def test_its_answers_to_challenges_are_right_to_us(judge: Judge) -> None:
    for secret in (b"geheim", "秘密".encode(), bytes(range(255, 191, -1)), b"long" * 40):
        made, nonce, digest = proved(judge, index=301, secret=secret)
        assert is_secret_answer(made, secret, nonce, digest)
        assert not is_secret_answer(made, secret[:-1], nonce, digest)
    made, nonce, digest = proved(judge, index=300, key=PRIVATE)
    assert is_signed_answer(made, KEY.public_key(), nonce, digest)
    assert not is_signed_answer(made, KEY.public_key(), digest, nonce)


LONG = Value(2, "DESC", "磨床".encode() * 300, 1_700_000_000)
"""Takes four datagrams."""


def node(lookup: dict[str, Held]) -> Callable[[bytes], bytes]:
    """What a node answers that holds some handles below 88."""
    held = {handle.upper(): one for handle, one in lookup.items()}
    directory = Directory("88", write_site(SITE))
    holdings = Holdings(lambda handle: held.get(handle.upper()), lambda: directory)
    return lambda request: answer(request, holdings, int(time.time()))


def above(port: int) -> Callable[[bytes], bytes]:
    """What a node answers that has handed the prefix to another one."""
    directory = Directory("88", write_site(SITE), {"88.100.1": write_site(site_at(port))})
    holdings = Holdings(lambda _: None, lambda: directory)
    return lambda request: answer(request, holdings, int(time.time()))


RECORD = Held(HANDLE, (URL, LONG, Value(301, "HS_SECKEY", b"geheim", permissions=HIDDEN)))


@pytest.mark.parametrize("udp", [False, True], ids=["tcp", "udp"])
async def test_it_resolves_at_our_node(judge: Judge, udp: bool) -> None:
    """By TCP, or by datagrams first: then what is too long for one is asked for again by TCP."""
    heard, reply = list[bytes](), node({HANDLE: RECORD})

    def answer(request: bytes) -> bytes:
        heard.append(request)
        return reply(request)

    async with answering(answer) as port:
        where = {"site": write_site(site_at(port)), "udp": udp}
        found = await judge.ask("resolve", handle="88.100.1/设备-1", **where)
        some = await judge.ask("resolve", handle=HANDLE, types=["URL"], **where)
        no_value = await judge.ask("resolve", handle=HANDLE, types=["EMAIL"], **where)
        absent = await judge.ask("resolve", handle="88.100.1/none", **where)
        foreign = await judge.ask("resolve", handle="10.1/none", **where)
        site = await judge.ask("site", handle="/", **where)
    assert (found["responseCode"], found["handle"]) == (Rc.OK, HANDLE)
    assert [one["index"] for one in found["values"]] == [1, 2]  # the secret stays
    assert found["values"][1]["data"]["value"] == LONG.data.decode()
    assert [one["index"] for one in some["values"]] == [1]
    assert no_value["responseCode"] == Rc.VALUES_NOT_FOUND
    assert absent["responseCode"] == Rc.HANDLE_NOT_FOUND
    assert foreign["responseCode"] == Rc.NOT_RESPONSIBLE
    assert site["kind"] == "GetSiteInfoResponse"
    assert (len(heard) > 6) is udp


async def test_it_walks_from_a_root_of_ours_to_a_node_of_ours(judge: Judge) -> None:
    async with answering(node({HANDLE: RECORD})) as port, answering(above(port)) as root:
        start = write_site(site_at(root))
        found = await judge.ask("resolve", handle=HANDLE, site=start, walk=True)
        absent = await judge.ask("resolve", handle=HANDLE + "0", site=start, walk=True)
    assert (found["responseCode"], len(found["values"])) == (Rc.OK, 2)
    assert absent["responseCode"] == Rc.HANDLE_NOT_FOUND


def referring(rc: Rc, site: Site) -> Callable[[bytes], bytes]:
    """What a parent answers that has handed a prefix to another node."""
    body = write_referral(Referral("", (Value(1, "HS_SITE", write_site(site)),)))

    def refer(request: bytes) -> bytes:
        wanted = decode(request)
        head = Message(
            wanted.op,
            wanted.request_id,
            body,
            int(rc),
            int(Flag.RETURN_DIGEST | Flag.KEEP_ALIVE),
            expires_s=int(time.time()) + 3600,
            digest=request_digest(request),
        )
        return encode(head)

    return refer


async def test_it_follows_a_referral_for_a_handle(judge: Judge) -> None:
    """Of a handle it follows SERVICE_REFERRAL only; PREFIX_REFERRAL it gives back."""
    codes = []
    async with answering(node({HANDLE: RECORD})) as port:
        for rc in (Rc.SERVICE_REFERRAL, Rc.PREFIX_REFERRAL):
            async with (
                answering(referring(rc, site_at(port))) as parent,
                answering(above(parent)) as root,
            ):
                start = write_site(site_at(root))
                found = await judge.ask("resolve", handle=HANDLE, site=start, walk=True)
                codes.append(found["responseCode"])
    assert codes == [Rc.OK, Rc.PREFIX_REFERRAL]


@pytest.mark.parametrize("rc", [Rc.SERVICE_REFERRAL, Rc.PREFIX_REFERRAL])
async def test_it_follows_a_referral_for_a_prefix(judge: Judge, rc: Rc) -> None:
    async with (
        answering(node({HANDLE: RECORD})) as port,
        answering(above(port)) as parent,
        answering(referring(rc, site_at(parent))) as root,
    ):
        start = write_site(site_at(root))
        found = await judge.ask("resolve", handle=HANDLE, site=start, walk=True)
    assert (found["responseCode"], found["handle"]) == (Rc.OK, HANDLE)


def test_rights_have_its_names_in_its_order(judge: Judge) -> None:
    for place, right in enumerate(sorted(Right)):
        value = Value(100, "HS_ADMIN", write_admin(Admin(right, PREFIX, 300)))
        told = in_json(judge, value)["data"]["value"]["permissions"]
        assert told == "0" * (11 - place) + "1" + "0" * place


@pytest.mark.parametrize("value", VALUES, ids=lambda one: one.type)
def test_json_of_values_is_understood_both_ways(judge: Judge, value: Value) -> None:
    theirs = in_json(judge, value)
    known = replace(value, timestamp_s=0)
    assert read_json(theirs) == known
    ours = bytes.fromhex(judge.do("value", value=write_json(value))["octets"])
    assert read_value(Octets(ours)) == value
    assert read_json(write_json(value)) == known


PRIVATE = KEY.private_bytes(
    serialization.Encoding.DER,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)
WHO: dict[str, dict[str, Any]] = {
    "HS_SECKEY": {"index": 300, "secret": "秘密-a secret".encode()},
    "HS_PUBKEY": {"index": 302, "key": PRIVATE},
}


@asynccontextmanager
async def administered(folder: Path) -> AsyncIterator[dict[str, Any]]:
    """Where a node of ours answers whose first enterprise has a key of either kind."""
    with closing(open_database("sqlite:///node.db", folder, {})) as database:
        own, seal = Node(database), Seal(folder)
        public = write_rsa_key(KEY.public_key())
        give_key(own, seal, "qz01", 300, AdminKey("qz01", "HS_SECKEY", WHO["HS_SECKEY"]["secret"]))
        give_key(own, seal, "qz01", 302, AdminKey("qz01", "HS_PUBKEY", public))
        async with served(own, seal) as node_:
            yield {"site": write_site(site_at(node_.port)), "admin": "88.999.QZ01/ADMIN"}


@pytest.mark.parametrize("kind", WHO)
@pytest.mark.parametrize("udp", [False, True], ids=["tcp", "udp"])
async def test_it_administers_our_node(judge: Judge, kind: str, udp: bool, tmp_path: Path) -> None:
    handle, url = "88.999.QZ01/设备", in_json(judge, URL)
    added, moved = in_json(judge, LONG), {**url, "data": {"format": "string", "value": "http://b"}}
    async with administered(tmp_path) as where:

        async def asked_for(request: str, **parts: Any) -> dict[str, Any]:
            who = where | WHO[kind] | {"udp": udp}
            return await judge.ask(request, **({"handle": handle} | who | parts))

        done = [
            await asked_for("create", values=[url]),
            await asked_for("create", values=[url]),
            await asked_for("add", values=[added]),
            await asked_for("modify", values=[moved]),
        ]
        held = await judge.ask("resolve", handle=handle, site=where["site"], udp=udp)
        rest = [
            await asked_for("remove", indexes=[1]),
            await asked_for("delete"),
            await asked_for("resolve"),
            await asked_for("create", handle="88.999.QZ02/1", values=[url]),
        ]
    codes = [one.get("responseCode", one) for one in (*done, *rest)]
    assert codes[:2] == [Rc.OK, Rc.HANDLE_EXISTS]
    assert codes[2:] == [Rc.OK] * 4 + [Rc.HANDLE_NOT_FOUND, Rc.NOT_PERMITTED]
    assert [one["data"]["value"] for one in held["values"]] == ["http://b", LONG.data.decode()]


async def test_it_lists_all_identifiers_of_our_node(judge: Judge, tmp_path: Path) -> None:
    many = [f"88.999.QZ01/451.{number:06d}" for number in range(2_500)]
    async with administered(tmp_path) as where:
        with closing(open_database("sqlite:///node.db", tmp_path, {})) as database:
            made = [Registration(one, "", ()) for one in many]
            database.run_now(records.add, made, "qz01", 0)
        who = where | WHO["HS_PUBKEY"] | {"udp": False}
        listed = await judge.ask("list", handle="0.NA/88.999.QZ01", **who)
        refused = await judge.ask("list", handle="0.NA/88.999.QZ02", **who)
    assert listed["handles"] == many
    assert listed["counts"] == [LISTED] * (len(many) // LISTED)
    assert (refused["responseCode"], refused["handles"]) == (Rc.NOT_PERMITTED, [])


async def test_a_wrong_key_of_it_is_refused(judge: Judge, tmp_path: Path) -> None:
    async with administered(tmp_path) as where:
        wrong = where | {"index": 300, "secret": b"another", "udp": False}
        refused = await judge.ask(
            "create", handle="88.999.QZ01/1", values=[in_json(judge, URL)], **wrong
        )
        absent = await judge.ask("resolve", handle="88.999.QZ01/1", site=where["site"], udp=False)
    assert refused["responseCode"] == Rc.AUTHENTICATION_FAILED
    assert absent["responseCode"] == Rc.HANDLE_NOT_FOUND
