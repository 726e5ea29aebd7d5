"""Runs of equal kind: a selection of tags by index agrees with the walk over its kinds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.schema import Kind, Schema, Tag, runs_of


@given(st.lists(st.sampled_from(list(Kind)), min_size=1, max_size=8), st.data())
def test_runs_of_a_selection_are_those_of_its_kinds(kinds: list[Kind], data: st.DataObject) -> None:
    tags = tuple(Tag(f"t{at}", kind) for at, kind in enumerate(kinds))
    schema = Schema("d", "g", "p", "controller", False, (), tags, 1000)
    places = st.integers(0, len(kinds) - 1)
    index = data.draw(st.lists(places, max_size=12))
    assert schema.runs_at(np.array(index, np.uint32)) == runs_of(kinds[at] for at in index)
