"""A carrier of files: for gateways without a chip, and for whoever tries the way of a real one.

Its folder holds ``key.pem`` (its owner's alone), ``certificate.pem`` and ``carrier.json`` with
serial number and identifier. A file is copied sooner than a chip: who can read the folder is the
carrier.
"""

import json
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from gateway.durable import make_folder, replace_file
from gateway.identifier.carriers.carrier import CarrierError
from gateway.identifier.carriers.signing import PrivateKey, signed
from gateway.identifier.codes.handle import Handle, HandleError

MAX_SERIAL = 64
_KEY, _CERTIFICATE, _STATE = "key.pem", "certificate.pem", "carrier.json"
_RSA_BITS = 3072
_SINCE = datetime(2000, 1, 1, tzinfo=UTC)
_VALID = timedelta(days=50 * 365)
"""Valid from far in the past: clocks of machines may be years behind."""
_PUBLIC = 0o644


class Algorithm(StrEnum):
    """Of a carrier's key; SM2 is for chips that have it."""

    ECDSA = "ecdsa"  # P-256
    RSA = "rsa"


class SoftwareCarrier:
    """The carrier in a folder; a :class:`~gateway.identifier.carriers.carrier.CarrierProvider`."""

    def __init__(self, folder: Path) -> None:
        """Open it.

        Raises:
            CarrierError: there is none, or its files cannot be used.
        """
        self._state_file = folder / _STATE
        try:
            state = json.loads(self._state_file.read_text(encoding="utf-8"))
            self._serial, handle = str(state["serial"]), state.get("identifier")
            self._handle = Handle.parse(str(handle)) if handle else None
            self._key = _key_of((folder / _KEY).read_bytes())
            pem = (folder / _CERTIFICATE).read_bytes()
            self._certificate = x509.load_pem_x509_certificate(pem)
        except FileNotFoundError as error:
            raise CarrierError(
                f"{folder} holds no carrier ({error.filename} is missing); "
                "`qulink id carrier create` makes one"
            ) from error
        except _UNUSABLE as error:
            raise CarrierError(f"the carrier in {folder} cannot be used: {error}") from error
        if self._certificate.public_key() != self._key.public_key():
            raise CarrierError(f"key and certificate in {folder} belong to different carriers")

    @classmethod
    def create(
        cls, folder: Path, serial: str, algorithm: Algorithm = Algorithm.ECDSA
    ) -> "SoftwareCarrier":
        """Make a carrier with a new key and a certificate that the key itself has signed.

        Args:
            folder: where; made if it is missing.
            serial: its number; up to MAX_SERIAL printable characters.
            algorithm: of its key.

        Raises:
            CarrierError: there is one already, no such number, or the folder cannot be written.
        """
        if not (0 < len(serial) <= MAX_SERIAL and serial.isprintable() and serial.strip()):
            raise CarrierError(f"{serial!r} is no serial number: 1 to {MAX_SERIAL} characters")
        if (folder / _STATE).exists():
            raise CarrierError(f"{folder} holds a carrier already; its key is never replaced")
        key = _new_key(algorithm)
        try:
            make_folder(folder)
            replace_file(folder / _KEY, _pem(key))
            certificate = _certificate(key, serial).public_bytes(serialization.Encoding.PEM)
            replace_file(folder / _CERTIFICATE, certificate, _PUBLIC)
            # Last: without it there is no carrier yet, and making one may begin anew.
            _write_state(folder / _STATE, serial, None)
        except OSError as error:
            raise CarrierError(f"cannot write {folder}: {error.strerror or error}") from error
        return cls(folder)

    def read_serial(self) -> str:
        """Its number."""
        return self._serial

    def read_certificate(self) -> bytes:
        """Its certificate in DER."""
        return self._certificate.public_bytes(serialization.Encoding.DER)

    def read_identifier(self) -> Handle | None:
        """The identifier in it."""
        return self._handle

    def write_identifier(self, handle: Handle) -> None:
        """Write the identifier; lasting at return.

        Raises:
            CarrierError: it holds another one, or its folder cannot be written.
        """
        if self._handle is not None and not self._handle.same_as(handle):
            raise CarrierError(
                f"the carrier {self._serial} holds {self._handle}, which belongs to one machine "
                f"for ever; give the machine of {handle} a carrier of its own"
            )
        try:
            _write_state(self._state_file, self._serial, handle)
        except OSError as error:
            raise CarrierError(f"cannot write {self._state_file}: {error}") from error
        self._handle = handle

    def sign(self, data: bytes) -> bytes:
        """The signature of octets."""
        return signed(self._key, data)


_UNUSABLE = (OSError, ValueError, TypeError, KeyError, HandleError, UnsupportedAlgorithm)
"""What damaged files, or those of others, may raise."""


def _new_key(algorithm: Algorithm) -> PrivateKey:
    if algorithm is Algorithm.RSA:
        return rsa.generate_private_key(65_537, _RSA_BITS)
    return ec.generate_private_key(ec.SECP256R1())


def _key_of(pem: bytes) -> PrivateKey:
    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, PrivateKey):
        raise ValueError(f"{_KEY} is neither an ECDSA nor an RSA key")  # noqa: TRY004 - its content
    return key


def _pem(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _certificate(key: PrivateKey, serial: str) -> x509.Certificate:
    # The attribute that is called serial number takes no Chinese (X.520, PrintableString).
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, serial)])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_SINCE)
        .not_valid_after(_SINCE + _VALID)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def _write_state(file: Path, serial: str, handle: Handle | None) -> None:
    state = {"serial": serial, "identifier": None if handle is None else str(handle)}
    replace_file(file, json.dumps(state, ensure_ascii=False).encode(), _PUBLIC)
