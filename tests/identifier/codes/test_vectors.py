"""Published examples of each system's codes."""

import pytest

from gateway.identifier.codes.code import CodeError
from gateway.identifier.codes.credit import Uscc
from gateway.identifier.codes.did import Did
from gateway.identifier.codes.ecode import Ecode
from gateway.identifier.codes.epc import from_epc
from gateway.identifier.codes.gs1 import Gs1, check_digit
from gateway.identifier.codes.handle import Handle
from gateway.identifier.codes.oid import Oid
from gateway.identifier.codes.vaa import Vaa


@pytest.mark.parametrize(
    ("text", "octets"),
    [("1.2.156.3001.501", "2a811c97398375"), ("2.16.156", "60811c"), ("2.999.3", "883703")],
)
def test_octets_of_oids(text: str, octets: str) -> None:
    """The last one is the example of X.690, 8.19.5."""
    assert Oid.parse(text).ber().hex() == octets
    assert str(Oid.from_ber(bytes.fromhex(octets))) == text


def test_an_oid_has_a_name_in_the_domain_name_system() -> None:
    oid = Oid.parse("urn:oid:2.16.156.101818.102.1")
    assert oid.ors_name() == "1.102.101818.156.16.2.oid-res.org"
    assert oid.urn == "urn:oid:2.16.156.101818.102.1"


def test_zeros_before_an_arc_go_and_are_told() -> None:
    oid = Oid.parse("1.2.156.3001.0501.1001.01")
    assert (str(oid), oid.canonicalised, oid.chinese) == ("1.2.156.3001.501.1001.1", True, True)
    assert oid == Oid.parse("1.2.156.3001.501.1001.1")


@pytest.mark.parametrize("text", ["", "1", "1.40.1", "3.1", "1..2", "1.2.", "１.２.３", "1." * 200])
def test_what_is_no_oid(text: str) -> None:
    with pytest.raises(CodeError):
        Oid.parse(text)


@pytest.mark.parametrize("octets", ["", "2a81", "2a8001", "81" * 300])
def test_octets_that_are_no_oid(octets: str) -> None:
    with pytest.raises(CodeError):
        Oid.from_ber(bytes.fromhex(octets))


@pytest.mark.parametrize(
    ("digits", "check"), [("952123454321", "3"), ("690123456789", "2"), ("0061414132260", "2")]
)
def test_check_digits_of_gs1(digits: str, check: str) -> None:
    assert check_digit(digits) == check


def test_a_digital_link_is_read_and_written() -> None:
    uri = "https://id.gs1.org/01/09521234543213/10/ABC123/21/12345?17=261231"
    code = Gs1.from_link(uri.replace("id.gs1.org", "qr.example.cn/some/path"))
    assert code.key == ("01", "09521234543213")
    assert code.bracketed == "(01)09521234543213(10)ABC123(21)12345(17)261231"
    assert code.element_string == "010952123454321310ABC123\x1d2112345\x1d17261231"
    assert str(code) == uri


def test_what_is_reserved_in_a_uri_is_quoted() -> None:
    code = Gs1.from_elements("(8004)6901234A/B?1")
    assert str(code) == "https://id.gs1.org/8004/6901234A%2FB%3F1"
    assert Gs1.from_link(str(code)) == code


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(01)09521234543214", "3"),
        ("(414)9521234543214", "3"),
        ("(8003)09521234543214AB", "3"),
        ("(00)106141412345678909", "8"),
        ("(253)9521234543214X", "3"),
    ],
)
def test_check_digits_of_all_keys_are_held(text: str, expected: str) -> None:
    with pytest.raises(CodeError, match="check digit") as caught:
        Gs1.from_elements(text)
    assert caught.value.expected == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("(10)ABC", "one key"),
        ("(01)09521234543213(00)106141412345678908", "one key"),
        ("(01)09521234543213(21)A(21)B", "no element twice"),
        ("(01)09521234543213(21)A(B)C", "no brackets within"),
        ("(01)0952123454321", "pattern"),
        ("(9)1", "no brackets within"),
        ("99", "pattern"),
    ],
)
def test_element_strings_that_are_none(text: str, reason: str) -> None:
    with pytest.raises(CodeError, match=reason):
        Gs1.from_elements(text)


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("urn:epc:id:sgtin:0614141.812345.6789", "(01)80614141123458(21)6789"),
        ("urn:epc:id:sscc:0614141.1234567890", "(00)106141412345678908"),
        ("urn:epc:id:sgln:0614141.12345.400", "(414)0614141123452(254)400"),
        ("urn:epc:id:sgln:0614141.12345.0", "(414)0614141123452"),
        ("urn:epc:id:grai:0614141.12345.400", "(8003)00614141123452400"),
        ("urn:epc:id:giai:0614141.12345%2F400", "(8004)061414112345/400"),
    ],
)
def test_epc_uris(uri: str, code: str) -> None:
    """Examples of the EPC Tag Data Standard, 6.3 and 7."""
    assert from_epc(uri).bracketed == code


@pytest.mark.parametrize("rest", ["sgtin:0614141.812345", "sgtin:061.81.1", "gid:1.2.3", "giai:1"])
def test_what_is_no_epc(rest: str) -> None:
    with pytest.raises(CodeError):
        from_epc(f"urn:epc:id:{rest}")


def test_an_ecode_has_two_forms() -> None:
    code = Ecode.parse("0|0001|6901234567892")
    assert str(code) == "000016901234567892"
    assert Ecode.parse(str(code)) == code
    assert Ecode.parse("300017ABC").nsi == "00017"
    assert "at most 20" in Ecode.parse(f"1|0001|{'1' * 21}").doubt


@pytest.mark.parametrize("text", ["", "5|0001|1", "0|001|1", "3|0001|1", "00001", "0|0001|"])
def test_what_is_no_ecode(text: str) -> None:
    with pytest.raises(CodeError):
        Ecode.parse(text)


def test_a_vaa_code_and_its_handle() -> None:
    code = Vaa.parse("vaa08810012345678/abc123")
    assert str(code) == "VAA08810012345678/abc123"
    assert code.handle() == Handle("88.100.12345678", "abc123")
    assert Vaa.from_handle(code.handle()) == code
    with pytest.raises(CodeError):
        Vaa.from_handle(Handle("88.100.1", "x"))


def test_bids() -> None:
    bid = Did.parse("did:bid:efnVUgqQFfYeu97ABf6sGm3WFtVXHZB2")
    assert (str(bid), bid.key_kind) == ("did:bid:efnVUgqQFfYeu97ABf6sGm3WFtVXHZB2", "Ed25519")
    assert Did.parse("DID:bid:ab12:").specific == "ab12"
    assert Did.parse("did:bid:ab12:zfnVUgqQFfYeu97ABf6sGm3WFtVXHZB2").key_kind == "SM2"


def test_a_did_url_names_its_did() -> None:
    assert str(Did.parse("did:web:example.cn:m?x=1#key-1")) == "did:web:example.cn:m"


@pytest.mark.parametrize("text", ["did:", "did:WEB:x", "did:bid:", "did:bid:xf1", "did:web:a b"])
def test_what_is_no_did(text: str) -> None:
    with pytest.raises(CodeError):
        Did.parse(text)


def test_a_wrong_check_character_is_told() -> None:
    assert str(Uscc.parse("91350100m000100y43")) == "91350100M000100Y43"
    with pytest.raises(CodeError) as caught:
        Uscc.parse("91350100M000100Y44")
    assert caught.value.expected == "3"
