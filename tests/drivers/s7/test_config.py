"""What is written of a controller: TSAPs as Siemens' tools show them, and what they replace."""

from typing import Any

import pytest

from edge_config.models.gateway import DeviceConfig
from edge_config.models.validation import validated
from gateway.drivers.s7 import SPEC
from gateway.drivers.s7.config import Connection, tsap


def connection(**written: Any) -> Connection:
    return validated(SPEC.connection, {"host": "plc", **written})


@pytest.mark.parametrize("written", ["03.01", "０３．０１", 0x0301])
def test_a_tsap_may_be_written_as_the_tools_show_it(written: str | int) -> None:
    assert tsap(connection(remote_tsap=written)) == 0x0301


@pytest.mark.parametrize("written", [10.0, "3.0", "10.0g"])
def test_what_could_be_another_tsap_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match=r"local_tsap .*: write it in quotes, as '03.00'"):
        connection(local_tsap=written)


@pytest.mark.parametrize("beside", [{"rack": 1}, {"slot": 2}, {"connect_as": "op"}])
def test_what_a_tsap_replaces_is_not_written_beside_it(beside: dict[str, Any]) -> None:
    device = DeviceConfig(id="d", driver="s7", profile="p", asset_no="M", connection={})
    both = connection(remote_tsap="02.00", **beside)
    assert [key for key, _ in SPEC.misfits(both, device)] == ["remote_tsap"]
    assert not list(SPEC.misfits(connection(remote_tsap="02.00"), device))
