"""What is formatted is parsed as what it was; nothing that comes in breaks a parser."""

import string

from hypothesis import assume, example, given
from hypothesis import strategies as st

from gateway.identifier.codes.classify import classify
from gateway.identifier.codes.code import Code, CodeError
from gateway.identifier.codes.did import Did
from gateway.identifier.codes.ecode import Ecode
from gateway.identifier.codes.gs1 import Gs1, check_digit
from gateway.identifier.codes.handle import Handle, HandleError
from gateway.identifier.codes.noise import clean
from gateway.identifier.codes.oid import Oid
from gateway.identifier.codes.vaa import Vaa

digits = st.text("0123456789", min_size=1, max_size=12)
names = st.text(string.ascii_letters + string.digits, min_size=1, max_size=20)
handles = st.builds(
    lambda industry, enterprise, suffix: Handle(f"88.{industry}.{enterprise}", suffix),
    st.integers(1, 9999),
    names,
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=60)
    .map(str.strip)
    .filter(bool),
)
gtins = st.text("0123456789", min_size=13, max_size=13).map(lambda body: body + check_digit(body))
X_SET = string.ascii_letters + string.digits + "-._\"!%&+,/*':;<>=?"


@given(handles)
def test_handles(handle: Handle) -> None:
    assert Handle.parse(str(handle)) == handle


@given(st.lists(st.integers(0, 2**70), max_size=8), st.sampled_from(((1, 2), (2, 999), (0, 39))))
def test_oids(arcs: list[int], root: tuple[int, int]) -> None:
    oid = Oid((*root, *arcs))
    assume(len(str(oid)) <= 255)
    assert Oid.parse(str(oid)) == Oid.parse(oid.urn) == Oid.from_ber(oid.ber()) == oid
    assert not Oid.parse(str(oid)).canonicalised


@given(gtins, st.text(X_SET, min_size=1, max_size=20), st.text(X_SET, min_size=1, max_size=20))
def test_gs1_in_all_its_forms(gtin: str, lot: str, serial: str) -> None:
    code = Gs1.of((("21", serial), ("01", gtin), ("10", lot)))
    forms = (
        Gs1.from_link(str(code)),
        Gs1.from_link(code.link("https://qr.example.cn/a/b")),
        Gs1.from_elements(code.bracketed),
        Gs1.from_elements(code.element_string),
    )
    assert all(form == code for form in forms)


@given(gtins, st.integers(0, 13), st.sampled_from("0123456789"))
def test_one_wrong_digit_is_always_found(gtin: str, place: int, digit: str) -> None:
    assume(gtin[place] != digit)
    (first, *_) = classify(f"(01){gtin[:place]}{digit}{gtin[place + 1 :]}")
    assert not first.is_valid
    assert first.expected


@given(st.integers(0, 4), st.text(min_size=1, max_size=40))
def test_ecodes(version: int, data: str) -> None:
    code = Ecode(version, "0012" if version < 3 else "00123", data)
    assume("\n" not in data)
    assert Ecode.parse(code.piped) == code == Ecode.parse(str(code))


@given(st.builds(Vaa, *(st.text("0123456789", min_size=n, max_size=n) for n in (3, 3, 8)), names))
def test_vaa_codes(code: Vaa) -> None:
    assert Vaa.parse(str(code)) == code


@given(names.map(str.lower), st.lists(names, min_size=1, max_size=4))
def test_dids(method: str, parts: list[str]) -> None:
    assume(method != "bid")
    did = Did(method, ":".join(parts))
    assert Did.parse(f"{did}/path?query#fragment") == did


@given(st.text(max_size=80))
def test_cleaning_is_done_once(text: str) -> None:
    once = clean(text).text
    assume(not once.startswith("]"))
    assert clean(once).text == once


@given(handles, st.sampled_from(["{}\r\n", " {}", "\ufeff{}", "“{}”", "hdl:{}", "]Q1{}"]))
def test_noise_does_not_change_a_code(handle: Handle, noise: str) -> None:
    assume(clean(str(handle)).text == str(handle))
    (first, *_) = classify(noise.format(handle))
    assert first.code == handle


@given(
    st.one_of(
        st.text(max_size=60),
        st.text("0123456789./|()[]:-%]CQde \x1d", max_size=60),
        st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")),
    )
)
@example("https://[::1/01/1")
@example("did:bid:")
@example("(01)")
@example("http://a/01/%zz?" + "a=1&" * 40)
def test_whatever_comes_in_gets_an_answer(text: str) -> None:
    for one in classify(text):
        assert one.reason
        assert 0 < one.score <= 1
        if one.code is not None:
            assert str(one.code)


@given(st.text(max_size=60))
def test_parsers_refuse_in_their_own_words(text: str) -> None:
    parsers = (Handle.parse, Oid.parse, Ecode.parse, Vaa.parse, Did.parse, Gs1.from_elements)
    for parse in (*parsers, Gs1.from_link):
        try:
            code: Code = parse(text)
        except (CodeError, HandleError):
            continue
        assert str(code)
