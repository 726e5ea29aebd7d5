"""Structures that only a type dictionary describes: understood whole, or not at all."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.status import GOOD, Reason, bad
from gateway.drivers.opcua.encoding.dictionary import MOST_BYTES, UnknownTypeError, layout_in
from gateway.drivers.opcua.encoding.layouts import Content, Field, Form, Layout
from tests.drivers.opcua.conftest import Connect
from tests.drivers.opcua.server import URI, AsyncuaServer
from tests.drivers.opcua.test_parts import tag
from tests.support.cost import counted_cost

HEAD = (
    '<o:TypeDictionary xmlns:o="http://opcfoundation.org/BinarySchema/" '
    'xmlns:ua="http://opcfoundation.org/UA/" xmlns:me="http://acme" TargetNamespace="http://acme" '
    'DefaultByteOrder="LittleEndian"><o:Import Namespace="http://opcfoundation.org/UA/"/>'
)
INNER = (
    '<o:StructuredType Name="In" BaseType="ua:ExtensionObject"><o:Documentation>x</o:Documentation>'
    '<o:Field Name="A" TypeName="o:UInt16"/></o:StructuredType>'
)
MODE = '<o:EnumeratedType Name="Mode" LengthInBits="32"><o:EnumeratedValue Name="Off" Value="0"/>'


def document(fields: str, more: str = "", head: str = HEAD) -> bytes:
    out = f'<o:StructuredType Name="Out">{fields}</o:StructuredType>'
    return f"<?xml version='1.0'?>{head}{INNER}{out}{more}</o:TypeDictionary>".encode()


def field(name: str, kind: str, more: str = "") -> str:
    return f'<o:Field Name="{name}" TypeName="{kind}" {more}/>'


def test_numbers_texts_structures_enumerations_and_arrays() -> None:
    fields = (
        field("Text", "o:CharArray"),
        field("NoOfIns", "o:Int32"),
        field("Ins", "me:In", 'LengthField="NoOfIns"'),
        field("Mode", "me:Mode"),
        field("Name", "ua:LocalizedText"),
    )
    inner = Layout(Form.ALL, (Field("A", Content(5)),))
    found = layout_in(document("".join(fields), f"{MODE}</o:EnumeratedType>"), "Out")
    assert found.fields == (
        Field("Text", Content(12)),
        Field("Ins", Content(inner, 1)),
        Field("Mode", Content(6)),
        Field("Name", Content(21)),
    )


@pytest.mark.parametrize(
    "fields",
    [
        "",
        field("Bit", "o:Bit"),
        field("A", "o:Int16", 'Length="3"'),
        field("A", "o:Int16", 'SwitchField="B"'),
        field("A", "o:Int16", 'LengthField="N"'),
        field("N", "o:Int32") + field("B", "o:Byte") + field("A", "o:Int16", 'LengthField="N"'),
        field("N", "o:Byte") + field("A", "o:Int16", 'LengthField="N"'),
        field("A", "me:Out"),
        field("A", "me:Nothing"),
        field("A", "other:In"),
        field("A", "me:Mode"),
        field("A", "o:Int16", 'xmlns:o="http://opcfoundation.org/UA/"'),
        '<o:Field TypeName="o:Int16"/>',
    ],
)
def test_what_is_not_understood_makes_the_structure_unknown(fields: str) -> None:
    with pytest.raises(UnknownTypeError, match="structure Out of a type dictionary: "):
        layout_in(document(fields), "Out")


def test_a_dictionary_of_the_other_byte_order_is_not_understood() -> None:
    head = HEAD.replace("LittleEndian", "BigEndian")
    with pytest.raises(UnknownTypeError, match="of the other byte order"):
        layout_in(document(field("A", "o:Int16"), head=head), "Out")


def test_a_document_that_would_grow_is_refused_at_once() -> None:
    doubles = "".join(
        f'<o:StructuredType Name="T{at}">{field("A", f"me:T{at + 1}") * 9}</o:StructuredType>'
        for at in range(12)
    )
    entity = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + document(field("A", "o:Int16"))
    wide = document(field("A", "o:Int16")).decode().encode("utf-16")
    with counted_cost() as spent_s:
        for body in (document(field("A", "me:T0"), doubles), entity, b" " * (MOST_BYTES + 1), wide):
            with pytest.raises(UnknownTypeError):
                layout_in(body, "Out")
        assert spent_s() < 5


@given(st.binary(max_size=60), st.integers(0, 400))
def test_bytes_of_any_kind_are_refused_or_understood(noise: bytes, at: int) -> None:
    whole = document(field("A", "o:Int16"))
    for body in (noise, whole[:at] + noise + whole[at:]):
        with suppress(UnknownTypeError):
            assert layout_in(body, "Out").fields


async def test_fields_are_read_by_the_dictionary_of_an_old_server(driver_for: Connect) -> None:
    wanted = {
        ".Pressure": ("float32", 2.5),
        ".Drives[1].Speed": ("float64", -3.0),
        ".Drives[0].Name": ("string", "left"),
        ".Counts[1]": ("int16", -8),
    }
    points = [tag(f"nsu={URI};s=Press", part, kind, part) for part, (kind, _) in wanted.items()]
    absent = tag(f"nsu={URI};s=Press", ".Nothing", "int16", "absent")
    with AsyncuaServer() as server:
        driver = driver_for(server.connection())
        await driver.connect()
        reading = await driver.read(driver.plan([*points, absent]))
    assert reading.status.tolist() == [GOOD] * len(points) + [bad(Reason.TYPE)]
    values = [value for column in reading.columns for value in column.tolist()]
    assert values[: len(points)] == [value for _, value in wanted.values()]
