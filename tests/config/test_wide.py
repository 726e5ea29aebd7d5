"""Wide characters mean narrow ones; small digits mean no digits."""

import pytest

from edge_config.models.wide import narrow
from gateway.city.ledger.sheet.values import plain
from gateway.drivers.modbus.notations.text import parse


def test_wide_forms_and_no_others_become_narrow() -> None:
    assert narrow("ｈｏｌｄｉｎｇ：１０　Ａ－１") == "holding:10 A-1"
    assert narrow("10² m³ ①号") == "10² m³ ①号"
    assert (plain("　３４５１\u200b"), plain("10²")) == ("3451", "10²")


def test_a_small_digit_is_no_part_of_an_address() -> None:
    assert parse("holding：１０") == {"table": "holding", "address": 10}
    with pytest.raises(ValueError, match="10²"):
        parse("holding:10²")
