"""Makes ``corpus.jsonl``: codes whose system is known because they were made for it.

``python -m tests.identifier.codes.corpus_maker``. Check digits are those of another library, forms
are written out here: nothing of the code under test takes part. Real codes from published
documents stand among them.
"""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from stdnum import ean
from stdnum.cn import uscc

CORPUS = Path(__file__).parent / "corpus.jsonl"
Row = tuple[str, str, bool, str, str]
"""Text, system or ``none``, whether it is valid, canonical form, what kind of example it is.

In place of the canonical form of a wrong code stands the check digit that is expected, if that is
its fault.
"""
_SAFE = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_WIDE = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
_PREFIXES = (
    *("88.709.911", "88.1021.150", "88.101.0042", "86.709.612", "88.168.88", "88.488.105"),
    *("88.608.8889", "88.111.1", "88.999.QZ01", "86.1000.11"),
)

_dice = random.Random(13)


def _some(count: int, letters: str = _SAFE) -> str:
    return "".join(_dice.choices(letters, k=count))


def _digits(count: int) -> str:
    return _some(count, "0123456789")


def _other(digit: str, letters: str = "0123456789") -> str:
    """Another one."""
    return _dice.choice([one for one in letters if one != digit])


def _handle() -> str:
    return f"{_dice.choice(_PREFIXES)}/{_some(3)}.{_digits(8)}.{_digits(6)}"


def _handles() -> Iterator[Row]:
    for prefix in _PREFIXES:
        for suffix in ("EQ001", "870101.SG-5.20261101.0001", "设备/1#", "a%20b"):
            yield f"{prefix}/{suffix}", "handle", True, f"{prefix}/{suffix}", "national"
    for text in ("10.1000/182", "10.1109/5.771073", "20.500.12613/1", "21.11101/x-y", "0.NA/88.1"):
        yield text, "handle", True, text, "other prefix"
    wrappings: tuple[Callable[[str], str], ...] = (
        lambda one: one.translate(_WIDE),
        lambda one: f"  {one}\r\n",
        lambda one: f"\ufeff{one}\u200b",
        lambda one: f"“{one}”",
        lambda one: f"hdl:{one}",
        lambda one: f"HTTPS://HDL.HANDLE.NET/{one}",
        lambda one: f"https://doi.org/{quote(one)}",
        lambda one: f"http://node.example.cn/resolve?id={quote(one, safe='')}",
        lambda one: f"https://a.example/m/{one}",
        lambda one: f"]Q1{one}",
    )
    for wrap in wrappings:
        for _ in range(6):
            yield wrap(one := _handle()), "handle", True, one, "noisy"
    for prefix in _PREFIXES:
        yield prefix, "handle", False, "", "prefix alone"
        yield f"{prefix}/", "handle", False, "", "no suffix"
        yield f"88.{_digits(5)}.1/{_some(4)}", "handle", False, "", "industry too long"


def _oids() -> Iterator[Row]:
    for _ in range(20):
        oid = f"{_dice.choice(('1.2.156', '2.16.156'))}.{_dice.randint(1, 200000)}.{_digits(1)}"
        yield oid, "oid", True, oid, "China"
        yield f"urn:oid:{oid}", "oid", True, oid, "urn"
        other = f"1.3.6.1.4.1.{_dice.randint(1, 60000)}.{_dice.randint(0, 99)}"
        yield other, "oid", True, other, "private enterprise"
    yield "1.2.156.3001.0501.1001.01", "oid", True, "1.2.156.3001.501.1001.1", "zeros"
    for _ in range(10):
        first, rest = _dice.randint(40, 99), f"156.{_dice.randint(1, 999)}.1.5"
        yield f"1.{first}.{rest}", "oid", False, "", "second arc"
        yield f"urn:oid:{_dice.randint(3, 9)}.1.{rest}", "oid", False, "", "first arc"


def _gtin(count: int) -> str:
    body = "69" + _digits(count - 3)
    return body + ean.calc_check_digit(body)


def _link(gtin: str, rest: str = "") -> str:
    return f"https://id.gs1.org/01/{gtin.zfill(14)}{rest}"


def _trade_items() -> Iterator[Row]:
    for count in (8, 12, 13, 14):
        for _ in range(14):
            yield (one := _gtin(count)), "gs1", True, _link(one), f"GTIN-{count}"
        for _ in range(7):
            one = _gtin(count)
            yield one[:-1] + _other(one[-1]), "gs1", False, one[-1], "wrong check digit"
    for _ in range(10):
        one = _gtin(13)
        yield f"{one[0]} {one[1:7]} {one[7:]}", "gs1", True, _link(one), "printed"
        yield f"]E0{one}\r", "gs1", True, _link(one), "scanned"


def _elements() -> Iterator[Row]:
    for _ in range(12):
        one, serial = _gtin(14), _some(7)
        canonical = _link(one, f"/21/{serial}")
        yield f"(01){one}(21){serial}", "gs1", True, canonical, "bracketed"
        yield f"]d201{one}21{serial}", "gs1", True, canonical, "data matrix"
        yield f"01{one}10L1\x1d21{serial}", "gs1", True, _link(one, f"/10/L1/21/{serial}"), "FNC1"
        yield f"https://q.example.cn/p/01/{one}/21/{serial}", "gs1", True, canonical, "Digital Link"
        wrong = one[:-1] + _other(one[-1])
        yield f"https://q.example.cn/01/{wrong}/21/{serial}", "gs1", False, one[-1], "wrong link"
        asset = f"6901234{_some(6)}"
        link = f"https://id.gs1.org/8004/{asset}"
        yield f"(8004){asset}", "gs1", True, link, "GIAI"
        yield f"urn:epc:id:giai:6901234.{asset[7:]}", "gs1", True, link, "EPC"
        body = "3690" + _digits(13)
        sscc = body + ean.calc_check_digit(body)
        yield f"(00){sscc}", "gs1", True, f"https://id.gs1.org/00/{sscc}", "SSCC"


def _ecodes() -> Iterator[Row]:
    for _ in range(12):
        one, nsi = _gtin(13), f"{_dice.randint(1, 999):04d}"
        yield f"0|{nsi}|{one}", "ecode", True, f"0{nsi}{one}", "with bars"
        yield f"0{nsi}{one}", "ecode", True, f"0{nsi}{one}", "holds a GTIN"
        yield f"1|{nsi}|{(own := _digits(16))}", "ecode", True, f"1{nsi}{own}", "with bars"
        yield f"1{nsi}{own}", "ecode", True, f"1{nsi}{own}", "digits only"
        yield f"3|{nsi}|{own}", "ecode", False, "", "numbering system too short"


def _others() -> Iterator[Row]:
    for _ in range(12):
        vaa = f"VAA088{_digits(11)}/{_some(8)}"
        yield vaa, "vaa", True, vaa, "VAA"
        yield vaa.translate(_WIDE), "vaa", True, vaa, "wide"
        yield vaa.replace("/", _digits(1) + "/"), "vaa", False, "", "nine digits"
        did = f"did:bid:ef{_some(22, _BASE58)}"
        yield did, "did", True, did, "BID"
        yield f"did:web:{(host := _some(6).lower())}.cn", "did", True, f"did:web:{host}.cn", "DID"
        yield f"did:bid:x{_some(23, _BASE58)}", "did", False, "", "no kind of key"
    for _ in range(20):
        first = f"91{_dice.randint(110000, 659999)}MA{_some(7, '0123456789')}"
        code = first + uscc.calc_check_digit(first)
        yield code, "uscc", True, code, "USCC"
        yield f" {code.lower()}\n", "uscc", True, code, "small letters"
        wrong = _other(code[-1], "0123456789ABCDEFGHJKLMNPQRTUWXY")
        yield code[:-1] + wrong, "uscc", False, code[-1], "wrong check character"


def _no_codes() -> Iterator[Row]:
    for text in (
        *(
            "1#注塑机",
            "CNC-07",
            "磨床3",
            "hello",
            "2026-11-27",
            "192.168.1.10",
            "v1.2",
            "-5.3",
            "∞",
        ),
        *("a/b/c", "3/4", "Q235B", "M8x20", "+86 570 1234567", "13857012345", "SN:20260101"),
        *("", "   ", "https://example.com/", "http://[::1", "(not a code)", "]", "tel:110"),
        *("3.14", "12:30:00", "#REF!", "0", "007", "ABCDEFGHJKLMNPQRTU", "1.2.3", "2.0"),
    ):
        yield text, "none", False, "", "no code"


def rows() -> list[Row]:
    """The corpus."""
    _dice.seed(13)
    made = (_handles(), _oids(), _trade_items(), _elements(), _ecodes(), _others(), _no_codes())
    return list(dict.fromkeys(row for part in made for row in part))


if __name__ == "__main__":
    lines = [json.dumps(row, ensure_ascii=False) for row in rows()]
    CORPUS.write_text("\n".join(lines) + "\n", encoding="utf-8")
