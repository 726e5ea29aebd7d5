"""Addresses are written as GX Works shows them; what means nothing is refused in a sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from edge_config.models.validation import validated
from gateway.core.schema import Kind
from gateway.drivers.mc.address import MOST_NUMBER, Address, kind
from gateway.drivers.mc.devices import DEVICES
from gateway.drivers.mc.values import DataType, Encoding


def address(written: object) -> Address:
    return validated(Address, written)


@pytest.mark.parametrize(
    ("written", "device", "number", "data_type"),
    [
        ("D100", "D", 100, DataType.INT16),
        ("d100:FLOAT32", "D", 100, DataType.FLOAT32),
        ("M0", "M", 0, DataType.BOOL),
        ("X1F", "X", 0x1F, DataType.BOOL),
        ("X0o17", "X", 15, DataType.BOOL),
        ("W1A:uint32", "W", 0x1A, DataType.UINT32),
        ("SB10", "SB", 0x10, DataType.BOOL),
        ("B1F", "B", 0x1F, DataType.BOOL),
        ("BF", "B", 0xF, DataType.BOOL),
        ("DX10", "DX", 0x10, DataType.BOOL),
        ("ZR32768", "ZR", 32_768, DataType.INT16),
        ("TN0", "TN", 0, DataType.INT16),
        ("CS3", "CS", 3, DataType.BOOL),
        ("Ｄ１００：ｉｎｔ３２", "D", 100, DataType.INT32),
        ({"device": "D", "number": 7, "bit": 3}, "D", 7, DataType.BOOL),
    ],
)
def test_what_is_written(written: object, device: str, number: int, data_type: DataType) -> None:
    found = address(written)
    assert (found.device, found.number, found.type) == (device, number, data_type)


def test_a_bit_of_a_word_is_hexadecimal() -> None:
    assert address("D100.F").bit == 15
    assert str(address("D100.A")) == "D100.A"
    assert kind(address("D100.A")) is Kind.BOOL


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "no device"),
        ("100", "no device"),
        ("D", "no device"),
        ("D1F", "no device"),
        ("Q10", "no device"),
        ("D100:int33", "int33"),
        ("D100:", "no type"),
        ("D100:string", "length"),
        ("D100:int16[3]", "string only"),
        ("D100:int16:gbk", "string only"),
        ("D100:string[4]:gbk:x", "too much"),
        ("D100:string[4]:latin", "encoding"),
        ("D100.G", "no number"),
        ("D100.10", "bit"),
        ("M0.1", "no 'bit'"),
        ("M0:int16", "holds bool"),
        ("D100:bool", "needs 'bit'"),
        ("D16777216", "number"),
        ("D16777215:int32", "leaves"),
        (7, "mapping or text"),
        ({"device": "A", "number": 0}, "none of D"),
    ],
)
def test_what_means_nothing_is_refused(written: object, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        address(written)


@st.composite
def addresses(draw: st.DrawFn) -> Address:
    device = draw(st.sampled_from(sorted(DEVICES)))
    is_bits = DEVICES[device].is_bits
    data_type = DataType.BOOL if is_bits else draw(st.sampled_from(DataType))
    is_text = data_type is DataType.STRING
    return Address(
        device=device,
        number=draw(st.integers(0, MOST_NUMBER - 600)),
        type=data_type,
        bit=draw(st.integers(0, 15)) if data_type is DataType.BOOL and not is_bits else None,
        length=draw(st.integers(1, 999)) if is_text else None,
        encoding=draw(st.sampled_from([None, *Encoding])) if is_text else None,
    )


@given(addresses())
def test_every_address_reads_back_from_its_text(one: Address) -> None:
    assert address(str(one)) == one
