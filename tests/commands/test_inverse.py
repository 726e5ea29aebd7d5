"""The raw value that shows what is wanted: exact, or refused with what comes nearest."""

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.core.rules import TagRule
from gateway.core.schema import Kind
from gateway.edge.commands.inverse import UnwritableValueError, raw_of, shown, wanted_of

SCALES = st.sampled_from([None, 1.0, 0.1, 0.01, 0.001, 0.5, 10.0, 60.0, -0.1, 0.0625, 2.54, 1 / 3])
OFFSETS = st.sampled_from([0.0, 10.0, -40.0, -273.15, 0.5, 1e-3])
INTEGERS = {Kind.INT64: st.integers(-(2**63), 2**63 - 1), Kind.UINT64: st.integers(0, 2**64 - 1)}


def meant(value: object) -> Decimal:
    return Decimal(repr(value) if isinstance(value, float) else int(str(value)))


@st.composite
def whole(draw: st.DrawFn) -> tuple[TagRule, int]:
    kind = draw(st.sampled_from([Kind.INT64, Kind.UINT64]))
    near = st.integers(0, 70_000)  # what registers mostly hold
    return TagRule(kind, draw(SCALES), draw(OFFSETS)), draw(near | INTEGERS[kind])


@given(whole())
def test_what_a_whole_number_shows_is_written_as_what_shows_the_same(
    given_: tuple[TagRule, int],
) -> None:
    """The inverse of every reading exists, and reads as the very same number.

    Beyond what float64 holds exactly what is shown is rounded; it is refused then, or shows the
    same all the same.
    """
    rule, raw = given_
    seen = shown(rule, raw)
    try:
        found = raw_of(rule, meant(seen))
    except UnwritableValueError:
        assert abs(raw) > 2**40 and rule.scaled
        return
    assert shown(rule, found) == seen
    assert found == raw or abs(raw) > 2**40


@given(
    st.sampled_from([Kind.FLOAT32, Kind.FLOAT64]),
    SCALES,
    OFFSETS,
    st.floats(-(2.0**99), 2.0**99, width=32),
)
def test_what_a_float_shows_is_written_as_what_shows_the_same(
    kind: Kind, scale: float | None, offset: float, raw: float
) -> None:
    rule = TagRule(kind, scale, offset)
    seen = shown(rule, raw)
    assert shown(rule, raw_of(rule, meant(seen))) == seen


@given(whole(), st.decimals(-1_000_000, 1_000_000, allow_nan=False, places=4))
def test_nothing_is_rounded(given_: tuple[TagRule, int], wanted: Decimal) -> None:
    """What is written shows exactly what was wanted, or is refused with its neighbours."""
    rule, _ = given_
    try:
        raw = raw_of(rule, wanted)
    except UnwritableValueError as error:
        _, _, nearest = str(error).partition("the nearest values that can are ")
        for word in nearest.split(" and "):
            assert Decimal(word) != wanted
            near = raw_of(rule, Decimal(word))  # what is proposed can be written
            assert meant(shown(rule, near)) == Decimal(word)
    else:
        assert meant(shown(rule, raw)) == wanted


@given(st.integers(-40_000, 40_000), st.sampled_from([1, 2, 3]))
def test_the_two_nearest_are_the_next_on_either_side(steps: int, places: int) -> None:
    scale = Decimal(1).scaleb(-places)
    rule = TagRule(Kind.INT64, float(scale))
    wanted = (steps + Decimal("0.5")) * scale
    with pytest.raises(UnwritableValueError) as caught:
        raw_of(rule, wanted)
    nearest = str(caught.value).partition("are ")[2].split(" and ")
    assert [Decimal(one) for one in nearest] == [steps * scale, (steps + 1) * scale]


@pytest.mark.parametrize(
    ("rule", "written", "raw"),
    [
        (TagRule(Kind.UINT64, 0.1), "30.2", 302),
        (TagRule(Kind.UINT64, 0.1), 30.2, 302),
        (TagRule(Kind.UINT64), str(2**64 - 1), 2**64 - 1),
        (TagRule(Kind.INT64, 1 / 3), 1, 3),
        (TagRule(Kind.INT64, -0.5, 10.0), "7.5", 5),
        (TagRule(Kind.FLOAT32, offset=-273.15), "23.2", 296.3500061035156),
        (TagRule(Kind.FLOAT32), "0.1", 0.10000000149011612),
        (TagRule(Kind.BOOL), "on", True),
        (TagRule(Kind.BOOL), 0, False),
        (TagRule(Kind.BOOL, 5.0), 5, True),
        (TagRule(Kind.STRING), "轴承", "轴承"),
    ],
)
def test_known_values(rule: TagRule, written: object, raw: object) -> None:
    found = raw_of(rule, wanted_of(rule, written))  # type: ignore[arg-type]
    assert found == raw
    assert type(found) is type(raw)


@pytest.mark.parametrize(
    ("rule", "written", "words"),
    [
        (TagRule(Kind.UINT64, 0.1), "30.25", "30.2 and 30.3"),
        (TagRule(Kind.UINT64), "-1", "are 0"),
        (TagRule(Kind.UINT64), str(2**64), str(2**64 - 1)),
        (TagRule(Kind.FLOAT32), "0.123456789012", "0.12345678 and 0.12345679"),
        (TagRule(Kind.FLOAT32), "1e39", "3.4028235E+38"),
        (TagRule(Kind.FLOAT64), "nan", "no finite number"),
        (TagRule(Kind.FLOAT64), "1_000", "no finite number"),
        (TagRule(Kind.FLOAT64), True, "no finite number"),
        (TagRule(Kind.FLOAT64), "9" * 100, "no finite number"),
        (TagRule(Kind.BOOL), "2", "neither true nor false"),
        (TagRule(Kind.STRING), 5, "no text"),
        (TagRule(Kind.STRING), "\ud800", "no text"),
    ],
)
def test_what_cannot_be_is_refused_in_words(rule: TagRule, written: object, words: str) -> None:
    with pytest.raises(UnwritableValueError, match=words.replace("+", r"\+")):
        raw_of(rule, wanted_of(rule, written))  # type: ignore[arg-type]


@given(st.text(max_size=80))
def test_any_text_for_a_number_is_a_number_or_refused(text: str) -> None:
    rule = TagRule(Kind.FLOAT64)
    try:
        wanted = wanted_of(rule, text)
    except UnwritableValueError:
        return
    assume(isinstance(wanted, Decimal))
    assert isinstance(wanted, Decimal) and wanted.is_finite()
