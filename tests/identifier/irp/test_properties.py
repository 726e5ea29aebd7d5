"""What is written is read as it was; whatever else comes is refused in one way, and cheaply."""

import random
import tracemalloc

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import given
from hypothesis import strategies as st

from gateway.identifier.irp import bodies, data, proofs
from gateway.identifier.irp.bodies import Fault, Held, Proof, Question, Referral, Removal
from gateway.identifier.irp.codes import Flag, Op, Rc
from gateway.identifier.irp.data import Admin, Interface, Server, Site
from gateway.identifier.irp.datagrams import DATAGRAM, Assembly, cut
from gateway.identifier.irp.message import (
    MAX_LENGTH,
    Message,
    Stream,
    decode,
    encode,
    request_digest,
)
from gateway.identifier.irp.octets import WireError
from gateway.identifier.irp.values import Reference, Value

u32 = st.integers(0, 2**32 - 1)
octet = st.integers(0, 255)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
blobs = st.binary(max_size=40)
references = st.builds(Reference, texts, u32)
values = st.builds(
    Value,
    u32,
    texts,
    blobs,
    u32,
    u32,
    octet,
    octet,
    st.lists(references, max_size=2).map(tuple),
)
held = st.builds(Held, texts, st.lists(values, max_size=3).map(tuple))
indexes = st.lists(u32, max_size=4).map(tuple)
questions = st.builds(Question, texts, indexes, st.lists(texts, max_size=3).map(tuple))
messages = st.builds(
    Message,
    u32,
    u32,
    st.binary(max_size=1500),
    st.just(0),
    u32,
    u32,
    st.tuples(octet, octet),
    st.tuples(st.integers(0, 31), octet),
    st.integers(0, 0xFFFF),
    octet,
    u32,
    st.just(b""),
    blobs,
)


@given(messages)
def test_messages(message: Message) -> None:
    assert decode(encode(message)) == message


@given(messages)
def test_answers_carry_the_digest_of_their_request(request: Message) -> None:
    digest = request_digest(encode(request))
    flags = int(Flag.RETURN_DIGEST)
    answer = Message(request.op, request.request_id, b"body", Rc.OK, flags, digest=digest)
    assert decode(encode(answer)) == answer


@given(
    st.one_of(
        questions.map(lambda one: (one, bodies.write_question, bodies.read_question)),
        held.map(lambda one: (one, bodies.write_held, bodies.read_held)),
        st.builds(Removal, texts, indexes).map(
            lambda one: (one, bodies.write_removal, bodies.read_removal)
        ),
        st.builds(Fault, texts, indexes).map(
            lambda one: (one, bodies.write_fault, bodies.read_fault)
        ),
        st.builds(Referral, texts, st.lists(values, max_size=2).map(tuple)).map(
            lambda one: (one, bodies.write_referral, bodies.read_referral)
        ),
        st.builds(Proof, texts, texts, u32, blobs).map(
            lambda one: (one, bodies.write_proof, bodies.read_proof)
        ),
        st.lists(texts, max_size=4)
        .map(tuple)
        .map(lambda one: (one, bodies.write_list, bodies.read_list)),
        st.builds(Admin, st.integers(0, 0xFFFF), texts, u32).map(
            lambda one: (one, data.write_admin, data.read_admin)
        ),
    )
)
def test_bodies(case: tuple) -> None:  # type: ignore[type-arg]
    thing, write, read = case
    assert read(write(thing)) == thing


addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)
servers = st.builds(
    Server,
    u32,
    addresses.filter(lambda one: not one.startswith(("::", "0.0.0.1"))),
    st.lists(st.builds(Interface, octet, octet, u32), max_size=3).map(tuple),
    blobs,
)
sites = st.builds(
    Site,
    st.lists(servers, min_size=1, max_size=3).map(tuple),
    st.integers(0, 0xFFFF),
    st.booleans(),
    st.integers(0, 2),
    st.lists(st.tuples(texts, texts), max_size=2).map(tuple),
    st.tuples(octet, octet),
    texts,
    st.booleans(),
)


@given(sites)
def test_sites(site: Site) -> None:
    assert data.read_site(data.write_site(site)) == site


@given(messages, st.lists(st.integers(1, 40), min_size=1))
def test_a_stream_gives_whole_messages_however_it_is_cut(
    message: Message, sizes: list[int]
) -> None:
    whole = encode(message)
    octets, stream, found, at = whole * 3, Stream(), [], 0
    for size in sizes * (1 + len(octets) // sum(sizes)):
        found += stream.feed(octets[at : at + size])
        at += size
    assert found == [whole] * 3


@given(messages, st.randoms(use_true_random=False), st.booleans())
def test_datagrams_make_up_their_message_in_any_order(
    message: Message, dice: random.Random, flagged: bool
) -> None:
    whole = encode(message)
    parts = list(cut(whole))
    assert all(len(part) <= DATAGRAM for part in parts)
    if not flagged:  # as the protocol's authors send them
        parts = [part[:2] + bytes([part[2] & ~0x20]) + part[3:] for part in parts]
    dice.shuffle(parts)
    assembly = Assembly()
    found = [made for part in (parts[0], *parts) if (made := assembly.add(part)) is not None]
    assert found[-1] == whole


READERS = (
    decode,
    bodies.read_question,
    bodies.read_held,
    bodies.read_removal,
    bodies.read_fault,
    bodies.read_referral,
    bodies.read_proof,
    bodies.read_list,
    bodies.read_handle,
    bodies.read_challenge,
    data.read_admin,
    data.read_site,
    proofs.read_rsa_key,
)


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@given(octets=st.binary(max_size=80))
def test_any_octets_are_read_or_refused(read, octets: bytes) -> None:  # type: ignore[no-untyped-def]
    try:
        read(octets)
    except WireError as error:
        assert str(error)


@given(held, st.integers(0, 10_000), octet)
def test_a_changed_octet_is_read_or_refused(thing: Held, place: int, new: int) -> None:
    octets = bytearray(encode(Message(Op.RESOLVE, 1, bodies.write_held(thing), Rc.OK)))
    octets[place % len(octets)] = new
    try:
        bodies.read_held(decode(bytes(octets)).body)
    except WireError as error:
        assert str(error)


@pytest.mark.parametrize("count", ["ffffffff", "7fffffff", "00010000"])
def test_what_announces_much_takes_no_room(count: str) -> None:
    tracemalloc.start()
    try:
        for read in READERS[1:]:
            with pytest.raises(WireError):
                read(bytes.fromhex(count))
        with pytest.raises(WireError):
            bodies.read_list(bytes.fromhex(count) + bytes(60))
        with pytest.raises(WireError, match=str(MAX_LENGTH)):
            list(Stream().feed(bytes(16) + bytes.fromhex("00040001")))
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_signature_proves_the_key() -> None:
    key = generate_private_key(65537, 2048)
    answer = proofs.signed_answer(key, b"n" * 16, b"d" * 32)
    written = proofs.write_rsa_key(key.public_key())
    public = proofs.read_rsa_key(written)
    assert proofs.read_rsa_key(written[:-4]) == public  # without the empty part at the end
    assert proofs.is_signed_answer(answer, public, b"n" * 16, b"d" * 32)
    assert not proofs.is_signed_answer(answer, public, b"m" * 16, b"d" * 32)


def test_an_answer_that_costs_much_is_refused() -> None:
    answer = bytearray(proofs.secret_answer(b"k", b"n", b"d", bytes(16)))
    answer[21:25] = (2**31).to_bytes(4, "big")
    with pytest.raises(WireError, match="rounds"):
        proofs.is_secret_answer(bytes(answer), b"k", b"n", b"d")
