"""The reference page: written from the models and profiles, and so always true."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from edge_config.files.point_columns import HEADERS, UNREAD
from edge_config.files.yaml_file import read_document
from edge_config.loading.library import BUILT_IN, built_in_names
from edge_config.loading.specs import DriverModels, Example
from edge_config.models.city import CityConfig
from edge_config.models.gateway import GatewayConfig
from edge_config.models.identifiers.node import NodeConfig
from edge_config.models.validation import json_schema
from edge_config.tables.header import NUMBERING, OWN

Json = dict[str, Any]

_INTRODUCTION = """\
# Configuration

<!-- Written by `qulink schema reference > docs/configuration.md`; do not edit by hand. -->

Every key that an edge (`qulink run`), a city (`qulink city`) and a node of identifiers
(`qulink node`) understand. `qulink check FILE` tells every mistake of a file at once, with its
line; `qulink schema gateway`, `city`, `node` and `profile` print JSON Schema for editors. To
begin: [A first gateway.yaml](first-gateway.md).

* Files are YAML 1.2 in UTF-8. Unknown and repeated keys are errors. `&` and `*` repeat a part of
  a file, `<<` merges a mapping. Texts that look like numbers stand in quotes: `site_no: "1"`.
* Relative paths are relative to the file that names them; those of the embedded store and node
  to `data_dir`.
* Secrets are never written here: `password: {file: /etc/qulink/password}` or
  `password: {env: QULINK_PASSWORD}`.
* A profile is looked for in `profiles`, then in the files of `profile_files`, then among those
  that [come with the product](#profiles-that-come-with-the-product).
* `{name}` in an address of a profile stands for what the device gives below `parameters`.
* `timeout_ms` may be above `interval_ms`: a slow answer costs ticks, which are counted as
  skipped.
"""

_TABLES = """\
## Point tables

`tags_file` names a `.csv` (UTF-8, UTF-16, or GB 18030 as Excel saves it in China; comma,
semicolon or tab, a line `sep=;` in front is understood) or a `.xlsx` with one tag a row. The
columns are the keys of [TagConfig](#tagconfig); the address stands in one column `address` in the
driver's text form, or in columns `address.<field>`. `qulink points template modbus points.xlsx`
writes an empty one with drop-downs, `qulink points export gateway.yaml press-1 points.xlsx` the
tags of a device, and `qulink points import gateway.yaml press-1 points.xlsx` takes them back.

* Titles above the header, cover sheets and hidden sheets are passed over; where that is not
  enough, `tags_sheet` and `tags_header_row` say where the tags stand.
* A remark behind a title that changes nothing may stay: `地址(十进制)`, `测点（名称）`.
* A dash, `/` or 无 is an empty cell. Full-width digits and letters are read as narrow ones.
* A formula counts by the result that was saved with it. What a person sees and a program would
  not is refused with its row and column: merged cells, formulas without a result, error values,
  days where a code was typed, hidden and filtered rows, and numbers such as 40001.1 that a
  spreadsheet also makes of 40001.10.

Columns that are not read: {ignored}, and any that begins with {own}. Chinese headers:

| header | key |
|---|---|
"""

_PROFILES = """\
## Profiles that come with the product

Compare a value you know before you trust a profile that was not checked on a real machine. Those
with invented addresses are of simulated machines: patterns to copy.

| name | machine | driver | source | checked | addresses |
|---|---|---|---|---|---|
"""


_EXAMPLES = """\
In a point table, and wherever one text stands for the address:

| address | 中文 | English |
|---|---|---|
"""


def markdown(specs: Mapping[str, DriverModels]) -> str:
    """The whole page.

    Args:
        specs: drivers to describe.
    """
    edge, city, node = map(json_schema, (GatewayConfig, CityConfig, NodeConfig))
    shared = edge["$defs"].keys()
    parts = [_INTRODUCTION, "## Edge\n", *_sections(edge, ())]
    parts += ["## City\n", *_sections(city, shared)]
    parts += ["## Node\n", *_sections(node, {*shared, *city["$defs"]})]
    for name in sorted(specs):
        parts += [f"## Driver `{name}`\n", *_driver(name, specs[name], shared)]
    rows = "".join(f"| {header} | `{key}` |\n" for header, key in HEADERS.items())
    own = {"ignored": _listed((*NUMBERING, *UNREAD)), "own": _listed(OWN)}
    tables = _TABLES.format(**own) + rows
    return "\n".join([*parts, tables, _PROFILES + "".join(map(_profile, built_in_names()))])


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _profile(name: str) -> str:
    profile: Json = read_document(BUILT_IN / f"{name}.yaml").data
    title = f"{profile['title_zh']} – {profile['title_en']}"
    checked = "yes" if profile["verified_on_hardware"] else "no"
    known = (profile[key] for key in ("driver", "source"))
    cells = (f"`{name}`", title, *known, checked, profile["provenance"])
    return f"| {' | '.join(map(_cell, cells))} |\n"


def _driver(name: str, spec: DriverModels, shared: Collection[str]) -> Iterator[str]:
    modes = ", ".join(f"`{mode}`" for mode in spec.modes)
    yield f"Modes of a group: {modes}; the first is the default.\n"
    for key, model in (("connection", spec.connection), ("address", spec.address)):
        schema = json_schema(model)
        schema["title"] = f"{key} of {name}"
        yield from _sections({"$defs": {}, **schema}, shared)
    if spec.examples:
        yield _EXAMPLES + "".join(map(_example, spec.examples))


def _example(example: Example) -> str:
    return f"| `{_cell(example.text)}` | {_cell(example.title_zh)} | {_cell(example.title_en)} |\n"


def _sections(root: Json, known: Collection[str]) -> Iterator[str]:
    """The model itself and the models it uses, but for those that stand elsewhere."""
    definitions: Json = root["$defs"]
    yield _section(root["title"], root, definitions)
    for name, schema in definitions.items():
        if "properties" in schema and name not in known:
            yield _section(name, schema, definitions)


def _section(name: str, schema: Json, definitions: Json) -> str:
    required = schema.get("required", ())
    rows = [
        f"| `{key}` | {_type(field, definitions)} | {_default(key, field, required)} | "
        f"{_range(field)} | {_cell(field.get('description', ''))} |"
        for key, field in schema["properties"].items()
    ]
    text = schema.get("description", "").partition("\n\n")[0].replace("\n", " ")
    head = "| key | type | default | range | meaning |\n|---|---|---|---|---|\n"
    return f"### {name}\n\n{text}\n\n{head}" + "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    """Text as it must stand in a Markdown table."""
    return text.replace("|", r"\|").replace("<", r"\<")


def _default(key: str, field: Json, required: Any) -> str:
    if key in required:
        return "**required**"
    default = field.get("default")
    if default in (None, "", {}):
        return "–"
    if isinstance(default, dict):
        return "see there"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _type(field: Json, definitions: Json) -> str:
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        target = definitions.get(name, {})
        return (
            f"[{name}](#{name.lower()})" if "properties" in target else _type(target, definitions)
        )
    for words in ("anyOf", "oneOf"):
        if words in field:
            kinds = [_type(one, definitions) for one in field[words] if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
    if "enum" in field:
        return " · ".join(f"`{word}`" for word in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    if field.get("type") == "array":
        return f"list of {_type(field.get('items', {}), definitions)}"
    return _PLAIN.get(str(field.get("format", field.get("type"))), "as the driver says")


_PLAIN = {
    "boolean": "true or false",
    "integer": "whole number",
    "number": "number",
    "object": "mapping of text",
    "path": "path",
    "string": "text",
}


def _range(field: Json) -> str:
    field = {**field, **next((one for one in field.get("anyOf", ()) if len(one) > 1), {})}
    words = (
        ("≥ {}", "minimum"),
        ("> {}", "exclusiveMinimum"),
        ("≤ {}", "maximum"),
        ("< {}", "exclusiveMaximum"),
        ("≥ {} items", "minItems"),
        ("≤ {} items", "maxItems"),
        ("≥ {} characters", "minLength"),
        ("≤ {} characters", "maxLength"),
    )
    return ", ".join(text.format(_plain(field[key])) for text, key in words if key in field)


def _plain(limit: float) -> str:
    return str(int(limit)) if float(limit).is_integer() else str(limit)
