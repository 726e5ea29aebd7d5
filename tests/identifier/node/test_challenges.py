"""Challenges are few, short-lived, and good for one answer; so are messages in pieces."""

import pytest

from gateway.identifier.irp.codes import Op
from gateway.identifier.irp.datagrams import Assemblies, cut
from gateway.identifier.irp.message import Message, encode
from gateway.identifier.irp.octets import WireError
from gateway.identifier.node.native.challenges import (
    LIFE_S,
    MOST_KEPT,
    MOST_OF_ONE,
    BusyError,
    Challenges,
)

NONCE = bytes(16)


def test_an_answer_that_comes_again_is_known_and_another_one_is_not() -> None:
    challenges = Challenges()
    put = challenges.put(b"request", "a", 7, NONCE, 0.0)
    assert challenges.proved(8, b"proof", 1.0) is None
    assert challenges.proved(7, b"proof", 1.0) == (put, True)
    assert challenges.proved(7, b"proof", 1.0) == (put, False)
    assert challenges.proved(7, b"other", 1.0) is None
    assert challenges.proved(7, b"proof", LIFE_S + 1) is None


def test_of_many_the_oldest_go_whoever_they_are_of() -> None:
    challenges = Challenges()
    for number in range(MOST_KEPT + 1):
        challenges.put(b"", f"visitor {number // MOST_OF_ONE}", number, NONCE, 0.0)
    assert challenges.proved(0, b"proof", 1.0) is None
    assert challenges.proved(1, b"proof", 1.0) is not None
    challenges.put(b"", "visitor 0", MOST_KEPT + 1, NONCE, 1.0)  # those that went do not count


def test_a_visitor_has_room_again_once_he_answers_or_time_is_over() -> None:
    challenges = Challenges()
    for number in range(MOST_OF_ONE):
        challenges.put(b"", "a", number, NONCE, 0.0)
    with pytest.raises(BusyError, match=str(MOST_OF_ONE)):
        challenges.put(b"", "a", 999, NONCE, 1.0)
    challenges.put(b"", "b", 998, NONCE, 1.0)
    challenges.proved(0, b"proof", 1.0)
    challenges.put(b"", "a", 997, NONCE, 1.0)
    for number in range(MOST_OF_ONE - 1):
        challenges.put(b"", "a", 2_000 + number, NONCE, LIFE_S + 0.5)


MESSAGE = encode(Message(Op.CREATE, 7, bytes(range(256)) * 5))
PARTS = list(cut(MESSAGE))


def test_a_request_in_pieces_is_put_together_for_each_peer() -> None:
    assemblies = Assemblies()
    assert [assemblies.add(one, "a", 0.0) for one in PARTS[:-1]] == [None] * (len(PARTS) - 1)
    assert assemblies.add(PARTS[-1], "b", 0.0) is None  # of another peer
    assert assemblies.add(PARTS[-1], "a", 0.0) == MESSAGE
    whole = encode(Message(Op.RESOLVE, 8, b""))
    assert assemblies.add(whole, "a", 0.0) == whole


def test_pieces_that_are_late_or_too_many_are_forgotten() -> None:
    assemblies = Assemblies()
    for one in PARTS[:-1]:
        assemblies.add(one, "late", 0.0)
    assert assemblies.add(PARTS[-1], "late", 60.0) is None
    for one in PARTS[:-1]:
        assemblies.add(one, "first", 60.0)
    for peer in range(64):
        assemblies.add(PARTS[0], peer, 60.0)
    assert assemblies.add(PARTS[-1], "first", 60.0) is None
    with pytest.raises(WireError):
        assemblies.add(b"short", "a", 60.0)
