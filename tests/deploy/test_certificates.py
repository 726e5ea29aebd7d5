"""The commands of the guide make certificates that the strictest TLS accepts.

Python 3.13 began to demand RFC 5280 to the letter (``VERIFY_X509_STRICT``); certificates outlive
the Python they were made for.
"""

import os
import re
import ssl
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography import x509

from edge_config.models.base import ClientTls
from gateway.city.registry import enrolment
from gateway.mqtt.tls import tls_context
from tests.support.certificates import Authority
from tests.support.peers import program

DEPLOY = Path(__file__).parents[2] / "deploy"
AUTHORITY = DEPLOY / "ca" / "authority"


def authority(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program("openssl", "openssl")
    small = os.environ | {"KEY": "rsa:2048"}
    return subprocess.run(
        [str(AUTHORITY), *arguments],
        cwd=folder,
        env=small,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the guide's commands make, for a city called city.example."""
    folder = tmp_path_factory.mktemp("guide")
    guide = (DEPLOY / "README.md").read_text().replace("CITY", "city.example")
    commands = re.findall(r"^/opt/qulink/src/deploy/ca/authority (.*)$", guide, re.MULTILINE)
    assert commands == ["init", "server city.example", "gateway gw-7", "revoke gw-7"]
    for command in commands[:3]:
        done = authority(folder, *command.split())
        assert done.returncode == 0, done.stderr
    return folder


def test_keys_are_for_their_owner_only(made: Path) -> None:
    assert {stat.S_IMODE(key.stat().st_mode) for key in made.glob("*.key")} == {0o600}


@pytest.mark.parametrize(
    "name", ["city", "city-1", "console", "admin", "root", "ca", "-x", "A", "a b", "../x", ""]
)
def test_no_gateway_gets_a_name_that_stands_for_more(made: Path, name: str) -> None:
    done = authority(made, "gateway", name)
    assert done.returncode == 1
    assert "is reserved" in done.stderr or "is no gateway id" in done.stderr
    assert name == "ca" or not (made / f"{name}.crt").exists()


def test_the_authority_and_enrolment_reserve_the_same_names(made: Path) -> None:
    for name in (*enrolment.RESERVED_IDS, "city-7"):
        assert enrolment.is_reserved(name)
        assert "is reserved" in authority(made, "gateway", name).stderr
    assert not enrolment.is_reserved("cityhall")


def test_a_revoked_certificate_is_on_the_list_and_can_be_made_again(made: Path) -> None:
    assert authority(made, "gateway", "gw-9").returncode == 0
    assert "is there already" in authority(made, "gateway", "gw-9").stderr
    old = x509.load_pem_x509_certificate((made / "gw-9.crt").read_bytes())
    assert authority(made, "revoke", "gw-9").returncode == 0
    revoked = x509.load_pem_x509_crl((made / "ca.crl").read_bytes())
    assert revoked.get_revoked_certificate_by_serial_number(old.serial_number) is not None
    assert authority(made, "gateway", "gw-9").returncode == 0
    new = x509.load_pem_x509_certificate((made / "gw-9.crt").read_bytes())
    assert revoked.get_revoked_certificate_by_serial_number(new.serial_number) is None


def test_a_list_is_made_anew_and_all_is_told_with_its_last_day(made: Path) -> None:
    before = x509.load_pem_x509_crl((made / "ca.crl").read_bytes())
    assert authority(made, "renew").returncode == 0
    after = x509.load_pem_x509_crl((made / "ca.crl").read_bytes())
    assert [one.serial_number for one in after] == [one.serial_number for one in before]
    number = x509.CRLNumber.oid
    assert after.extensions.get_extension_for_oid(
        number
    ) != before.extensions.get_extension_for_oid(number)
    told = authority(made, "list").stdout.splitlines()
    names = {line.split()[-1] for line in told}
    assert {"ca.crt", "ca.crl", "server.crt", "gw-7.crt"} <= names
    assert not any(name.endswith(".revoked.crt") for name in names)
    last = x509.load_pem_x509_certificate((made / "server.crt").read_bytes()).not_valid_after_utc
    assert any(f"{last:%Y} GMT  server.crt" in line for line in told)


def test_those_of_the_guide(made: Path) -> None:
    handshake(made, "server", "gw-7", "city.example")


def test_those_of_the_tests(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.server()
    authority.client("gw-7")
    handshake(tmp_path, "server", "gw-7", "127.0.0.1")


def test_another_name_than_the_citys_is_refused(made: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(made, "server", "gw-7", "other.example")


def test_a_gateway_cannot_pose_as_the_broker(made: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="purpose"):
        handshake(made, "gw-7", "gw-7", "city.example")


def handshake(folder: Path, server: str, client: str, host: str) -> None:
    """A TLS handshake in memory in which both sides verify strictly."""
    broker = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=folder / "ca.crt")
    broker.load_cert_chain(folder / f"{server}.crt", folder / f"{server}.key")
    broker.verify_mode = ssl.CERT_REQUIRED
    files = {"cert_file": folder / f"{client}.crt", "key_file": folder / f"{client}.key"}
    edge = tls_context(ClientTls(ca_file=folder / "ca.crt", **files))
    for context in (broker, edge):
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        edge.wrap_bio(back, there, server_hostname=host),
        broker.wrap_bio(there, back, server_side=True),
    ]
    while ends:
        ends = [end for end in ends if not _shaken(end)]


def _shaken(end: ssl.SSLObject) -> bool:
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True
