"""How values of meters are named and written, and what is said of mistakes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_config.models.validation import validated
from gateway.core.schema import Kind
from gateway.drivers.api import Point
from gateway.drivers.dlt645 import SPEC
from gateway.drivers.dlt645.address import Address
from gateway.drivers.dlt645.formats import Decimal
from gateway.drivers.dlt645.items import _KNOWN, _TITLES, known, named
from gateway.drivers.dlt645.plan import SHORT, Read, layout
from simulators.servers.dlt645 import number

ITEMS = st.sampled_from(sorted(_TITLES)) | st.sampled_from(["0201FF00", "0001FF00", "0202FF00"])


def address(written: Any) -> Address:
    return validated(Address, written)


@pytest.mark.parametrize(
    ("written", "item", "kind"),
    [
        ("02010100", "02010100", Kind.FLOAT64),
        ("A相电压", "02010100", Kind.FLOAT64),
        ("voltage of phase A", "02010100", Kind.FLOAT64),
        ("Voltage  of phase a", "02010100", Kind.FLOAT64),
        ("０２０１０１００", "02010100", Kind.FLOAT64),
        ("正向有功总电能", "00010000", Kind.FLOAT64),
        ({"item": "0001ff00", "place": 3}, "0001FF00", Kind.FLOAT64),
        ("0201FF00[2]", "0201FF00", Kind.FLOAT64),
        ("04000501", "04000501", Kind.UINT64),
        ("04000501.3", "04000501", Kind.BOOL),
        ("0280000A", "0280000A", Kind.INT64),
        ("表号", "04000402", Kind.STRING),
        ("日期", "04000101", Kind.STRING),
        ("0F000001:XX.XX", "0F000001", Kind.FLOAT64),
        ("0F000001：-XXX.X", "0F000001", Kind.FLOAT64),
        ("0F000002:ascii[12]", "0F000002", Kind.STRING),
    ],
)
def test_an_address_is_understood(written: Any, item: str, kind: Kind) -> None:
    found = address(written)
    assert (found.item, SPEC.kind(found)) == (item, kind)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("9010", "DL/T 645-1997, which this driver does not speak"),
        ("A相压力", "no data identifier nor a name"),
        ("0F000001", "say how it is written, as in '0F000001:XXX.X'"),
        ("02010100:XXX", "3 digits"),
        ("02010100:XX.XX.X", "no format such as"),
        ("02010100[2]", "is no block"),
        ("02010100.3", "'bit' is for format word"),
        ("0201FF00[0]", "greater than or equal to 1"),
        ("04000501.16", "less than 16"),
        ({"item": 2010100}, "write it in quotes"),
        (7, "must be a mapping or text"),
        ("[2]", "no address of a meter"),
    ],
)
def test_mistakes_are_named(written: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("[", r"\[")):
        address(written)


@given(
    ITEMS,
    st.integers(1, 64),
    st.none() | st.sampled_from(["XXX.X", "-XX.XXXX", "NNNN", "ascii[3]", "date"]),
)
def test_the_text_form_is_the_address(item: str, place: int, form: str | None) -> None:
    fields = {"item": item, "place": place if "FF" in item else 1, "format": form}
    one = address(fields)
    assert address(str(one)) == one


def test_what_is_known_and_named_is_right() -> None:
    for item in _KNOWN.values():
        assert Address(item="0F000000", format=item.format).size > 0
    for identifier, names in _TITLES.items():
        assert known(identifier) is not None
        assert [named(name) for name in names] == [identifier] * 2
    assert len({name for names in _TITLES.values() for name in names}) == 2 * len(_TITLES)


# -- values -------------------------------------------------------------------------------


def value_of(written: Any, data: bytes) -> tuple[Any, int]:
    """The value and status of a point whose answer holds these bytes."""
    where = address(written)
    plan = layout([Point("tag", SPEC.kind(where), where)], None)
    (request,) = plan.requests
    image = request.wanted(data)
    assert isinstance(image, bytes)
    import numpy as np

    status = np.zeros(1, np.uint8)
    (column,) = plan.decoder.columns(image, status)
    return column.tolist()[0], int(status[0])


@pytest.mark.parametrize(
    ("written", "data", "value"),
    [
        ("02010100", "9022", 229.0),
        ("00010000", "78563412", 123_456.78),
        ("00000000", "50120080", -12.5),
        ("02020100", "234105", 54.123),
        ("02020100", "500280", -0.25),
        ("02030000", "452381", -1.2345),
        ("02060000", "8709", 0.987),
        ("02800007", "3580", -3.5),
        ("02800002", "9849", 49.98),
        ("0280000A", "01000000", 1),
        ("01010000", "4523013412271126", 1.2345),
        ("04000501", "0800", 8),
        ("04000501.3", "0800", True),
        ("04000501.11", "0008", True),
        ("04000501.0", "0800", False),
        ("04000101", "05271126", "2026-11-27"),
        ("04000102", "563412", "12:34:56"),
        ("0400010C", "56341205271126", "2026-11-27T12:34:56"),
        ("04000402", "214365870900", "000987654321"),
        ("0F000001:ascii[3]", "434241", "ABC"),
        ("0201FF00[2]", "902201239022", 230.1),
    ],
)
def test_values_are_read_exactly(written: str, data: str, value: Any) -> None:
    assert value_of(written, bytes.fromhex(data)) == (value, 0)


@pytest.mark.parametrize(
    ("written", "data"),
    [
        ("02010100", "FFFF"),
        ("02010100", "0A22"),
        ("02020100", "FFFFFF"),
        ("02020100", "00A000"),
        ("00010000", "FFFFFFFF"),
        ("04000101", "05311126"),
        ("04000102", "563425"),
        ("04000402", "FFFFFFFFFFFF"),
        ("0F000001:ascii[2]", "80C0"),
    ],
)
def test_what_is_no_value_is_bad(written: str, data: str) -> None:
    assert value_of(written, bytes.fromhex(data))[1] != 0


@given(st.integers(-79_999, 79_999))
def test_decimals_are_the_nearest_to_their_digits(raw: int) -> None:
    """So 229.0 is 229.0 wherever it is shown."""
    exact = float(f"{raw / 1000:.3f}")
    data = number(exact, 3, 3, is_signed=True)
    value, status = value_of("02020100", data)
    assert (repr(value + 0.0), status) == (repr(exact + 0.0), 0)


def test_nothing_is_written() -> None:
    with pytest.raises(ValueError, match="only read"):
        Decimal(4, 1, is_signed=False).raw_of(7)


@given(
    st.lists(
        st.tuples(st.sampled_from(["0201FF00", "0202FF00", "0001FF00"]), st.integers(1, 9)),
        min_size=1,
        max_size=20,
    )
)
def test_each_block_is_asked_for_once_and_holds_its_points(wanted: list[tuple[str, int]]) -> None:
    where = [address({"item": item, "place": place}) for item, place in wanted]
    plan = layout([Point(str(one), SPEC.kind(one), one) for one in where], None)
    assert len(plan.requests) == len({item for item, _ in wanted})
    members = [member for block in plan.blocks for member in block.members]
    assert sorted(members) == list(range(len(wanted)))
    for block in plan.blocks:
        request: Read = block.request
        places = [where[member].place for member in block.members]
        size = where[block.members[0]].size
        assert request.begin == (min(places) - 1) * size
        assert request.wanted(bytes(max(places) * size - 1)) == SHORT
        assert isinstance(request.wanted(bytes(max(places) * size)), bytes)
