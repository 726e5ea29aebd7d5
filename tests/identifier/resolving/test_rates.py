"""The labelled corpus is resolved, and rightly, with half of the servers down."""

import pytest

from benchmarks.resolution import PROTOCOLS, Protocol, row

CHEAP = [one for one in PROTOCOLS if one.name in ("handle, native", "Ecode by URL")]


@pytest.mark.parametrize("protocol", CHEAP, ids=lambda one: one.name)
async def test_a_server_that_refuses_costs_no_code(protocol: Protocol) -> None:
    figures = await row(protocol, "refusing")
    assert (figures["resolved_percent"], figures["right_percent"]) == (100.0, 100.0)
