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


@pytest.mark.parametrize("text", ["holding:100:float32:CDAB", "coil:5", "input:7.15"])
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
        ("holding:1:float", "'float' in 'holding:1:float' is no type; known: bool, int16"),
        ("holding:1:float32:ACBD", "'ACBD' in .* is no byte order or encoding"),
        ("holding:65536", "less than 65536"),
        ("holding:65535:float32", "leaves 0 to 65535"),
        ("coil:1:uint16", "a coil holds bool, not uint16"),
        ("coil:1.2", "a coil has no 'bit'"),
        ("holding:1:bool", "bool in a register needs 'bit'"),
        ("holding:1.16", "less than or equal to 15"),
        ("holding:1.3:uint16", "'bit' is for bool, not for uint16"),
        ("holding:1:string", "string needs 'length'"),
        ("holding:1:string[126]", "less than or equal to 125"),
        ("holding:1:uint16[2]", "'length' is for string only"),
        ("holding:1:uint16:gbk", "'encoding' is for string only"),
        ("holding:1:uint16:CDAB", "order CDAB means nothing for uint16"),
        ({"table": "holding", "adress": 1}, "adress"),
        ({"table": "holdings", "address": 1}, "'coil', 'discrete', 'input' or 'holding'"),
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
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*?) \|", page, re.MULTILINE))
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
