"""Octets that another implementation writes, and reads, for the same things."""

import hashlib

import pytest

from gateway.identifier.irp.bodies import (
    Fault,
    Held,
    Question,
    Removal,
    read_challenge,
    read_fault,
    read_held,
    read_list,
    read_question,
    read_removal,
    write_challenge,
    write_fault,
    write_handle,
    write_held,
    write_question,
    write_removal,
)
from gateway.identifier.irp.codes import ASKING, Flag, Op, Rc
from gateway.identifier.irp.data import (
    ASK,
    BOTH,
    BY_ALL,
    BY_PREFIX,
    BY_SUFFIX,
    TCP,
    UDP,
    Admin,
    Interface,
    Server,
    Site,
    read_admin,
    read_site,
    write_admin,
    write_site,
)
from gateway.identifier.irp.message import Message, decode, encode, request_digest
from gateway.identifier.irp.octets import Octets
from gateway.identifier.irp.placing import placing_hash, server_of
from gateway.identifier.irp.proofs import is_secret_answer, old_secret_answer, secret_answer
from gateway.identifier.irp.values import (
    Reference,
    Value,
    read_references,
    write_references,
    write_value,
)

HANDLE = "88.100.1/EQ001"
PREFIX = "0.NA/88.100.1"
EXPIRES_S = 0x65A1B2C3
ENVELOPE = "020a020b 00000000 01020304 00000000"
NAME = "0000000e 38382e3130302e312f4551303031"
URL = Value(1, "URL", b"http://a.cn", timestamp_s=1_700_000_000)
URL_OCTETS = (
    "00000001 6553f100 00 00015180 0e 00000003 55524c 0000000b 687474703a2f2f612e636e 00000000"
)
ADMIN = Admin(0x07F3, PREFIX, 300)
ADMIN_OCTETS = "07f3 0000000d 302e4e412f38382e3130302e31 0000012c"
NONCE = bytes(range(16))


def asked(op: Op, body: bytes, rc: Rc = Rc.REQUEST, flags: int = ASKING) -> Message:
    serial = 0xFFFF if rc is Rc.REQUEST else 1
    return Message(op, 0x01020304, body, rc, int(flags), site_serial=serial, expires_s=EXPIRES_S)


def octets(text: str) -> bytes:
    return bytes.fromhex(text.replace("|", ""))


RESOLVE = octets(
    f"{ENVELOPE} 00000036 00000001 00000000 19000000 ffff 00 00 65a1b2c3 0000001a"
    f"{NAME} 00000000 00000000 00000000"
)


def test_a_question() -> None:
    message = asked(Op.RESOLVE, write_question(Question(HANDLE)))
    assert encode(message) == RESOLVE
    assert decode(RESOLVE) == message
    assert read_question(message.body) == Question(HANDLE)


def test_a_question_as_recursive_nodes_of_one_maker_want_it() -> None:
    body = write_question(Question(HANDLE), with_auth=True)
    data = encode(asked(Op.RESOLVE, body))
    assert len(data) == 78
    assert data[16:20].hex() == "0000003a"
    assert read_question(body) == Question(HANDLE)


def test_a_question_for_some_values() -> None:
    question = Question(HANDLE, (1,), ("URL",))
    body = write_question(question)
    assert body == octets(f"{NAME} 00000001 00000001 00000001 00000003 55524c")
    assert read_question(body) == question
    assert question.wants(URL)
    assert not Question(HANDLE, (2,), ("HS_",)).wants(URL)
    assert Question(HANDLE, (), ("U.", "UR")).wants(URL) is False
    assert Question(HANDLE, (), ("0.TYPE/.",)).wants(Value(2, "0.TYPE/.x", b""))


def test_a_value() -> None:
    assert write_value(URL) == octets(URL_OCTETS)


def test_an_answer() -> None:
    held = Held(HANDLE, (URL,))
    data = octets(
        f"{ENVELOPE} 0000005a 00000001 00000001 19000000 0001 00 00 65a1b2c3 0000003e"
        f"{NAME} 00000001 {URL_OCTETS} 00000000"
    )
    assert encode(asked(Op.RESOLVE, write_held(held), Rc.OK)) == data
    assert read_held(decode(data).body) == held


def test_a_refusal() -> None:
    data = octets(
        f"{ENVELOPE} 00000030 00000001 00000064 19000000 0001 0000 65a1b2c3 00000014"
        "00000010 48414e444c45204e4f5420464f554e44 00000000"
    )
    fault = Fault("HANDLE NOT FOUND")
    assert encode(asked(Op.RESOLVE, write_fault(fault), Rc.HANDLE_NOT_FOUND)) == data
    assert read_fault(decode(data).body) == fault


def test_an_administrator() -> None:
    assert write_admin(ADMIN) == octets(ADMIN_OCTETS)
    assert read_admin(octets(ADMIN_OCTETS)) == ADMIN
    assert read_admin(octets(ADMIN_OCTETS + "0000")) == ADMIN
    assert f"{ADMIN.rights:012b}" == "011111110011"


def test_a_list_of_administrators() -> None:
    data = octets("00000001 0000000d 302e4e412f38382e3130302e31 0000012c")
    assert write_references((Reference(PREFIX, 300),)) == data
    assert read_references(Octets(data)) == (Reference(PREFIX, 300),)


def test_a_site() -> None:
    site = Site(
        (Server(1, "192.0.2.10", (Interface(ASK, UDP, 2641), Interface(BOTH, TCP, 2641))),),
        attributes=(("desc", "ent"),),
    )
    data = octets(
        "0001 02 0b 0001 80 02 00000000 00000001 00000004 64657363 00000003 656e74 00000001"
        "00000001 000000000000000000000000c000020a 00000000 00000002 02 00 00000a51 03 01 00000a51"
    )
    assert write_site(site) == data
    assert read_site(data) == site


@pytest.mark.parametrize(
    ("hashing", "number"),
    [(BY_ALL, 684_024_491), (BY_SUFFIX, 741_852_739), (BY_PREFIX, 626_612_451)],
)
def test_a_server_is_chosen_whatever_the_case(hashing: int, number: int) -> None:
    assert placing_hash(HANDLE, hashing) == placing_hash(HANDLE.lower(), hashing) == number
    servers = tuple(Server(one, "192.0.2.1", ()) for one in range(3))
    assert server_of(Site(servers, hashing=hashing), HANDLE).id == number % 3


CREATE_BODY = write_held(
    Held(HANDLE, (Value(100, "HS_ADMIN", write_admin(ADMIN), timestamp_s=1_700_000_000), URL))
)


def test_a_creation_and_its_challenge() -> None:
    data = encode(asked(Op.CREATE, CREATE_BODY))
    digest = "69be885291cc689918b1c4bc2a2fcc75d5ecd0d6e6b91665875bca4d4e8851f9"
    assert len(data) - 20 == 147
    assert hashlib.sha256(data[20:163]).hexdigest() == digest
    assert request_digest(data) == bytes([3]) + bytes.fromhex(digest)
    challenge = octets(
        f"{ENVELOPE} 00000051 00000064 00000192 19800000 ffff 0000 65a1b2c3 00000035 03 {digest}"
        "00000010 000102030405060708090a0b0c0d0e0f 00000000"
    )
    read = decode(challenge)
    assert (read.rc, read.digest) == (Rc.CHALLENGE, request_digest(data))
    assert read.body == octets("00000010") + NONCE == write_challenge(NONCE)
    assert read_challenge(read.body) == NONCE
    assert encode(read) == challenge
    assert read.flags & Flag.RETURN_DIGEST


def test_deletion_removal_and_the_question_for_a_site() -> None:
    assert write_handle(HANDLE) == octets(NAME)
    assert write_handle("/") == octets("00000001 2f")
    removal = Removal(HANDLE, (1, 2))
    assert write_removal(removal) == octets(f"{NAME} 00000002 00000001 00000002")
    assert read_removal(write_removal(removal)) == removal


def test_a_listing_that_goes_on() -> None:
    assert write_handle("0.NA/88.1") == octets("00000009 302e4e412f38382e31")
    part = octets(
        f"{ENVELOPE} 0000002e 00000069 00000001 1d000000 ffff 0000 65a1b2c3 00000012"
        "00000002 00000003 782f61 00000003 782f62 00000000"
    )
    read = decode(part)
    assert (read.op, read.rc, read.is_continued) == (Op.LIST_HANDLES, Rc.OK, True)
    assert read_list(read.body) == ("x/a", "x/b")
    assert encode(read) == part


def test_answers_with_a_secret_key() -> None:
    digest = hashlib.sha256(RESOLVE[20:-4]).digest()
    assert digest.hex() == "c268d94fc5706c204fc16e9266ba4008c3b947f88700e698ae7faf099e083c69"
    answer = secret_answer(b"secret", NONCE, digest, bytes(range(16, 32)))
    assert answer == octets(
        "22 00000010 101112131415161718191a1b1c1d1e1f 00002710 000000a0"
        "00000014 76d637591640767bc82dab73f795fe982b6d33ac"
    )
    old = old_secret_answer(b"secret", NONCE, digest)
    assert old == octets("02 321fd57ee8aab91586a2d898649d57d7a2ab50e6")
    for one in (answer, old):
        assert is_secret_answer(one, b"secret", NONCE, digest)
        assert not is_secret_answer(one, b"Secret", NONCE, digest)
