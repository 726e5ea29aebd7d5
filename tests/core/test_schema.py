"""Runs of equal kind: a selection of tags by index agrees with the walk over its kinds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.schema import Kind, Schema, Tag, decode_schema, encode_schema, runs_of


@given(st.lists(st.sampled_from(list(Kind)), min_size=1, max_size=8), st.data())
def test_runs_of_a_selection_are_those_of_its_kinds(kinds: list[Kind], data: st.DataObject) -> None:
    tags = tuple(Tag(f"t{at}", kind) for at, kind in enumerate(kinds))
    schema = Schema("d", "g", "p", "controller", False, (), tags, 1000)
    places = st.integers(0, len(kinds) - 1)
    index = data.draw(st.lists(places, max_size=12))
    assert schema.runs_at(np.array(index, np.uint32)) == runs_of(kinds[at] for at in index)


@pytest.mark.parametrize("number", [3, 3_000])
def test_schemas_come_back_equal_and_devices_of_a_profile_share_their_tags(number: int) -> None:
    tags = tuple(Tag(f"t{at}", Kind.FLOAT64, label_zh="温度") for at in range(number))
    schemas = [Schema(f"d{at}", "g", "p", "sensor", False, (), tags, 1000) for at in range(2)]
    one, other = (decode_schema(encode_schema(schema)) for schema in schemas)
    assert [one, other] == schemas
    assert (one.tags is other.tags) == (number == 3)  # large ones would fill the memory instead
