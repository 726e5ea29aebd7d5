"""Addresses are written as the engineering tool shows them; contradictions are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from edge_config.models.validation import validated
from gateway.core.schema import Kind
from gateway.drivers.s7.address import Address, Area, kind
from gateway.drivers.s7.values import DataType, Encoding


def address(written: object) -> Address:
    return validated(Address, written)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("DB1.DBX0.3", "DB1.DBX0.3"),
        ("%DB10.DBD8:real", "DB10.DBD8:float32"),
        ("db10.dbw4:INT", "DB10.DBW4:int16"),
        ("DB10.DBD8", "DB10.DBD8:uint32"),
        ("DB10.DBB2", "DB10.DBB2:uint8"),
        ("DB10.DBX16.0:lreal", "DB10.DBB16:float64"),
        ("DB1.DBB20:string[16]", "DB1.DBB20:string[16]"),
        ("DB1.DBX20.0:string[16]", "DB1.DBB20:string[16]"),
        ("DB1.DBB40:dt", "DB1.DBB40:date_and_time"),
        ("MW10", "MW10:uint16"),
        ("M0.7", "M0.7"),
        ("E0.0", "I0.0"),
        ("A0.1", "Q0.1"),
        ("EW64:int", "IW64:int16"),
        ("VD100:real", "DB1.DBD100:float32"),
        ("V3.1", "DB1.DBX3.1"),
        ("T5", "T5"),
        ("Z3", "C3"),
        ("ＤＢ１０．ＤＢＷ４", "DB10.DBW4:uint16"),
        ({"area": "M", "start": 4, "type": "real"}, "MD4:float32"),
    ],
)
def test_what_is_written(written: object, shown: str) -> None:
    found = address(written)
    assert str(found) == shown
    assert address(shown) == found


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "no address"),
        ("DB10", "no address"),
        ("DB10.4", "no address"),
        ("40001", "no address"),
        ("DB10.DBW4.1", "contradicts"),
        ("DB10.DBX4", "contradicts"),
        ("DB10.DBW4:real", "contradicts"),
        ("DB10.DBD4:int", "contradicts"),
        ("DB10.DBX4.1:real", "contradicts"),
        ("M10", "contradicts"),
        ("TW5", "contradicts"),
        ("T5:int", "holds timer"),
        ("DB10.DBW4:timer", "in T or C only"),
        ("DB10.DBB4:string", "needs a length"),
        ("DB10.DBB4:string[255]", "254"),
        ("DB10.DBW4:int[3]", "texts only"),
        ("DB10.DBW4:integer", "type"),
        ("DB10.DBX4.8", "bit"),
        ("DB0.DBW4", "db"),
        ("DB10.DBD65533", "leaves the bytes"),
        ("DB10.DBW4:int:gbk", "string only"),
        ("DB10.DBB4:string[4]:gbk:x", "no address"),
        (7, "mapping or text"),
        ({"area": "M", "db": 1, "start": 4, "type": "real"}, "has no 'db'"),
        ({"area": "DB", "start": 4, "type": "real"}, "needs its number"),
        ({"area": "M", "start": 4, "type": "bool"}, "needs its bit"),
    ],
)
def test_what_means_nothing_is_refused(written: object, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        address(written)


@st.composite
def addresses(draw: st.DrawFn) -> Address:
    area = draw(st.sampled_from(Area))
    elements = {Area.TIMER: DataType.TIMER, Area.COUNTER: DataType.COUNTER}
    plain = [one for one in DataType if one not in elements.values()]
    data_type = elements.get(area) or draw(st.sampled_from(plain))
    return Address(
        area=area,
        db=draw(st.integers(1, 65_535)) if area is Area.DB else None,
        start=draw(st.integers(0, 60_000)),
        type=data_type,
        bit=draw(st.integers(0, 7)) if data_type is DataType.BOOL else None,
        length=draw(st.integers(1, 254)) if data_type.is_text else None,
        encoding=draw(st.sampled_from([None, *Encoding])) if data_type is DataType.STRING else None,
    )


@given(addresses())
def test_every_address_reads_back_from_its_text(one: Address) -> None:
    assert address(str(one)) == one


def test_kinds() -> None:
    assert kind(address("T5")) is Kind.FLOAT64
    assert kind(address("C5")) is Kind.UINT64
    assert kind(address("DB1.DBD0:real")) is Kind.FLOAT32
    assert kind(address("DB1.DBB0:sint")) is Kind.INT64
    assert kind(address("DB1.DBB0:dtl")) is Kind.STRING
