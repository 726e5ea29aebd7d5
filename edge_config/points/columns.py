"""The columns of a point table, from the keys of a tag and the driver's model of an address."""

from typing import Literal

from edge_config.files.point_columns import HEADERS
from edge_config.files.point_table import ROLES
from edge_config.mistakes.shape import Declared, bounds, choices, declared, is_number, is_required
from edge_config.models.settings import Settings
from edge_config.models.tag import TagConfig
from edge_config.tables.written import WrittenColumn

Language = Literal["zh", "en"]
AddressForm = Literal["text", "fields"]
"""One column ``address`` in the driver's text form, or one for each field of the address."""

Columns = dict[str, WrittenColumn]
"""Key of a tag, or ``address.<field>``, → its column, from left to right."""

UNITS = (
    *("°C", "%", "V", "A", "W", "kW", "var", "kvar", "VA", "kVA", "Hz", "kWh", "kvarh", "Ω"),
    *("bar", "kPa", "MPa", "m³", "m³/h", "L", "L/min", "kg", "t", "N", "kN", "N·m", "mm", "m"),
    *("m/s", "m/min", "mm/s", "r/min", "s", "min", "h", "pcs"),
)
"""Usual units, which a spreadsheet offers; any other may be written."""

_LONGEST_TITLE = 31
"""Characters that a spreadsheet takes for the title of a sheet."""


def sheet_title(group: str) -> str:
    """How the sheet with the tags of a group is called."""
    return group[:_LONGEST_TITLE]


def columns_for(address: type[Settings], form: AddressForm, language: Language) -> Columns:
    """Every column that a tag of a driver may fill.

    Args:
        address: the driver's model of an address.
        form: how the address stands.
        language: of the titles; English ones are the keys themselves.
    """
    columns: Columns = {}
    for key, field in declared(TagConfig).items():
        if key == "address" and form == "fields":
            columns |= _address_columns(address, language)
        else:
            columns[key] = _column(key, field, language)
    return columns


def role_text(role: str, language: Language) -> str:
    """A role as the language's tables say it."""
    words = {code: word for word, code in reversed(ROLES.items())}
    return words.get(role, role) if language == "zh" else role


def _address_columns(address: type[Settings], language: Language) -> Columns:
    return {
        f"address.{name}": _column(f"address.{name}", field, language)
        for name, field in declared(address).items()
    }


def _column(key: str, field: Declared, language: Language) -> WrittenColumn:
    allowed = choices(field)
    if key == "role":
        allowed = tuple(role_text(role, language) for role in allowed)
    is_open = key == "unit"
    return WrittenColumn(
        _title(key, field) if language == "zh" else key,
        _note(key, field),
        UNITS if is_open else allowed,
        is_open=is_open,
        is_required=is_required(field),
        is_number=is_number(field) and not key.startswith("address"),
    )


def _title(key: str, field: Declared) -> str:
    head, point, _ = key.partition(".")
    words = (word for word, meant in HEADERS.items() if meant == head)
    title = next(words, field.title_zh)
    return f"{title}.{field.title_zh}" if point else title


def _note(key: str, field: Declared) -> str:
    named = [title for title in (field.title_zh, field.title_en) if title not in key.split(".")]
    limits = bounds(field)
    need = ["必填 required"] if is_required(field) else []
    return "\n".join([" ".join([key, *named]), field.description, *filter(None, [limits]), *need])
