"""EPC pure identity URIs as GS1 codes (GS1 EPC Tag Data Standard 2.0, 6.3). Pure.

Such a URI says where the company's prefix ends, which a GS1 code does not: this way only.
"""

import re
from collections.abc import Callable
from urllib.parse import unquote

from gateway.identifier.codes.code import CodeError
from gateway.identifier.codes.gs1 import Gs1, check_digit

_FORM = re.compile(r"urn:epc:id:(?P<scheme>[a-z]+):(?P<rest>\S+)", re.ASCII | re.IGNORECASE)
_COMPANY = re.compile(r"\d{6,12}", re.ASCII)
_GTIN_DIGITS, _KEY_DIGITS, _SSCC_DIGITS = 13, 12, 17


def from_epc(uri: str) -> Gs1:
    """The GS1 code of an EPC of the schemes sgtin, sscc, sgln, grai, giai.

    Raises:
        CodeError: another scheme, or parts of a wrong width or with characters that GS1 has not.
    """
    match = _FORM.fullmatch(uri)
    scheme = _SCHEMES.get(match["scheme"].lower()) if match else None
    if match is None or scheme is None:
        raise CodeError(f"{uri!r} is no urn:epc:id: of {', '.join(_SCHEMES)}")
    count, made = scheme
    parts = match["rest"].split(".", count - 1)
    if len(parts) != count or _COMPANY.fullmatch(parts[0]) is None:
        raise CodeError(
            f"{uri!r}: {count} parts with dots between them, a company's 6 to 12 digits"
        )
    return Gs1.of_values(made(*parts))


def _digits(text: str, width: int) -> str:
    if len(text) != width or not (text.isascii() and text.isdigit()):
        raise CodeError(f"{text!r}: company and reference have {width} digits together")
    return text


def _with_check(text: str, width: int) -> str:
    return text + check_digit(_digits(text, width))


def _sgtin(company: str, item: str, serial: str) -> tuple[tuple[str, str], ...]:
    gtin = _with_check(f"{item[:1]}{company}{item[1:]}", _GTIN_DIGITS)
    return ("01", gtin), ("21", unquote(serial))


def _sscc(company: str, serial: str) -> tuple[tuple[str, str], ...]:
    return (("00", _with_check(f"{serial[:1]}{company}{serial[1:]}", _SSCC_DIGITS)),)


def _sgln(company: str, place: str, extension: str) -> tuple[tuple[str, str], ...]:
    gln = ("414", _with_check(company + place, _KEY_DIGITS))
    return (gln,) if extension == "0" else (gln, ("254", unquote(extension)))


def _grai(company: str, kind: str, serial: str) -> tuple[tuple[str, str], ...]:
    return (("8003", f"0{_with_check(company + kind, _KEY_DIGITS)}{unquote(serial)}"),)


def _giai(company: str, asset: str) -> tuple[tuple[str, str], ...]:
    return (("8004", company + unquote(asset)),)


_SCHEMES: dict[str, tuple[int, Callable[..., tuple[tuple[str, str], ...]]]] = {
    "sgtin": (3, _sgtin),
    "sscc": (2, _sscc),
    "sgln": (3, _sgln),
    "grai": (3, _grai),
    "giai": (2, _giai),
}
