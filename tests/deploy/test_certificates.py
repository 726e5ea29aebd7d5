"""The commands of the guide make certificates that the strictest TLS accepts.

Python 3.13 began to demand RFC 5280 to the letter (``VERIFY_X509_STRICT``); certificates outlive
the Python they were made for.
"""

import re
import ssl
import subprocess
from pathlib import Path

import pytest

from edge_config.models.base import ClientTls
from gateway.mqtt.tls import tls_context
from tests.support.certificates import Authority
from tests.support.peers import program

GUIDE = Path(__file__).parents[2] / "deploy" / "README.md"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the guide's commands make, for a city called city.example."""
    program("openssl", "openssl")
    folder = tmp_path_factory.mktemp("guide")
    commands = re.search(r"```console\n(openssl req .*?)```", GUIDE.read_text(), re.DOTALL)
    assert commands
    script = commands[1].replace("CITY", "city.example").replace("rsa:3072", "rsa:2048")
    subprocess.run(["sh", "-ec", script], cwd=folder, check=True, capture_output=True)
    return folder


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
