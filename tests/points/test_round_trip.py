"""What a table says is what the device has, whichever tags these are."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_config.loading.load import ConfigError, load_gateway
from edge_config.loading.resolved import ResolvedDevice, ResolvedTag
from edge_config.models.tag import TagConfig
from edge_config.models.validation import valid_or_none
from edge_config.points.changes import compare, is_same
from edge_config.points.columns import AddressForm, Language
from edge_config.points.incoming import read_table
from edge_config.points.outgoing import write_exact
from gateway.drivers.modbus.address import Address
from gateway.drivers.registry import installed
from tests.points.plant import plant

WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Co", "Cn", "Cf")),
    max_size=12,
).map(str.strip)
NUMBERS = st.floats(-1e9, 1e9) | st.integers(-(10**9), 10**9).map(float)
ADDRESSES = st.one_of(
    st.builds(
        lambda table, at, kind, order: f"{table}:{at}:{kind}:{order}",
        st.sampled_from(["holding", "input"]),
        st.integers(0, 65_000),
        st.sampled_from(["int32", "uint32", "float32", "float64"]),
        st.sampled_from(["ABCD", "BADC", "CDAB", "DCBA"]),
    ),
    st.integers(40_001, 49_999).map(lambda number: f"{number}:int16"),
    st.builds(lambda at, bit: f"holding:{at}.{bit}", st.integers(0, 65_535), st.integers(0, 15)),
    st.integers(0, 65_535).map(lambda at: {"table": "coil", "address": at}),
    st.integers(0, 65_000).map(lambda at: f"holding:{at}:string[8]:gbk"),
)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,20}", fullmatch=True)


@st.composite
def tag(draw: st.DrawFn, name: str) -> ResolvedTag:
    written = draw(ADDRESSES)
    low, high = sorted((draw(NUMBERS), draw(NUMBERS)))
    is_number = isinstance(written, str) and ("int" in written or "float" in written)
    numbers = {
        "scale": draw(NUMBERS.filter(bool)),
        "offset": draw(NUMBERS),
        "minimum": low,
        "maximum": high,
        "deadband": abs(draw(NUMBERS)),
        "no_value": draw(st.sampled_from([None, [0x8000, 65_535], 2**64 - 2, float("nan")])),
    }
    data = {
        "name": name,
        "address": written,
        "unit": draw(st.sampled_from(["", "°C", "m³/h", "１号", "kW"])),
        "role": draw(st.sampled_from(["value", "state", "counter", "alarm"])),
        "label_zh": draw(WORDS),
        "label_en": draw(WORDS),
        "access": draw(st.sampled_from(["read", "read-write"])),
        "max_silence_ms": draw(st.integers(1_000, 86_400_000)),
        "asset_no": draw(st.sampled_from([None, "0007", "1#", "A-01"])),
        **(numbers if is_number else {}),
    }
    config, address = valid_or_none(TagConfig, data), valid_or_none(Address, written)
    if config is None or address is None:
        raise AssertionError(data)
    return ResolvedTag(config, address)


TAGS = st.lists(NAMES, min_size=1, max_size=8, unique=True).flatmap(
    lambda names: st.tuples(*(tag(name) for name in names))
)


def device_of(folder: Path) -> ResolvedDevice:
    return load_gateway(plant(folder), installed()).devices[0]


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
@given(tags=TAGS, form=st.sampled_from(["text", "fields"]), language=st.sampled_from(["zh", "en"]))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_table_holds_the_tags_exactly_or_is_not_written(
    ending: str,
    tags: tuple[ResolvedTag, ...],
    form: AddressForm,
    language: Language,
    tmp_path: Path,
) -> None:
    device, file = device_of(tmp_path), tmp_path / f"out{ending}"
    file.unlink(missing_ok=True)
    try:
        write_exact(file, {"fast": tags}, device, installed(), form=form, language=language)
    except ConfigError as error:  # a label such as '=" ', which a spreadsheet would change
        assert "a table cannot hold this tag as it is" in str(error)
        assert not file.exists()
        return
    found, _ = read_table(file, {"fast": None}, "modbus", installed(), device)
    difference = compare("fast", tags, found["fast"])
    assert (difference.created, difference.conflicts, difference.missing) == ([], [], [])
    assert len(difference.left) == len(tags)


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
@pytest.mark.parametrize("form", ["text", "fields"])
@pytest.mark.parametrize("label", ["plain", "=1+1", "-5", "0012", "3-12", "1e5", "+86", "@home"])
def test_texts_that_a_spreadsheet_would_change(
    label: str, form: AddressForm, ending: str, tmp_path: Path
) -> None:
    device, file = device_of(tmp_path), tmp_path / f"out{ending}"
    (first, *others) = device.groups[0].tags
    labelled = replace(first, config=replace(first.config, label_zh=label, asset_no="0012"))
    groups = {"fast": (labelled, *others)}
    write_exact(file, groups, device, installed(), form=form, language="zh")
    found, _ = read_table(file, {"fast": None}, "modbus", installed(), device)
    assert is_same(found["fast"][0], labelled)


def test_a_label_that_no_table_can_hold_is_refused_with_its_tag(tmp_path: Path) -> None:
    device, file = device_of(tmp_path), tmp_path / "out.csv"
    (first, *_) = device.groups[0].tags
    blank = replace(first, config=replace(first.config, label_zh=" speed"))
    with pytest.raises(ConfigError, match=r"cannot hold this tag as it is: speed: label_zh"):
        write_exact(file, {"fast": [blank]}, device, installed(), form=None, language="zh")
    assert [one.name for one in tmp_path.iterdir() if one.stem.startswith(("out", "."))] == []


@pytest.mark.parametrize(
    ("label", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@cmd", "'@cmd"),
        ("0012", '"=""0012"""'),
        ("3.10", '"=""3.10"""'),
        ("400101", "400101"),
        ("plain", "plain"),
    ],
)
def test_a_csv_cell_is_a_text_to_whoever_opens_it(label: str, cell: str, tmp_path: Path) -> None:
    device, file = device_of(tmp_path), tmp_path / "out.csv"
    (first, *_) = device.groups[0].tags
    labelled = replace(first, config=replace(first.config, label_en=label))
    write_exact(file, {"fast": [labelled]}, device, installed(), form="text", language="en")
    assert f",{cell}," in file.read_text("utf-8-sig").splitlines()[1]
