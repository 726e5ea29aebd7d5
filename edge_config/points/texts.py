"""Tags as the texts of a point table. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from typing import Any

from edge_config.loading.parameters import placeholders
from edge_config.loading.resolved import ResolvedTag
from edge_config.loading.specs import DriverModels
from edge_config.mistakes.shape import declared
from edge_config.models.gateway import Notation
from edge_config.models.settings import Settings
from edge_config.models.tag import TagConfig
from edge_config.points.columns import AddressForm, Language, role_text

Texts = Mapping[str, str]
"""Key of a tag, or ``address.<field>``, → what stands in its cell; what is left out is empty."""


@dataclass(frozen=True, slots=True)
class Style:
    """How the tags of a table are written.

    Attributes:
        driver: whose addresses they have.
        form: how these stand.
        language: of titles and roles.
        notation: of the profile that the table is for; numbers are read in it.
    """

    driver: DriverModels
    form: AddressForm
    language: Language
    notation: Notation | None = None


_DEFAULTS = {name: key.default for name, key in declared(TagConfig).items()}


def usual_form(tags: Iterable[ResolvedTag]) -> AddressForm:
    """Columns for the fields, unless texts hold parameters, which only their device fills in."""
    is_fixed = all(
        isinstance(tag.config.address, dict) or not placeholders(tag.config.address) for tag in tags
    )
    return "fields" if is_fixed else "text"


def texts_of(tag: ResolvedTag, style: Style) -> Texts:
    """One tag.

    Raises:
        ValueError: its address cannot stand in this form.
    """
    texts = _address(tag, style)
    for name, default in _DEFAULTS.items():
        value = getattr(tag.config, name)
        if name != "address" and value != default:
            texts[name] = role_text(value, style.language) if name == "role" else text_of(value)
    return texts


def text_of(value: Any) -> str:
    """A value as a person would type it, so that it is read as the same again."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:  # noqa: PLR2004 - exact
        return str(int(value))
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(text_of, value))
    return str(value)


def _address(tag: ResolvedTag, style: Style) -> dict[str, str]:
    written = tag.config.address
    has_parameters = bool(placeholders(written))
    if style.form == "text":
        if has_parameters and not isinstance(written, str):
            name = tag.config.name
            raise ValueError(f"the address of {name!r} holds parameters in several fields")
        is_text = isinstance(written, str)
        return {"address": written if is_text else style.driver.noted(tag.address, style.notation)}
    if isinstance(written, dict) and has_parameters:
        return {f"address.{name}": text_of(value) for name, value in written.items()}
    texts = dict(_fields(tag.address)) | style.driver.noted_fields(tag.address, style.notation)
    return {f"address.{name}": text for name, text in texts.items()}


def _fields(address: Settings) -> Iterable[tuple[str, str]]:
    for field in fields(address):
        value = getattr(address, field.name)
        if value is not None and (field.default is MISSING or value != field.default):
            yield field.name, text_of(value)
