"""A published table as SDMX-CSV 2.0 and its structure as SDMX-JSON 2.0. Pure.

One observation a line: area, industry, indicator, measure and month, then the value and its flags.
Sources: SDMX 3.0 technical specifications, section 5 (SDMX-CSV 2.0.0, SDMX-JSON 2.0.0); lists
CL_FREQ, CL_OBS_STATUS and CL_CONF_STATUS of the SDMX statistical guidelines.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from gateway.city.ledger.codes import Name, county_name, industry_name
from gateway.city.rates.cells.cell import Cell
from gateway.city.rates.model import Definition
from gateway.city.rates.period import last_day
from gateway.city.rates.publishing.grid import Key
from gateway.city.rates.publishing.publish import PublishedCell, PublishedTable
from gateway.city.rates.reports.shown import Shown, shown_by

AGENCY, VERSION, FLOW, STRUCTURE = "QULINK", "1.0", "DF_ENR", "DSD_ENR"
TOTAL_ACTIVITY = "_T"
DIMENSIONS = ("FREQ", "REF_AREA", "ACTIVITY", "INDICATOR", "MEASURE")
ATTRIBUTES = ("OBS_STATUS", "CONF_STATUS", "UNIT_MEASURE", "DECIMALS", "VINTAGE")
COLUMNS = (
    *("STRUCTURE", "STRUCTURE_ID", "ACTION"),
    *(*DIMENSIONS, "TIME_PERIOD", "OBS_VALUE", *ATTRIBUTES),
)
_NUMBER, _PERCENT = "NUMBER", "PERCENT"
MEASURES: Mapping[str, Name] = {
    "K": Name("分子（联网设备）", "Numerator: networked machines"),
    "N": Name("分母（台账设备）", "Denominator: machines of the ledger"),
    "ENTERPRISES": Name("企业数", "Enterprises"),
    "POOLED": Name("合并口径联网率", "Pooled rate"),
    "MEAN": Name("企业平均联网率", "Mean rate of enterprises"),
}
_LISTS: Mapping[str, tuple[str, Mapping[str, Name]]] = {
    "FREQ": ("CL_FREQ", {"M": Name("月", "Monthly")}),
    "MEASURE": ("CL_MEASURE", MEASURES),
    "OBS_STATUS": (
        "CL_OBS_STATUS",
        {
            "A": Name("正常", "Normal value"),
            "M": Name("无", "Missing value; data cannot exist"),
            "Q": Name("不予公布", "Missing value; suppressed"),
        },
    ),
    "CONF_STATUS": (
        "CL_CONF_STATUS",
        {
            "F": Name("可公布", "Free"),
            "N": Name("不予公布", "Not for publication"),
        },
    ),
    "UNIT_MEASURE": (
        "CL_UNIT_MEASURE",
        {_NUMBER: Name("个数", "Number"), _PERCENT: Name("百分比", "Per cent")},
    ),
}
_CONCEPTS: Mapping[str, Name] = {
    "FREQ": Name("频率", "Frequency"),
    "REF_AREA": Name("地区（GB/T 2260）", "Reference area, GB/T 2260"),
    "ACTIVITY": Name("行业（GB/T 4754）", "Economic activity, GB/T 4754"),
    "INDICATOR": Name("指标", "Indicator"),
    "MEASURE": Name("度量", "Measure"),
    "TIME_PERIOD": Name("时期", "Time period"),
    "OBS_VALUE": Name("数值", "Observation value"),
    "OBS_STATUS": Name("数值标志", "Observation status"),
    "CONF_STATUS": Name("保密标志", "Confidentiality status"),
    "UNIT_MEASURE": Name("计量单位", "Unit of measure"),
    "DECIMALS": Name("小数位数", "Decimals"),
    "VINTAGE": Name("版次", "Vintage"),
}


def sdmx_csv(table: PublishedTable, definition: Definition, region: str) -> str:
    """Every cell of a table: counties, industries, both and the total.

    What is withheld has an empty value, OBS_STATUS Q and CONF_STATUS N; a cell that nobody is in
    has no line.

    Args:
        table: as the public may see it.
        definition: by which it was counted.
        region: GB/T 2260 code of the city, for its total.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for key, cell in table.cells.items():
        for measure in MEASURES:
            writer.writerow(_line(table, key, cell, measure, definition, region))
    return out.getvalue()


def _line(
    table: PublishedTable,
    key: Key,
    cell: PublishedCell,
    measure: str,
    definition: Definition,
    region: str,
) -> Iterator[object]:
    is_rate = measure in {"POOLED", "MEAN"}
    yield from ("dataflow", f"{AGENCY}:{FLOW}({VERSION})", "I")
    yield from ("M", key[0] or region, key[1] or TOTAL_ACTIVITY, definition.id, measure)
    yield table.table.month
    yield "" if cell.figures is None else _value(cell.figures, measure, shown_by(definition))
    yield from (cell.obs_status, cell.conf_status, _PERCENT if is_rate else _NUMBER)
    yield from (definition.decimals if is_rate else 0, table.table.vintage)


def _value(figures: Cell, measure: str, write: Shown) -> str:
    values: dict[str, int | Fraction | None] = {
        "K": figures.networked,
        "N": figures.equipment,
        "ENTERPRISES": figures.enterprises,
        "POOLED": figures.pooled,
        "MEAN": figures.mean,
    }
    one = values[measure]
    if one is None:
        return ""
    return str(one) if isinstance(one, int) else write(one)


def sdmx_structure(table: PublishedTable, definition: Definition, region: str, city: Name) -> str:
    """What the lines of :func:`sdmx_csv` mean: dataflow, structure, concepts and code lists.

    Args:
        table: whose areas and industries are named.
        definition: the indicator.
        region: code of the city.
        city: its name.
    """
    lists = _lists(table, definition, region, city)
    made = {
        "meta": {
            "schema": "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/"
            "structure-message/tools/schemas/2.0.0/sdmx-json-structure-schema.json",
            "id": FLOW,
            "prepared": f"{last_day(table.table.month)}T00:00:00Z",  # equal bytes for equal tables
            "contentLanguages": ["zh", "en"],
            "sender": {"id": AGENCY},
        },
        "data": {
            "dataflows": [
                _item(FLOW, Name("设备联网率", "Equipment networking rates"), versioned=True)
                | {"structure": _urn("datastructure.DataStructure", STRUCTURE)}
            ],
            "dataStructures": [_data_structure({one: name for one, (name, _) in lists.items()})],
            "conceptSchemes": [
                _item("CS_ENR", Name("概念", "Concepts"), versioned=True)
                | {"concepts": [_item(one, name) for one, name in _CONCEPTS.items()]}
            ],
            "codelists": [
                _item(name, _CONCEPTS[one], versioned=True)
                | {"codes": [_item(code, words) for code, words in codes.items()]}
                for one, (name, codes) in lists.items()
            ],
        },
    }
    return json.dumps(made, ensure_ascii=False, indent=1)


def _lists(
    table: PublishedTable, definition: Definition, region: str, city: Name
) -> dict[str, tuple[str, Mapping[str, Name]]]:
    """Name and codes of each list, by the component that takes its values from it."""
    keys = table.cells.keys()
    return {
        **_LISTS,
        "REF_AREA": (
            "CL_AREA",
            {region: city} | {one: county_name(one) for one, _ in sorted(keys) if one},
        ),
        "ACTIVITY": (
            "CL_ACTIVITY",
            {TOTAL_ACTIVITY: Name("全部行业", "All industries")}
            | {one: industry_name(one) for _, one in sorted(keys) if one},
        ),
        "INDICATOR": (
            "CL_INDICATOR",
            {definition.id: Name(definition.name_zh, definition.name_en)},
        ),
    }


def _item(name: str, words: Name, *, versioned: bool = False) -> dict[str, Any]:
    of = {"agencyID": AGENCY, "version": VERSION} if versioned else {}
    return {"id": name, "name": words.en, "names": {"zh": words.zh, "en": words.en}, **of}


def _urn(kind: str, name: str) -> str:
    return f"urn:sdmx:org.sdmx.infomodel.{kind}={AGENCY}:{name}({VERSION})"


def _data_structure(lists: Mapping[str, str]) -> dict[str, Any]:
    listed = {one: {"enumeration": _urn("codelist.Codelist", name)} for one, name in lists.items()}
    whole = {"format": {"dataType": "Integer"}}
    period = {"format": {"dataType": "ObservationalTimePeriod"}}
    dimensions = [_component(one, listed[one]) for one in DIMENSIONS]
    to_one = {"attributeRelationship": {"observation": {}}, "usage": "mandatory"}
    components = {
        "dimensionList": {
            "id": "DimensionDescriptor",
            "dimensions": dimensions,
            "timeDimension": _component("TIME_PERIOD", period),
        },
        "measureList": {
            "id": "MeasureDescriptor",
            "measures": [_component("OBS_VALUE", {"format": {"dataType": "Decimal"}})],
        },
        "attributeList": {
            "id": "AttributeDescriptor",
            "attributes": [_component(one, listed.get(one, whole)) | to_one for one in ATTRIBUTES],
        },
    }
    words = Name("设备联网率结构", "Structure of equipment networking rates")
    return _item(STRUCTURE, words, versioned=True) | {"dataStructureComponents": components}


def _component(name: str, representation: Mapping[str, Any]) -> dict[str, Any]:
    concept = f"{_urn('conceptscheme.Concept', 'CS_ENR')}.{name}"
    return {"id": name, "conceptIdentity": concept, "localRepresentation": representation}
