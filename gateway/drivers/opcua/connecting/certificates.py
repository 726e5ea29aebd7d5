"""Our own certificate, and whether the server's is trusted. Files only; no network.

The generated certificate is self-signed, carries its application URI in the SAN (servers compare
the two) and is valid for 20 years, and long before it was made: servers trust it by copy, so
renewing it would cut the line until somebody copies it again.
"""

import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NamedTuple
from uuid import uuid4

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.drivers.api import RefusedError
from gateway.durable import make_folder, sync_folder

OWN_FILE = "qulink-client.pem"
OWN_CERTIFICATE_FILE = "qulink-client.der"
_KEY_BITS = 2_048
_MOST_REJECTED = 100
"""Copies of rejected certificates that are kept; the oldest go first."""
_SINCE = datetime(2000, 1, 1, tzinfo=UTC)
_WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)
"""Our certificate is valid from far in the past, and its end is counted from a day that is over:
the clocks of controllers, and ours when it is made, may be years behind."""
_VALID = timedelta(days=20 * 365)


class OwnCertificate(NamedTuple):
    """Our identity towards servers.

    Attributes:
        certificate: DER.
        key: private key, DER (PKCS#8).
        application_uri: the URI in the certificate's SAN.
    """

    certificate: bytes
    key: bytes
    application_uri: str


def own_certificate(folder: Path) -> OwnCertificate:
    """The certificate kept in a folder; generated when there is none. Slow once: a key is made.

    Key and certificate share one file that appears at once and readable by its owner only, so
    that two devices starting together agree on one. A copy of the certificate alone, for the
    server's trust list, lies beside it.

    Raises:
        OSError: the folder cannot be written or read.
        ValueError: the file holds no certificate and key.
    """
    target = folder / OWN_FILE
    if not target.exists():
        make_folder(folder)
        _place(target, _generate())
    pem = target.read_bytes()
    own = _own(x509.load_pem_x509_certificate(pem), pem)
    shown = folder / OWN_CERTIFICATE_FILE
    if not shown.exists() or shown.read_bytes() != own.certificate:
        shown.write_bytes(own.certificate)
    return own


def given_certificate(certificate_file: Path, key_file: Path) -> OwnCertificate:
    """The certificate and key that the operator supplies, each PEM or DER.

    Raises:
        OSError: a file cannot be read.
        ValueError: a file is neither, the key is not the certificate's, no RSA key or protected
            by a password, or the certificate has no URI in its SAN.
    """
    return _own(load_certificate(certificate_file.read_bytes()), key_file.read_bytes())


def _own(certificate: x509.Certificate, key: bytes) -> OwnCertificate:
    private = _private_key(key)
    if private.public_key() != certificate.public_key():
        raise ValueError("the private key is not that of the own certificate")
    return OwnCertificate(
        certificate.public_bytes(serialization.Encoding.DER),
        private.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        _application_uri(certificate),
    )


def _private_key(content: bytes) -> rsa.RSAPrivateKey:
    is_pem = b"-----BEGIN" in content
    load = serialization.load_pem_private_key if is_pem else serialization.load_der_private_key
    try:
        key = load(content, None)
    except TypeError as error:
        raise ValueError("the private key is protected by a password; store it without") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("the private key is no RSA key")  # noqa: TRY004 - one error for all
    return key


def _application_uri(certificate: x509.Certificate) -> str:
    try:
        san = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = san.get_values_for_type(x509.UniformResourceIdentifier)
    except x509.ExtensionNotFound:
        uris = []
    if not uris:
        raise ValueError(
            "the own certificate has no URI in its subject alternative name; OPC UA servers "
            "compare it with the application URI"
        )
    return uris[0]


def _place(target: Path, content: bytes) -> None:
    """Make a private file appear with its whole content, unless another was first."""
    with NamedTemporaryFile(dir=target.parent, prefix=".new-", delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())  # a name without a key behind it would have to be deleted by hand
    try:
        os.link(file.name, target)
    except FileExistsError:
        pass
    finally:
        Path(file.name).unlink()
    sync_folder(target.parent)  # servers are told to trust this key


def _generate() -> bytes:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=_KEY_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "qulink gateway")])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_SINCE)
        .not_valid_after(max(now, _WRITTEN) + _VALID)
    )
    for extension, critical in _extensions(key.public_key()):
        builder = builder.add_extension(extension, critical)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ) + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _extensions(key: rsa.RSAPublicKey) -> list[tuple[x509.ExtensionType, bool]]:
    host = socket.gethostname()
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=False,
        key_cert_sign=True,  # self-signed: it is its own issuer (Part 6, 6.2.2)
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    uri = x509.UniformResourceIdentifier(f"urn:qulink:gateway:{uuid4()}")
    return [
        (x509.SubjectAlternativeName([uri, x509.DNSName(host)]), False),
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (usage, True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
        (x509.SubjectKeyIdentifier.from_public_key(key), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(key), False),
    ]


def load_certificate(content: bytes) -> x509.Certificate:
    """A certificate from PEM or DER.

    Raises:
        ValueError: the bytes are neither.
    """
    if b"-----BEGIN" in content:
        return x509.load_pem_x509_certificate(content)
    return x509.load_der_x509_certificate(content)


def pinned_certificate(file: Path) -> bytes:
    """The certificate in a file, DER.

    Raises:
        OSError: the file cannot be read; a folder cannot.
        ValueError: it holds none.
    """
    return load_certificate(file.read_bytes()).public_bytes(serialization.Encoding.DER)


def fingerprint(der: bytes) -> str:
    """SHA-256 of a certificate as people compare it: ``AB:CD:…``."""
    return x509.load_der_x509_certificate(der).fingerprint(hashes.SHA256()).hex(":").upper()


def require_trust(der: bytes, trust: Path, rejected: Path, endpoint: str) -> None:
    """Check that a server's certificate is trusted: by copy, or signed by a trusted CA.

    A copy in the trust list is accepted whatever its dates (the operator chose this very key);
    by way of a CA both must be within their dates. Revocation lists are not read.

    Args:
        der: the server's certificate.
        trust: file, or folder of files, with trusted certificates.
        rejected: folder that receives a copy of a certificate that is not trusted.
        endpoint: ``host:port`` for the message.

    Raises:
        RefusedError: not trusted; the message names the fingerprint and what to do.
    """
    server = x509.load_der_x509_certificate(der)
    if any(_vouches(known, server) for known in _trusted(trust)):
        return
    kept = _keep(server, rejected)
    raise RefusedError(
        f"server certificate of {endpoint} is not trusted: SHA-256 {fingerprint(der)}, "
        f"subject {server.subject.rfc4514_string()!r}; compare the fingerprint with the one the "
        f"server shows, then {_how_to_trust(kept, trust)}"
    )


def _keep(server: x509.Certificate, folder: Path) -> Path:
    """A copy of a rejected certificate; a server with ever new ones does not fill the disk."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{server.fingerprint(hashes.SHA256()).hex()[:16]}.der"
    kept.write_bytes(server.public_bytes(serialization.Encoding.DER))
    by_age = sorted(folder.glob("*.der"), key=lambda file: file.stat().st_mtime_ns)
    for file in by_age[:-_MOST_REJECTED]:
        file.unlink(missing_ok=True)
    return kept


def _how_to_trust(kept: Path, trust: Path) -> str:
    if trust.suffix:
        return f"copy {kept} to {trust}"
    return f"move {kept} into {trust}/"


def _trusted(trust: Path) -> list[x509.Certificate]:
    files = sorted(trust.iterdir()) if trust.is_dir() else [trust] * trust.exists()
    found: list[x509.Certificate] = []
    for file in files:
        if not file.is_file():
            continue
        try:
            found.append(load_certificate(file.read_bytes()))
        except ValueError as error:
            raise RefusedError(f"{file} in the trust list is no certificate: {error}") from error
    return found


def _vouches(known: x509.Certificate, server: x509.Certificate) -> bool:
    if known == server:
        return True
    now = datetime.now(UTC)
    if not all(c.not_valid_before_utc <= now <= c.not_valid_after_utc for c in (known, server)):
        return False
    try:
        basic = known.extensions.get_extension_for_class(x509.BasicConstraints).value
        server.verify_directly_issued_by(known)
    except (x509.ExtensionNotFound, ValueError, TypeError, InvalidSignature):
        return False
    return basic.ca


def first_certificate(chain: bytes) -> bytes:
    """The leading certificate of a chain in DER; servers may append their issuers.

    Raises:
        ValueError: the bytes do not begin with a certificate.
    """
    if len(chain) < 4 or chain[:2] != b"\x30\x82":  # noqa: PLR2004 - SEQUENCE, two length bytes
        raise ValueError("the server gave no certificate")
    return chain[: 4 + int.from_bytes(chain[2:4], "big")]
