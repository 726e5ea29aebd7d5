"""Reports of carriers: an identifier, data, and a signature over both. Pure.

A report is the identifier in UTF-8, a line feed, and the data, so that nobody can put the data of
one machine under the identifier of another. ECDSA signatures are DER (RFC 3279), RSA ones PSS
(RFC 8017), both over SHA-256.
"""

from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from gateway.identifier.carriers.carrier import CarrierError, CarrierProvider
from gateway.identifier.codes.handle import Handle, HandleError

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_BREAK = b"\n"
_HASH = hashes.SHA256()
_PSS = padding.PSS(padding.MGF1(_HASH), padding.PSS.DIGEST_LENGTH)


@dataclass(frozen=True, slots=True)
class Report:
    """What a machine says, under its identifier.

    Raises:
        CarrierError: the identifier holds a line feed: where it ends could not be told.
    """

    handle: Handle
    data: bytes

    def __post_init__(self) -> None:
        if _BREAK.decode() in str(self.handle):
            raise CarrierError(f"{self.handle!s} holds a line feed, so no report can bear it")

    @property
    def octets(self) -> bytes:
        """What is signed and sent."""
        return str(self.handle).encode() + _BREAK + self.data

    @classmethod
    def of_octets(cls, octets: bytes) -> "Report":
        """Read a report; whether it is true is for :func:`verified` to say.

        Raises:
            CarrierError: it begins with no identifier.
        """
        first, line_break, data = octets.partition(_BREAK)
        if not line_break:
            raise CarrierError("this is no report of a carrier: it has no line of its identifier")
        try:
            return cls(Handle.parse(first.decode()), data)
        except (HandleError, UnicodeDecodeError) as error:
            raise CarrierError(f"this is no report of a carrier: {error}") from error


def report_of(carrier: CarrierProvider, data: bytes) -> tuple[Report, bytes]:
    """A report under the carrier's identifier, and its signature.

    Raises:
        CarrierError: no identifier was written into it yet, or it does not sign.
    """
    handle = carrier.read_identifier()
    if handle is None:
        raise CarrierError(
            f"the carrier {carrier.read_serial()} holds no identifier yet; write the confirmed one "
            "of its machine into it first"
        )
    report = Report(handle, data)
    return report, carrier.sign(report.octets)


def signed(key: PrivateKey, data: bytes) -> bytes:
    """The signature of octets."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, _PSS, _HASH)
    return key.sign(data, ec.ECDSA(_HASH))


def verified(octets: bytes, signature: bytes, certificate: x509.Certificate) -> Report:
    """The report in octets, after its signature was found to be the carrier's.

    Args:
        octets: as they came.
        signature: of them.
        certificate: of the carrier, as it was handed over with it: it vouches for itself only.

    Raises:
        CarrierError: the signature is not of this carrier over these octets, or it is no report.
    """
    key = certificate.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, octets, _PSS, _HASH)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, octets, ec.ECDSA(_HASH))
        else:
            raise CarrierError("the certificate is neither of ECDSA nor of RSA")
    except InvalidSignature:
        raise CarrierError(
            "the signature is not this carrier's over these octets: report, signature and "
            "certificate do not belong together, or the report was changed"
        ) from None
    return Report.of_octets(octets)
