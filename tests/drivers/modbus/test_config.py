"""Addresses and connections as operators write them, right and wrong."""

import re
from dataclasses import MISSING
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from edge_config.mistakes.shape import declared
from edge_config.models.gateway import DeviceConfig
from edge_config.models.settings import Settings
from edge_config.models.validation import validated
from gateway.core.schema import Kind
from gateway.drivers.modbus import SPEC
from gateway.drivers.modbus.address import Address
from gateway.drivers.modbus.config import Connection


@pytest.mark.parametrize(
    ("text", "fields", "kind"),
    [
        ("holding:100", {"table": "holding", "address": 100, "type": "uint16"}, Kind.UINT64),
        (
            "holding:100:float32:CDAB",
            {"table": "holding", "address": 100, "type": "float32", "order": "CDAB"},
            Kind.FLOAT32,
        ),
        ("coil:5", {"table": "coil", "address": 5, "type": "bool"}, Kind.BOOL),
        ("discrete:0:bool", {"table": "discrete", "address": 0, "type": "bool"}, Kind.BOOL),
        ("input:7.15", {"table": "input", "address": 7, "type": "bool", "bit": 15}, Kind.BOOL),
        (
            "holding:20:string[8]:gbk:BADC",
            {
                "table": "holding",
                "address": 20,
                "type": "string",
                "length": 8,
                "encoding": "gbk",
                "order": "BADC",
            },
            Kind.STRING,
        ),
        ("40101:uint16", {"table": "holding", "address": 100, "type": "uint16"}, Kind.UINT64),
        ("465536:int16", {"table": "holding", "address": 65535, "type": "int16"}, Kind.INT64),
        ("30001:float64", {"table": "input", "address": 0, "type": "float64"}, Kind.FLOAT64),
        ("10010", {"table": "discrete", "address": 9, "type": "bool"}, Kind.BOOL),
        ("00001", {"table": "coil", "address": 0, "type": "bool"}, Kind.BOOL),
        ("holding:7.3:uint16", {"table": "holding", "address": 7, "bit": 3}, Kind.BOOL),
        (
            "holding:0.20:uint32:CDAB",
            {"table": "holding", "address": 0, "bit": 20, "type": "uint32", "order": "CDAB"},
            Kind.BOOL,
        ),
        (
            "holding:0.4-7",
            {"table": "holding", "address": 0, "bit": 4, "last_bit": 7, "type": "uint16"},
            Kind.UINT64,
        ),
        (
            "holding:0.8:int8",
            {"table": "holding", "address": 0, "bit": 8, "type": "int8"},
            Kind.INT64,
        ),
        (
            "3!40001:uint32:bcd",
            {"unit": 3, "table": "holding", "address": 0, "type": "uint32", "coding": "bcd"},
            Kind.UINT64,
        ),
        (
            "holding:5001:float32:enron",
            {"table": "enron", "address": 5001, "type": "float32"},
            Kind.FLOAT32,
        ),
        (
            "holding:0:int16[8]",
            {"table": "holding", "address": 0, "type": "int16", "count": 8},
            Kind.INT64,
        ),
        (
            "holding:0:datetime:bcd",
            {"table": "holding", "address": 0, "type": "datetime", "coding": "bcd"},
            Kind.STRING,
        ),
        ("40008.3", {"table": "holding", "address": 7, "type": "bool", "bit": 3}, Kind.BOOL),
    ],
)
def test_text_and_mapping_are_the_same_address(
    text: str, fields: dict[str, Any], kind: Kind
) -> None:
    from_text = validated(Address, text)
    assert from_text == validated(Address, fields)
    assert SPEC.kind(from_text) is kind
    assert validated(Address, vars(from_text)) == from_text


@pytest.mark.parametrize(
    "text",
    [
        "holding:100:float32:CDAB",
        "coil:5",
        "coil:5:bool[8]",
        "input:7.15",
        "holding:0.20:uint32:CDAB",
        "holding:0.4-7:uint16",
        "holding:0.8:int8",
        "3!holding:0:uint32:bcd:CDAB",
        "enron:5001:float32",
        "holding:0:datetime[2]:bcd",
        "holding:0:string[8]:BADC:latin-1",
    ],
)
def test_an_address_prints_as_it_is_written(text: str) -> None:
    assert str(validated(Address, text)) == text


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("", "'' is no Modbus address"),
        (40101, "must be a mapping or text"),
        ("hold:1", "'hold:1' is no Modbus address"),
        ("holding", "has no address after the table"),
        ("holding:x", "'x' in 'holding:x' is no address"),
        ("holding:-1", "'-1' in 'holding:-1' is no address"),
        ("40000:uint16", "is no Modbus address"),
        ("20001", "is no Modbus address"),
        ("4001", "is no Modbus address"),
        ("holding:1:float", "'float' in 'holding:1:float' is no type; known: bool, int8"),
        ("holding:1:float32:ACBD", "'ACBD' in .* is no coding, byte order or encoding"),
        ("holding:65536", "less than 65536"),
        ("holding:65535:float32", "leaves 0 to 65535"),
        ("coil:1:uint16", "a coil holds bool, not uint16"),
        ("coil:1.2", "a coil has no 'bit'"),
        ("holding:1:bool", "bool in a register needs 'bit'"),
        ("holding:1.16", "bit 16 is beyond 15, the last of uint16; a wider number has it"),
        ("holding:1.3:int16", "'bit' is for bool and unsigned numbers, not for int16"),
        ("holding:1.3:uint16:bcd", "'bit' is for bool and unsigned numbers, not for uint16"),
        ("holding:1.32:uint32", "bit 32 is beyond 31, the last of uint32"),
        ("holding:1.7-4", "'last_bit' 4 is before 'bit' 7"),
        ("holding:1.4-7:bool", "several bits are a number"),
        ("holding:1.4:uint8", "uint8 begins at bit 0 or 8 of a register"),
        ("holding:1.8-9:uint8", "uint8 has all of its bits"),
        ({"table": "holding", "address": 1, "last_bit": 3}, "'last_bit' needs 'bit'"),
        ("holding:1:int16:bcd", "coding bcd means nothing for int16; it is for unsigned"),
        ("holding:1:uint16:sm", "coding sm means nothing for uint16; it is for signed"),
        ("holding:1:uint16:mod10", "coding mod10 means nothing for uint16; it is for integers of"),
        ("holding:1:uint8h", "the high byte is 'holding:0.8:uint8'"),
        ("holding:1:bcd32", "write 'uint32:bcd'"),
        ("holding:1:mod10", "write 'uint64:mod10'"),
        ("holding:1:time", "write 'datetime', 'datetime:bcd', 'datetime_words'"),
        ("holding:0@2", "a device is one unit, so make one with 'unit: 2' in its connection"),
        ("40001@2", "a device is one unit, so make one with 'unit: 2' in its connection"),
        ("256!40001", "less than or equal to 255"),
        ("holding:65535:uint16[2]", r"address 65535 \+ 2 leaves 0 to 65535"),
        ("holding:1.2:bool[2]", "an array has no 'bit'"),
        ("enron:1:uint16", "enron registers are int32, uint32 or float32, not uint16"),
        ("input:1:uint32:enron", "'enron' in 'input:1:uint32:enron' is no coding"),
        ("holding:1:string", "string needs 'length'"),
        ("holding:1:string[126]", "less than or equal to 125"),
        (
            {"table": "holding", "address": 1, "type": "uint16", "length": 2},
            "'length' is for string only",
        ),
        ("holding:1:uint16:gbk", "'encoding' is for string only"),
        ("holding:1:uint16:CDAB", "order CDAB means nothing for uint16"),
        ({"table": "holding", "adress": 1}, "adress"),
        (
            {"table": "holdings", "address": 1},
            "'coil', 'discrete', 'input', 'holding', 'enron' or 'file'",
        ),
    ],
)
def test_wrong_addresses_say_what_is_wrong(raw: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        validated(Address, raw)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("host", ""),
        ("port", 0),
        ("port", 65536),
        ("unit", 256),
        ("unit", -1),
        ("window", 17),
        ("max_registers", 126),
        ("max_bits", 2001),
        ("max_gap", -1),
        ("request_timeout_ms", 10),
        ("prot", 502),
    ],
)
def test_wrong_connections(field: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=field):
        validated(Connection, {"host": "plc", field: value})


@pytest.mark.parametrize(
    ("written", "key", "said"),
    [
        ({"quirks": ["any_unit"], "window": 2}, "window", "needs a device without quirks"),
        ({"quirks": ["any_unit"], "framing": "rtu"}, "quirks", "any_unit means nothing in RTU"),
        ({"quirks": ["padded_data"], "framing": "rtu"}, "", ""),
        ({"quirks": ["any_unit"]}, "", ""),
        ({"unit": 0, "framing": "rtu"}, "unit", "none of them answers"),
        ({"unit": 0}, "", ""),
    ],
)
def test_what_does_not_fit_is_refused(written: dict[str, Any], key: str, said: str) -> None:
    device = DeviceConfig(id="d", driver="modbus", profile="p", asset_no="M", connection={})
    found = list(SPEC.misfits(validated(Connection, {"host": "plc", **written}), device))
    assert [one for one, _ in found] == ([key] if key else [])
    assert all(said in sentence for _, sentence in found)


def test_an_unknown_quirk_is_refused() -> None:
    with pytest.raises(ValidationError, match="any_transaction"):
        validated(Connection, {"host": "plc", "quirks": ["anything"]})


def test_endpoint() -> None:
    assert SPEC.endpoint(Connection(host="plc-1")) == "plc-1:502"
    assert SPEC.endpoint(Connection(host="::1", port=5020)) == "[::1]:5020"


@pytest.mark.parametrize("model", [Connection, Address])
def test_the_page_lists_every_key_with_its_default(model: type[Settings]) -> None:
    page = (Path(__file__).parents[3] / "docs/drivers/modbus.md").read_text("utf-8")
    section = page.partition(f"\n## {model.__name__}\n")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*?) \|", section, re.MULTILINE))
    for name, key in declared(model).items():
        if key.default is MISSING:
            assert rows[name] == "required"
        elif key.default in (None, ()):
            assert name in rows
        else:
            assert f"`{str(key.default).lower()}`" in rows[name].lower()


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("127.0.0.1:502", "alone; write 'host: 127.0.0.1' and 'port: 502'"),
        ("[::1]:502", "alone; write 'host: ::1' and 'port: 502'"),
        ("tcp://10.0.0.1:502", "without scheme, path, brackets and blanks; the port has a key"),
        ("[::1]", "without scheme, path, brackets and blanks"),
        (" 10.0.0.1", "without scheme, path, brackets and blanks"),
        ("plc 7", "without scheme, path, brackets and blanks"),
        ("plc..line", "without scheme, path, brackets and blanks"),
        ("１0.0.0.1", "without scheme, path, brackets and blanks"),
        ("10.0.0.300", "alone; 10.0.0.300 is neither"),
    ],
)
def test_a_host_is_a_name_or_an_address_alone(host: str, said: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(said)):
        validated(Connection, {"host": host})


@pytest.mark.parametrize("host", ["10.0.0.1", "::1", "fe80::1%eth0", "plc-7_a.example."])
def test_hosts(host: str) -> None:
    assert validated(Connection, {"host": host}).host == host


def test_capitals_of_a_host_make_no_other_link() -> None:
    assert SPEC.link is not None
    one, other = (validated(SPEC.connection, {"host": host, "unit": 1}) for host in ("PLC", "plc"))
    assert SPEC.link.key(one) == SPEC.link.key(other)
    port, same = (
        validated(SPEC.connection, {"serial": at, "unit": 1}) for at in ("/dev/A", "/dev/a")
    )
    assert SPEC.link.key(port) != SPEC.link.key(same)
