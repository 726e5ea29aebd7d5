"""GS1 codes of ours, judged by digital-link.js 1.4.3 and by biip."""

import json
import random
import string
import subprocess
from typing import Any
from urllib.parse import unquote

import pytest
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_messages import GS1Message

from gateway.identifier.codes.code import CodeError
from gateway.identifier.codes.gs1 import Gs1, check_digit
from tests.support.peers import foreign_script, missing, node

PLAIN = string.ascii_letters + string.digits + "-._"
SPECIAL = "!%&'()*+,/:;<=>?"
ROUNDS = 15
DISAGREED = {"8004": "no GIAI at all is valid to digital-link.js, whatever stands in it"}
"""Kinds of codes that it reads as we do and yet calls invalid, and why that is its mistake."""


def keyed(dice: random.Random, digits: int, behind: str = "") -> str:
    """Digits with their check digit, and what follows them."""
    some = "".join(dice.choice(string.digits) for _ in range(digits - 1))
    return some + check_digit(some) + behind


def texts(dice: random.Random, most: int, letters: str = PLAIN) -> str:
    return "".join(dice.choice(letters) for _ in range(dice.randint(1, most)))


def made(dice: random.Random, letters: str = PLAIN) -> list[Gs1]:
    """A valid code of each kind."""
    item = ("01", keyed(dice, 14))
    lot, serial = ("10", texts(dice, 20, letters)), ("21", texts(dice, 20, letters))
    return [
        Gs1.of([item]),
        Gs1.of([("17", "261231"), serial, item, ("22", texts(dice, 20, letters)), lot]),
        Gs1.of([item, ("3103", "001250"), lot]),
        Gs1.of([("8003", "0" + keyed(dice, 13, texts(dice, 16, letters)))]),
        Gs1.of([("8004", keyed(dice, 13) + texts(dice, 17, letters))]),
        Gs1.of([("414", keyed(dice, 13)), ("254", texts(dice, 20, letters))]),
        Gs1.of([("00", keyed(dice, 18))]),
        Gs1.of([("253", keyed(dice, 13, texts(dice, 17, letters)))]),
        Gs1.of([("402", keyed(dice, 17))]),
        Gs1.of([("8018", keyed(dice, 18)), ("8019", "12")]),
    ]


def judged(uris: list[str]) -> list[dict[str, Any]]:
    """What digital-link.js makes of URIs."""
    script = foreign_script("digital_link.js")
    if not (script.parent / "node_modules" / "digital-link.js").exists():
        missing("digital-link.js", "make foreign-peers")
    done = subprocess.run(
        [node(), str(script)],
        input=json.dumps(uris),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


@pytest.mark.parametrize("letters", [PLAIN, PLAIN + SPECIAL], ids=["plain", "escaped"])
def test_digital_links_are_read_alike(letters: str) -> None:
    dice = random.Random(13)
    codes = [code for _ in range(ROUNDS) for code in made(dice, letters)]
    for code, theirs in zip(codes, judged([code.link() for code in codes]), strict=True):
        assert theirs["valid"] is (code.key[0] not in DISAGREED), (code, theirs)
        told = [*theirs["elements"], *sorted(theirs["attributes"].items())]
        assert tuple((ai, unquote(value)) for ai, value in told) == code.elements
        assert Gs1.from_link(theirs["uri"]) == code


def test_a_quotation_mark_is_escaped_since_no_uri_may_have_it() -> None:
    """digital-link.js wants it as it is, by GS1's grammar; RFC 3986 has no place for it."""
    code = Gs1.of([("01", "09521234543213"), ("21", 'a"b')])
    (theirs,) = judged([code.link()])
    assert code.link().endswith("/21/a%22b")
    assert not theirs["valid"]
    assert Gs1.from_link(code.link()) == code == Gs1.from_link(code.link().replace("%22", '"'))


def test_what_we_refuse_they_refuse() -> None:
    dice = random.Random(14)
    links = [code.link() for _ in range(ROUNDS) for code in made(dice)[:1]]
    wrong = [link[:-1] + str((int(link[-1]) + 1) % 10) for link in links]
    wrong += [link.replace("/01/", "/02/") for link in links]
    wrong += [link + "/21/" + "9" * 21 for link in links]
    wrong += [link + "/21/1/10/2" for link in links]  # qualifiers in another order
    for uri, theirs in zip(wrong, judged(wrong), strict=True):
        assert not theirs["valid"], uri
        with pytest.raises(CodeError):
            Gs1.from_link(uri)


def test_biip_has_the_same_canonical_form() -> None:
    dice = random.Random(15)
    for code in (code for _ in range(ROUNDS) for code in made(dice, PLAIN + SPECIAL + '"')):
        assert GS1DigitalLinkURI.parse(code.link()).as_canonical_uri() == code.link()
        message = GS1Message.parse(code.element_string)
        found = tuple((one.ai.ai, one.value) for one in message.element_strings)
        assert found == code.elements
        assert Gs1.from_elements(code.element_string) == code
