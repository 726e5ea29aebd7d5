"""Our certificate is made once and kept; the server's is trusted by copy or by CA only."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from gateway.drivers.api import RefusedError
from gateway.drivers.opcua.connecting import certificates
from gateway.drivers.opcua.connecting.certificates import (
    fingerprint,
    first_certificate,
    given_certificate,
    load_certificate,
    own_certificate,
    require_trust,
)

NOW = datetime.now(UTC)
DER, PEM = serialization.Encoding.DER, serialization.Encoding.PEM
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def issue(
    name: str,
    *,
    by: tuple[x509.Certificate, Key] | None = None,
    ca: bool = False,
    days: int = 30,
    key: Key | None = None,
) -> tuple[x509.Certificate, Key]:
    """A certificate, self-signed or by a CA; negative days are over."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by[0].subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=60))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    return builder.sign(by[1] if by else key, hashes.SHA256()), key


def trust_of(tmp_path: Path, *trusted: x509.Certificate) -> Path:
    folder = tmp_path / "trusted"
    folder.mkdir()
    for number, certificate in enumerate(trusted):
        (folder / f"{number}.der").write_bytes(certificate.public_bytes(DER))
    return folder


def accepted(server: x509.Certificate, trust: Path, tmp_path: Path) -> bool:
    try:
        require_trust(server.public_bytes(DER), trust, tmp_path / "rejected", "plc:4840")
    except RefusedError:
        return False
    return True


def test_the_own_certificate_is_kept(tmp_path: Path) -> None:
    first, second = own_certificate(tmp_path / "pki"), own_certificate(tmp_path / "pki")
    assert first == second
    assert own_certificate(tmp_path / "other").application_uri != first.application_uri
    mode = stat.S_IMODE((tmp_path / "pki" / "qulink-client.pem").stat().st_mode)
    assert mode == 0o600
    assert (tmp_path / "pki" / "qulink-client.der").read_bytes() == first.certificate


def test_the_own_certificate_says_who_we_are(tmp_path: Path) -> None:
    own = own_certificate(tmp_path)
    certificate = load_certificate(own.certificate)
    san = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert san.get_values_for_type(x509.UniformResourceIdentifier) == [own.application_uri]
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature and usage.key_encipherment and usage.data_encipherment
    assert certificate.not_valid_after_utc > NOW + timedelta(days=3650)


@pytest.mark.parametrize("made_in", [1970, 2010, 2026, 2045])
def test_the_own_certificate_is_good_for_clocks_that_are_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_in: int
) -> None:
    """Ours when it is made – a box without a battery begins in 1970 –, and those of servers."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Clock":
            return cls(made_in, 1, 1, tzinfo=tz)

    monkeypatch.setattr(certificates, "datetime", Clock)
    made = load_certificate(own_certificate(tmp_path).certificate)
    for year in {2001, 2010, 2027, 2040, max(made_in, 2001)}:
        assert (
            made.not_valid_before_utc < datetime(year, 6, 1, tzinfo=UTC) < made.not_valid_after_utc
        )


def test_devices_that_start_together_agree_on_one(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: own_certificate(tmp_path / "pki"), range(4)))
    assert len({own.certificate for own in made}) == 1
    assert sorted(file.name for file in (tmp_path / "pki").iterdir()) == [
        "qulink-client.der",
        "qulink-client.pem",
    ]


def test_given_files_may_be_pem_or_der(tmp_path: Path) -> None:
    own = own_certificate(tmp_path)
    (tmp_path / "key.der").write_bytes(own.key)
    pem = tmp_path / "qulink-client.pem"
    assert given_certificate(pem, pem) == own
    assert given_certificate(tmp_path / "qulink-client.der", tmp_path / "key.der") == own


def test_a_copy_for_the_server_follows_a_new_certificate(tmp_path: Path) -> None:
    own_certificate(tmp_path)
    (tmp_path / "qulink-client.pem").unlink()
    new = own_certificate(tmp_path)
    assert (tmp_path / "qulink-client.der").read_bytes() == new.certificate


PKCS8 = serialization.PrivateFormat.PKCS8
PLAIN = serialization.NoEncryption()
RSA = rsa.generate_private_key(65_537, 2_048)
EC = ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize(
    ("key", "form", "protection", "said"),
    [
        (RSA, DER, PLAIN, "no URI in its subject alternative name"),
        (RSA, PEM, serialization.BestAvailableEncryption(b"x"), "protected by a password"),
        (EC, DER, PLAIN, "no RSA key"),
        (rsa.generate_private_key(65_537, 2_048), PEM, PLAIN, "is not that of the own certificate"),
    ],
)
def test_files_that_cannot_be_used_are_named(
    tmp_path: Path,
    key: Key,
    form: serialization.Encoding,
    protection: serialization.KeySerializationEncryption,
    said: str,
) -> None:
    certificate, _ = issue("plain", key=RSA)
    (tmp_path / "c.der").write_bytes(certificate.public_bytes(DER))
    (tmp_path / "k").write_bytes(key.private_bytes(form, PKCS8, protection))
    with pytest.raises(ValueError, match=said):
        given_certificate(tmp_path / "c.der", tmp_path / "k")


def test_an_unknown_server_is_refused_with_fingerprint_and_remedy(tmp_path: Path) -> None:
    server, _ = issue("press")
    der = server.public_bytes(DER)
    with pytest.raises(RefusedError) as caught:
        require_trust(der, tmp_path / "trusted", tmp_path / "rejected", "plc:4840")
    (kept,) = (tmp_path / "rejected").iterdir()
    said = str(caught.value)
    assert fingerprint(der) in said and len(fingerprint(der)) == 95
    assert f"move {kept} into {tmp_path / 'trusted'}/" in said and "CN=press" in said
    (tmp_path / "trusted").mkdir()
    kept.rename(tmp_path / "trusted" / kept.name)
    require_trust(der, tmp_path / "trusted", tmp_path / "rejected", "plc:4840")


def test_ever_new_certificates_do_not_fill_the_disk(tmp_path: Path) -> None:
    rejected = tmp_path / "rejected"
    rejected.mkdir()
    for number in range(150):
        (rejected / f"{number}.der").write_bytes(b"")
        os.utime(rejected / f"{number}.der", (number, number))
    server, _ = issue("server")
    assert not accepted(server, trust_of(tmp_path), tmp_path)
    assert len(list(rejected.iterdir())) == 100
    assert (rejected / "149.der").exists()
    assert not (rejected / "50.der").exists()


def test_a_pinned_file_trusts_that_certificate_only(tmp_path: Path) -> None:
    server, _ = issue("press")
    pinned = tmp_path / "press.pem"
    pinned.write_bytes(server.public_bytes(serialization.Encoding.PEM))
    assert accepted(server, pinned, tmp_path)
    assert not accepted(issue("press")[0], pinned, tmp_path)


def test_a_trusted_copy_is_good_whatever_its_dates(tmp_path: Path) -> None:
    server, _ = issue("old press", days=-1)
    assert accepted(server, trust_of(tmp_path, server), tmp_path)


def test_a_ca_vouches_for_what_it_signed(tmp_path: Path) -> None:
    authority = issue("plant CA", ca=True)
    trust = trust_of(tmp_path, authority[0])
    assert accepted(issue("press", by=authority)[0], trust, tmp_path)
    assert not accepted(issue("press", by=issue("plant CA", ca=True))[0], trust, tmp_path)
    assert not accepted(issue("old press", by=authority, days=-1)[0], trust, tmp_path)


def test_a_plain_certificate_vouches_for_nobody(tmp_path: Path) -> None:
    pretender = issue("press 1")
    trust = trust_of(tmp_path, pretender[0])
    assert not accepted(issue("press 2", by=pretender)[0], trust, tmp_path)


def test_rubbish_in_the_trust_list_is_named(tmp_path: Path) -> None:
    trust = trust_of(tmp_path)
    (trust / "notes.txt").write_text("hello", encoding="utf-8")
    with pytest.raises(RefusedError, match=r"notes\.txt in the trust list is no certificate"):
        require_trust(issue("x")[0].public_bytes(DER), trust, tmp_path / "rejected", "plc:4840")


def test_the_first_of_a_chain() -> None:
    first, second = (issue(name)[0].public_bytes(DER) for name in ("a", "b"))
    assert first_certificate(first + second) == first
    with pytest.raises(ValueError, match="gave no certificate"):
        first_certificate(b"")
