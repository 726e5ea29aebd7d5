"""PDUs and framing against the examples of the specification and against every wrong answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.status import Reason
from gateway.drivers.modbus import codec
from gateway.drivers.modbus.codec import NOT_SENT, SILENT, Request, Table
from gateway.drivers.modbus.framing import wrapped as wrapping
from gateway.drivers.modbus.framing.mbap import Transactions
from gateway.drivers.modbus.framing.series import ProtocolError
from gateway.drivers.modbus.framing.wrapped import Wrapped

# Request, its PDU and a right answer: MODBUS Application Protocol V1.1b3, 6.1-6.6, 6.11, 6.12.
SPEC_EXAMPLES = [
    (codec.read(Table.COIL, 0x13, 0x13), "01 0013 0013", "01 03 CD6B05"),
    (codec.read(Table.DISCRETE, 0xC4, 0x16), "02 00C4 0016", "02 03 ACDB35"),
    (codec.read(Table.HOLDING, 0x6B, 3), "03 006B 0003", "03 06 022B 0000 0064"),
    (codec.read(Table.INPUT, 8, 1), "04 0008 0001", "04 02 000A"),
    (codec.write_bit(0xAC, value=True), "05 00AC FF00", "05 00AC FF00"),
    (codec.write_register(1, b"\0\3"), "06 0001 0003", "06 0001 0003"),
    (
        codec.write_bits(0x13, [c == "1" for c in "1011001110"]),
        "0F 0013 000A 02 CD01",
        "0F 0013 000A",
    ),
    (
        codec.write_registers(1, bytes.fromhex("000A 0102")),
        "10 0001 0002 04 000A 0102",
        "10 0001 0002",
    ),
]
READ = codec.read(Table.HOLDING, 0x6B, 3)
RIGHT = bytes.fromhex("0001 0000 0009 01 03 06 022B 0000 0064")


@pytest.mark.parametrize(("request_", "pdu", "answer"), SPEC_EXAMPLES)
def test_examples_of_the_specification(request_: Request, pdu: str, answer: str) -> None:
    right = bytes.fromhex(answer)
    assert request_.pdu == bytes.fromhex(pdu)
    assert right.startswith(request_.head)
    assert request_.size == len(right)


def test_adu_example_of_the_tcp_guide() -> None:
    # MODBUS Messaging on TCP/IP V1.0b, 4.4.2.1: unit FF, one register at 4, transaction 1501.
    transactions = Transactions(last=0x1500)
    asked = codec.read(Table.HOLDING, 4, 1)
    assert transactions.begin(0xFF, [asked]).hex() == "150100000006ff0300040001"
    transactions.receive(bytes.fromhex("150100000005ff03020005"))
    assert transactions.answers == [b"\0\5"]
    assert not transactions.missing


@pytest.mark.parametrize(
    ("table", "most"), [(Table.COIL, 2000), (Table.DISCRETE, 2000), (Table.HOLDING, 125)]
)
def test_limits_of_reading(table: Table, most: int) -> None:
    assert codec.read(table, 65_536 - most, most).size <= 253
    for address, count in [(0, most + 1), (0, 0), (65_536 - most + 1, most), (-1, 1)]:
        with pytest.raises(ValueError, match="cannot read"):
            codec.read(table, address, count)


def test_limits_of_writing() -> None:
    assert len(codec.write_bits(0, [True] * 1968).pdu) == 252
    assert len(codec.write_registers(0, bytes(246)).pdu) == 252
    with pytest.raises(ValueError, match="cannot write 1969 at once"):
        codec.write_bits(0, [True] * 1969)
    with pytest.raises(ValueError, match="cannot write 124 at once"):
        codec.write_registers(0, bytes(248))


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1, Reason.ILLEGAL_FUNCTION),
        (2, Reason.ILLEGAL_ADDRESS),
        (3, Reason.ILLEGAL_VALUE),
        (4, Reason.DEVICE_FAILURE),
        (5, Reason.DEVICE_BUSY),
        (6, Reason.DEVICE_BUSY),
        (8, Reason.DEVICE_FAILURE),
        (10, Reason.GATEWAY_PATH),
        (11, Reason.GATEWAY_TARGET),
        (0x63, Reason.DEVICE_FAILURE),
    ],
)
def test_exception_codes(code: int, reason: Reason) -> None:
    assert codec.reason_for(code) is reason


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("0002 0000 0009 01 03 06 022B 0000 0064", "transaction 0002"),
        ("0001 0001 0009 01 03 06 022B 0000 0064", "protocol id 1 instead of 0"),
        ("0001 0000 0009 02 03 06 022B 0000 0064", "unit 2 instead of 1"),
        ("0001 0000 0009 01 04 06 022B 0000 0064", "function 4 instead of 3"),
        ("0001 0000 0007 01 03 04 022B 0000", "byte count 4 instead of 6"),
        ("0001 0000 000B 01 03 08 022B 0000 0064 0000", "byte count 8 instead of 6"),
        ("0001 0000 0009 01 03 05 022B 0000 0064", "byte count 5 instead of 6"),
        ("0001 0000 0009 01 83 02 022B 0000 0064", "length 9 instead of 3"),
        ("0001 0000 0003 01 84 02", "function 132 instead of 3"),
        ("0001 0000 0003 02 83 02", "unit 2 instead of 1"),
        ("0001 0000 0009 01 03 06 022B 0000 0064 00", "1 bytes came that nobody asked for"),
        ("474554202F20485454502F312E310D0A", "are no Modbus TCP: 47455420"),
    ],
)
def test_wrong_answers(answer: str, message: str) -> None:
    transactions = Transactions()
    transactions.begin(1, [READ])
    with pytest.raises(ProtocolError, match=message):
        transactions.receive(bytes.fromhex(answer))


def test_a_wrong_echo_is_no_confirmation() -> None:
    transactions = Transactions()
    transactions.begin(1, [codec.write_register(1, b"\0\3")])
    with pytest.raises(ProtocolError, match="content 00010004 instead of 00010003"):
        transactions.receive(bytes.fromhex("0001 0000 0006 01 06 0001 0004"))


def test_two_answers_at_once_are_one_too_many() -> None:
    transactions = Transactions()
    transactions.begin(1, [READ, READ])
    with pytest.raises(ProtocolError, match="transaction 0002"):
        transactions.receive(RIGHT + b"\0\2" + RIGHT[2:])  # the second is not asked yet


def test_nothing_may_come_when_nothing_was_asked() -> None:
    transactions = Transactions()
    assert not transactions.receive(b"\0")
    with pytest.raises(ProtocolError, match="1 bytes came before anything was asked"):
        transactions.begin(1, [READ])


def test_every_request_has_a_new_transaction_id() -> None:
    transactions = Transactions(last=0xFFFE)
    assert transactions.begin(1, [READ])[:2] == b"\xff\xff"
    assert not transactions.receive(b"\xff\xff" + RIGHT[2:])
    assert transactions.begin(1, [READ])[:2] == b"\0\0"


def test_units_that_take_turns_are_each_asked_by_their_own_number() -> None:
    transactions, series = Transactions(), (READ,)  # equal units share one series
    for number, unit in enumerate((1, 2, 1, 2), start=1):
        asked = transactions.begin(unit, series)
        assert asked[6] == unit
        assert not transactions.receive(
            number.to_bytes(2, "big") + RIGHT[2:6] + asked[6:7] + RIGHT[7:]
        )
        assert transactions.answers == [RIGHT[9:]]


def test_requests_of_units_that_take_turns_are_wrapped_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrapped = list[int]()
    of = Wrapped.of
    monkeypatch.setattr(
        Wrapped, "of", lambda unit, asked: (wrapped.append(unit), of(unit, asked))[1]
    )
    transactions, plans = Transactions(), [(READ,), (READ, READ)]
    for _ in range(3):
        for unit in (1, 2):
            for requests in plans:
                transactions.begin(unit, requests)
                transactions.give_up()
    assert wrapped == [1, 1, 1, 2, 2, 2]


def test_what_is_kept_wrapped_has_an_end() -> None:
    transactions = Transactions()
    for _ in range(wrapping._KEPT + 9):
        transactions.begin(1, (codec.read(Table.HOLDING, 0, 1),))
        transactions.begin(1, [READ])
        transactions.give_up()
    assert len(transactions._wrapping._kept) == wrapping._KEPT


def test_a_unit_that_is_gone_is_not_asked_further() -> None:
    transactions = Transactions()
    transactions.begin(1, [READ] * 5, window=2)
    more = transactions.receive(bytes.fromhex("0001 0000 0003 01 83 0B"))
    assert not more
    transactions.receive(b"\0\2" + RIGHT[2:])
    assert transactions.answers == [11, RIGHT[9:], NOT_SENT, NOT_SENT, NOT_SENT]
    assert not transactions.missing


def test_a_late_answer_is_never_the_next() -> None:
    transactions = Transactions()
    transactions.begin(1, [READ, READ])
    transactions.give_up()
    assert transactions.answers == [SILENT, NOT_SENT]
    assert transactions.is_waiting
    transactions.begin(1, [READ])
    for byte in RIGHT[:-1]:
        assert not transactions.receive(bytes([byte]))
    assert not transactions.receive(RIGHT[-1:] + b"\0\2" + RIGHT[2:9] + b"\0\1" * 3)
    assert transactions.answers == [b"\0\1" * 3]
    assert (transactions.late, transactions.missing) == (1, 0)
    assert not transactions.is_waiting


def _answer(asked: Request, tid: bytes, code: int | None) -> bytes:
    if code is not None:
        return tid + b"\0\0\0\3\x07" + bytes([asked.pdu[0] | 0x80, code])
    head = tid + b"\0\0" + (asked.size + 1).to_bytes(2, "big") + b"\x07" + asked.head
    return head.ljust(7 + asked.size, tid[1:])


REQUESTS = st.one_of(
    st.builds(
        codec.read,
        st.sampled_from(list(codec.READ_FUNCTION)),
        st.integers(0, 60_000),
        st.integers(1, 62),
    ),
    st.builds(codec.write_bit, st.integers(0, 65_535), st.booleans()),
    st.builds(codec.write_registers, st.integers(0, 60_000), st.just(b"abcd")),
)


@given(
    st.lists(st.tuples(REQUESTS, st.none() | st.integers(1, 8)), max_size=12),
    st.integers(1, 16),
    st.data(),
)
def test_any_cutting_and_any_order_of_right_answers(
    jobs: list[tuple[Request, int | None]], window: int, data: st.DataObject
) -> None:
    requests = [request for request, _ in jobs]
    transactions = Transactions(last=data.draw(st.integers(0, 65_535)))
    out = transactions.begin(7, requests, window)
    flight: list[bytes] = []
    expected: list[bytes | int] = []
    done = 0
    while True:
        for asked in requests[done + len(flight) :]:
            if not out:
                break
            size = 7 + len(asked.pdu)
            assert out[2:size] == b"\0\0" + (size - 6).to_bytes(2, "big") + b"\7" + asked.pdu
            code = jobs[done + len(flight)][1]
            flight.append(_answer(asked, out[:2], code))
            expected.append(code if code is not None else flight[-1][7 + len(asked.head) :])
            out = out[size:]
        assert not out
        assert len(flight) <= window
        if not flight:
            break
        stream = b"".join(data.draw(st.permutations(flight)))
        done, flight = done + len(flight), []
        cuts = sorted(data.draw(st.sets(st.integers(1, len(stream)), max_size=5)) | {len(stream)})
        for start, stop in zip([0, *cuts], cuts, strict=False):
            out += transactions.receive(stream[start:stop])
    assert transactions.answers == expected
    assert not transactions.missing


@given(st.binary(max_size=300))
def test_garbage_never_becomes_a_value(garbage: bytes) -> None:
    transactions = Transactions(last=0x7000)
    transactions.begin(1, [READ])
    try:
        transactions.receive(garbage)
    except ProtocolError:
        return
    assert transactions.answers == [NOT_SENT] or garbage.startswith(b"\x70\x01\0\0\0")
