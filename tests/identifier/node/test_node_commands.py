"""``qulink node`` as its operator types it."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from typer.testing import CliRunner

from gateway.cli.main import build

SAMPLE = Path(__file__).parents[3] / "edge_config/samples/node.yaml"
USER = "user add qz01 --role enterprise --enterprise 虚构机械厂"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "node.yaml"
    file.write_bytes(SAMPLE.read_bytes())
    return file


def said(config: Path, line: str, code: int = 0, given: str = "") -> str:
    """What a command says on standard output and error."""
    words = ["node", *line.split(), "-c", str(config)]
    done = CliRunner().invoke(build(["node"]), words, input=given)
    assert done.exit_code == code, done.output
    return done.output


def test_an_operators_day(config: Path) -> None:
    assert said(config, USER) == "added qz01\n"
    assert "was, a user" in said(config, USER, 1)
    assert said(config, "user list") == "qz01\tenterprise\tactive\t虚构机械厂\n"
    assert said(config, "user password qz01", given="short\n", code=1).endswith("8 characters\n")
    assert said(config, "user password qz01", given="long enough\n") == "password set for qz01\n"
    made = said(config, "credential make mes --user qz01")
    assert "username: mes\npassword: " in made
    for line in ("apply 88.999.QZ01 --enterprise 虚构机械厂", "allot 88.999.QZ01"):
        said(config, f"prefix {line}")
    said(config, "prefix delegate 88.999.QZ01 192.0.2.7:2641")
    listed = said(config, "prefix list")
    assert listed == "88.999.QZ01\tallotted\t虚构机械厂\t\t192.0.2.7\n"
    said(config, "prefix delegate 88.999.QZ01 here")
    assert "IP address" in said(config, "prefix delegate 88.999.QZ01 node:2641", 1)
    assert said(config, "prefix suspend 88.999.QZ01 --reason fees") == "suspended 88.999.QZ01\n"
    assert "is suspended" in said(config, "prefix refuse 88.999.QZ01 --reason x", 1)
    said(config, "credential revoke mes")
    said(config, "user disable qz01")
    assert said(config, "stats") == "identifiers\t0\n"
    log = said(config, "audit-log")
    assert [line.split("\t")[2] for line in log.splitlines()] == [
        "user-added",
        "password-set",
        "credential-made",
        "prefix-applied",
        "prefix-allotted",
        "prefix-delegated",
        "prefix-delegated",
        "prefix-suspended",
        "credential-revoked",
        "user-disabled",
    ]
    secret = made.partition("password: ")[2].split()[0]
    assert secret not in log


def test_keys_are_set_listed_and_dropped(config: Path, tmp_path: Path) -> None:
    said(config, USER)
    place, secret = "300:88.999.QZ01/ADMIN", tmp_path / "secret"
    secret.write_text("open sesame and more\n")
    assert "no key's place" in said(config, f"key set ADMIN --user qz01 --secret {secret}", 1)
    assert "name either" in said(config, f"key set {place} --user qz01", 1)
    assert "no RSA public key" in said(config, f"key set {place} --user qz01 --public {secret}", 1)
    done = said(config, f"key set {place} --user qz01 --secret {secret}")
    assert done == "HS_SECKEY set at 88.999.QZ01/ADMIN\n"
    public = tmp_path / "public.pem"
    public.write_bytes(
        generate_private_key(65_537, 2_048)
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    said(config, f"key set 301:88.999.QZ01/ADMIN --user qz01 --public {public}")
    said(config, f"key drop {place}")
    assert said(config, "key list") == "301:88.999.QZ01/ADMIN\tHS_PUBKEY\tqz01\n"
    secret.write_text("short")
    assert "at least 8" in said(config, f"key set {place} --user qz01 --secret {secret}", 1)


def test_every_mistake_of_a_configuration_is_said_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "node.yaml"
    file.write_text("prefix: 88.999\nlimits: {registrations_per_day: 0}\nvisibility: {a: all}\n")
    lines = said(file, "stats", 1).splitlines()
    assert [line.removeprefix(str(file)) for line in lines[:3]] == [
        ":1: prefix: must be text; put the number in quotes",
        ":2: limits.registrations_per_day: must be between 1 and 1000000000, not 0",
        ":3: visibility.a: must be 'everybody', 'member' or 'enterprise', not 'all'",
    ]
    file.write_text("city: {}\n")
    assert "this file is for a city" in said(file, "stats", 1)
    done = CliRunner().invoke(build(["check"]), ["check", str(SAMPLE)])
    assert (done.exit_code, "node of identifiers 88.999" in done.output) == (0, True)
