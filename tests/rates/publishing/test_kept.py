"""What is published outlives a process as it was shown, and never beyond its time."""

import msgspec
import pytest

from gateway.city.rates.publishing.kept import kept, recalled
from gateway.city.rates.publishing.publish import MonthTable, Public, publish
from gateway.city.rates.publishing.record import rules_of_publication
from gateway.city.rates.publishing.stored import Publication
from gateway.city.rates.publishing.withholding import withhold
from tests.rates.publishing.cities import city

CITY = city(1)
ORIGIN = ("code", "rules", "(3, 7, 1)")
KEY = ("ENR-A", "2026-09")


def _public() -> Publication:
    held = withhold([CITY], rules_of_publication())
    table = publish(MonthTable(*KEY, "F", 2, CITY, "0" * 64), Public(held))
    return Publication({KEY: table}, frozenset({("ENR-B", "2026-09")}), {KEY: 5})


def test_it_comes_back_to_the_last_digit() -> None:
    public = _public()
    assert recalled(msgspec.json.encode(kept(public, ORIGIN)), ORIGIN) == public
    cells = public.tables[KEY].cells.values()
    assert any(one.withheld for one in cells) and not all(one.withheld for one in cells)


def test_the_file_holds_no_figure_that_is_withheld() -> None:
    told = msgspec.json.decode(msgspec.json.encode(kept(_public(), ORIGIN)))
    hidden = [one for one in told["tables"][0]["cells"] if one[5] == "N"]
    assert hidden and all(one[2:4] == [None, None] for one in hidden)
    assert not [one.uscc for one in CITY if one.uscc in str(told)]


@pytest.mark.parametrize("at", range(len(ORIGIN)))
def test_what_another_program_rules_or_results_made_is_not_taken_up(at: int) -> None:
    other = tuple("other" if at == number else one for number, one in enumerate(ORIGIN))
    assert recalled(msgspec.json.encode(kept(_public(), ORIGIN)), other) is None


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"origin": []}', b"\xff"])
def test_a_damaged_file_is_worked_out_anew(body: bytes) -> None:
    assert recalled(body, ORIGIN) is None
    whole = msgspec.json.encode(kept(_public(), ORIGIN))
    assert recalled(whole[:-9], ORIGIN) is None
    assert recalled(whole.replace(b'"66', b'"x6').replace(b"/", b"?"), ORIGIN) is None
