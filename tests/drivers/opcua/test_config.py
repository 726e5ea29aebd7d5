"""What an operator may write, and what is refused with which words."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from edge_config.loading.load import load_gateway
from edge_config.models.validation import validated
from gateway.core.schema import Kind
from gateway.drivers.opcua import SPEC
from gateway.drivers.opcua.config import KINDS, Address, Connection
from gateway.drivers.registry import installed
from tests.edge.plant import USCC

PASSWORD = {"env": "QULINK_TEST_PASSWORD"}


def test_defaults_are_a_subscription_without_security() -> None:
    connection = validated(Connection, {"url": "opc.tcp://plc.example"})
    assert connection.url == "opc.tcp://plc.example:4840"
    assert SPEC.endpoint(connection) == "plc.example:4840"
    assert connection.security == "none"
    assert connection.trust == Path("qulink-certificates/trusted")
    assert SPEC.modes == ("subscribe", "poll")


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("opc.tcp://10.0.0.5:48010/UA/Server", "10.0.0.5:48010"),
        ("opc.tcp://10.0.0.5/opc.tcp://10.0.0.5", "10.0.0.5:4840"),
        ("opc.tcp://opc/tcp", "opc:4840"),
        ("opc.tcp://plc:/x", "plc:4840"),
        ("opc.tcp://[::1]:4841", "[::1]:4841"),
    ],
)
def test_urls(url: str, endpoint: str) -> None:
    assert validated(Connection, {"url": url}).endpoint == endpoint


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"url": "http://plc"}, "must be opc.tcp://host:4840"),
        ({"url": "opc.tcp://"}, "must be opc.tcp://host:4840"),
        ({"url": "opc.tcp://plc 7:4840"}, "must be opc.tcp://host:4840"),
        ({"url": " opc.tcp://plc:4840"}, "must be opc.tcp://host:4840"),
        ({"url": "opc.tcp://10.0.0.300:4840"}, "must be opc.tcp://host:4840"),
        ({"url": "opc.tcp://plc:0"}, "port 0"),
        ({"url": "opc.tcp://plc:99999"}, "out of range"),
        ({"url": "opc.tcp://me:secret@plc"}, "must not hold credentials"),
        ({"username": "me"}, "'username' and 'password' go together"),
        ({"password": PASSWORD}, "'username' and 'password' go together"),
        ({"certificate_file": "a.pem"}, "'certificate_file' and 'key_file' go together"),
        ({"security": "basic512"}, "'auto', 'aes256_sha256_rsapss', 'basic256sha256'"),
        ({"security_mode": "sign"}, "means nothing with 'security: none'"),
        ({"security_mode": "encrypt"}, "'sign_and_encrypt' or 'sign'"),
        ({"discover": False}, "'discover: false' needs 'server_certificate'"),
        ({"discover": False, "server_certificate": "a.der"}, "and 'security', one of"),
        (
            {"discover": False, "server_certificate": "a.der", "security": "auto"},
            "and 'security', one of",
        ),
        ({"request_timeout_ms": 1}, "greater than or equal to 100"),
        ({"watchdog": 1}, "Unexpected keyword argument"),
    ],
)
def test_wrong_connections(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        validated(Connection, {"url": "opc.tcp://plc", **fields})


def test_credentials_in_a_url_are_not_repeated() -> None:
    with pytest.raises(ValidationError) as caught:
        validated(Connection, {"url": "opc.tcp://me:secret@plc"})
    assert "secret" not in caught.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    "given",
    [
        "nsu=http://acme/press;s=Press.Speed|float32",
        " nsu=http://acme/press;s=Press.Speed | float32 ",
        {"node": "nsu=http://acme/press;s=Press.Speed", "type": "float32"},
    ],
)
def test_an_address_is_a_mapping_or_a_text(given: object) -> None:
    address = validated(Address, given)
    assert address.node == "nsu=http://acme/press;s=Press.Speed"
    assert (address.kind, address.name.identifier) == (Kind.FLOAT32, "Press.Speed")


def test_a_bar_may_stand_in_the_name() -> None:
    assert validated(Address, "nsu=u;s=a|b|bool").name.identifier == "a|b"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("nsu=u;s=Speed", "write <node>|<type>"),
        ("nsu=u;s=Speed|real", "Input should be 'float64'"),
        ("ns=x;s=Speed|float64", "must follow 'ns='"),
        ({"node": "nsu=u;s=Speed"}, "Field required"),
        ({"node": "nsu=u;s=Speed", "type": "bool", "bit": 3}, "Unexpected keyword"),
    ],
)
def test_wrong_addresses(given: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said.replace("|", r"\|")):
        validated(Address, given)


@pytest.mark.parametrize(("type_name", "kind"), KINDS.items())
def test_every_type_has_its_kind(type_name: str, kind: Kind) -> None:
    assert SPEC.kind(validated(Address, f"i=2258|{type_name}")) is kind


def test_the_spec_loads_no_protocol_library() -> None:
    code = (
        "import sys, gateway.drivers.opcua as d, gateway.drivers.opcua.encoding.convert\n"
        "d.SPEC.connection(url='opc.tcp://plc')\n"
        "sys.exit([m for m in ('asyncua', 'cryptography') if m in sys.modules] or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=150
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("node", "warned"), [("nsu=urn:plc;s=Speed", []), ("i=2258", []), ("ns=3;s=Speed", ["ns=3"])]
)
def test_check_warns_of_a_namespace_that_is_named_by_its_index(
    tmp_path: Path, node: str, warned: list[str]
) -> None:
    tag = {"name": "speed", "address": f"{node}|float64"}
    profile = {"name": "p", "driver": "opcua", "source": "sensor"}
    connection = {"url": "opc.tcp://plc"}
    device = {"id": "d", "driver": "opcua", "profile": "p", "asset_no": "M1"}
    document = {
        "gateway": {"id": "gw", "enterprise_uscc": USCC},
        "profiles": [profile | {"groups": [{"name": "g", "tags": [tag]}]}],
        "devices": [device | {"connection": connection}],
    }
    file = tmp_path / "gateway.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    said = [str(warning) for warning in load_gateway(file, installed()).warnings]
    assert len(said) == len(warned)
    for index, sentence in zip(warned, said, strict=True):
        assert f"{index} may be another namespace" in sentence
        assert "nsu=<namespace URI>" in sentence
        assert "notation" not in sentence


@pytest.mark.parametrize("node", ["nsu=urn:x;s=Speed ", "nsu=urn:x;s= Speed"])
def test_check_warns_of_a_blank_that_nobody_sees(node: str) -> None:
    address = validated(Address, {"node": node, "type": "float64"})
    assert "has a blank at its end or begin; drop it" in SPEC.unclear(node, address)
    bare = validated(Address, {"node": "nsu=urn:x;s=Line 1.Speed", "type": "float64"})
    assert not SPEC.unclear("", bare)
