"""Browse names and types of simulated OPC UA machines are those of the companion models.

The models are the OPC Foundation's own files, as node-opcua carries them.
"""

import re
from collections import defaultdict
from functools import cache

import pytest

from simulators.machines import MANUALS
from simulators.manual import LINE, Node
from tests.support.peers import foreign_script

MODELS = (
    "",
    ".Di",
    ".IA",
    ".Ijt.Base",
    ".MachineTool",
    ".Machinery",
    ".Machinery_Result",
    ".Woodworking",
)
TYPES = {
    "Boolean": "bool",
    "Double": "float64",
    "Int64": "int64",
    "LocalizedText": "string",
    "String": "string",
    "UInt32": "uint32",
    "UInt64": "uint64",
}
"""Types of variables as profiles write them; any other in these models is an enumeration."""

Names = dict[tuple[str, str], set[str]]
"""(namespace URI, name) → types of the variables of that name; empty for objects."""

PLACES = {
    manual.name: [entry.place for entry in manual.entries if isinstance(entry.place, Node)]
    for manual in MANUALS.values()
    if manual.protocol == "opcua"
}


@cache
def names() -> Names:
    """Every browse name of the models."""
    found: Names = defaultdict(set)
    folder = foreign_script("node_modules/node-opcua-nodesets/nodesets")
    for model in MODELS:
        text = (folder / f"Opc.Ua{model}.NodeSet2.xml").read_text(encoding="utf-8-sig")
        table = re.search(r"<NamespaceUris>.*?</NamespaceUris>", text, re.DOTALL)
        uris = ["http://opcfoundation.org/UA/"]
        uris += re.findall(r"<Uri>(.*?)</Uri>", table[0]) if table else []
        for node in re.findall(r"<UA(?:Object|Variable)\b[^>]*>", text):
            attributes = dict(re.findall(r'(\w+)="([^"]*)"', node))
            index, name = re.fullmatch(r"(?:(\d+):)?(.*)", attributes["BrowseName"]).groups()
            types = {TYPES.get(attributes["DataType"], "int32")} if "DataType" in attributes else ()
            found[uris[int(index or 0)], name].update(types)
    return found


@pytest.mark.parametrize("machine", PLACES)
def test_every_name_of_a_companion_model_exists_there(machine: str) -> None:
    steps = {step for place in PLACES[machine] for step in place.steps if step[0] != LINE}
    assert [step for step in sorted(steps) if step not in names()] == []


@pytest.mark.parametrize("machine", PLACES)
def test_a_variable_of_a_companion_model_has_its_type(machine: str) -> None:
    theirs = [place for place in PLACES[machine] if place.steps[-1][0] != LINE]
    assert theirs
    assert [one.path for one in theirs if one.type not in names()[one.steps[-1]]] == []


def test_a_name_without_a_namespace_is_in_that_of_the_name_before() -> None:
    node = Node("mt:Monitoring/own:Spindle1/mt:IsRotating", "bool")
    tool = "http://opcfoundation.org/UA/MachineTool/"
    assert node.steps == ((tool, "Monitoring"), (LINE, "Spindle1"), (tool, "IsRotating"))
    assert node.names == "Monitoring/Spindle1/IsRotating"
    assert Node("mt:Production/ActiveProgram/Name", "string").steps[-1] == (tool, "Name")
