"""The driver's page says what the models and the tables in the code say."""

import re
from dataclasses import MISSING
from pathlib import Path
from typing import Any

import pytest
import yaml

from edge_config.mistakes.shape import declared
from edge_config.models.settings import Settings
from edge_config.models.validation import validated
from gateway.drivers.opcua import SPEC
from gateway.drivers.opcua.config import KINDS, Address, Connection
from gateway.drivers.opcua.encoding.convert import _FITS

PAGE = Path(__file__).parents[3] / "docs/drivers/opcua.md"
BUILT_IN = {1: "Boolean", 2: "SByte", 3: "Byte", 4: "Int16", 5: "UInt16", 6: "Int32", 7: "UInt32"}
BUILT_IN |= {8: "Int64", 9: "UInt64", 10: "Float", 11: "Double", 12: "String", 13: "DateTime"}
BUILT_IN |= {14: "Guid", 15: "ByteString", 16: "XmlElement", 17: "NodeId", 18: "ExpandedNodeId"}
BUILT_IN |= {19: "StatusCode", 20: "QualifiedName", 21: "LocalizedText"}


def shown(default: Any) -> str:
    if default is MISSING:
        return "required"
    written = str(default).lower() if isinstance(default, bool) else default
    return "–" if default in (None, "") else f"`{written}`"


def table(model: type[Settings]) -> str:
    """Fields of a model as the page shows them."""
    rows = [
        f"| `{name}` | {shown(key.default)} | {key.description} |"
        for name, key in declared(model).items()
    ]
    return "\n".join(["| key | default | meaning |", "|---|---|---|", *rows])


def types_table() -> str:
    """Types, what fits into them, and the column they become."""
    rows = [
        f"| `{name}` | {', '.join(BUILT_IN[number] for number in sorted(_FITS[name]))} "
        f"| {KINDS[name].name.lower()} |"
        for name in KINDS
    ]
    return "\n".join(["| type | accepts | column |", "|---|---|---|", *rows])


@pytest.mark.parametrize("part", [table(Connection), table(Address), types_table()])
def test_tables_are_those_of_the_code(part: str) -> None:
    assert part in PAGE.read_text(encoding="utf-8"), f"put this into {PAGE.name}:\n{part}"


def test_samples_are_valid() -> None:
    samples = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    parsed = [yaml.safe_load(sample) for sample in samples]
    connections = [one["connection"] for one in parsed if "connection" in one]
    addresses = [tag["address"] for one in parsed for tag in one.get("tags", [])]
    assert len(connections) >= 2
    assert len(addresses) >= 3
    for one in connections:
        validated(SPEC.connection, one)
    for one in addresses:
        validated(SPEC.address, one)
