"""From plain data to settings, and JSON Schema: what pydantic does for this project.

Only processes that read configurations import this module; see ``edge_config.models.settings``.
"""

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic.json_schema import DEFAULT_REF_TEMPLATE

from edge_config.models.settings import Settings

Model = TypeVar("Model", bound=Settings)


_adapters: dict[type[Settings], TypeAdapter[Any]] = {}


def _adapter(model: type[Model]) -> TypeAdapter[Model]:
    """What pydantic compiled for a class, made when it is first asked for."""
    if model not in _adapters:
        _adapters[model] = TypeAdapter(model)
    return _adapters[model]


def validated(model: type[Model], written: object) -> Model:
    """Settings from plain data, as YAML or a point table gives it.

    Args:
        model: a class of settings.
        written: mapping of its keys, or what its ``from_written`` understands.

    Raises:
        pydantic.ValidationError: with every mistake; a ValueError.
    """
    return _adapter(model).validate_python(written)


def valid_or_none(model: type[Model], written: object) -> Model | None:
    """Settings, or None; for parts whose mistakes are reported with the whole."""
    try:
        return validated(model, written)
    except ValidationError:
        return None


def json_schema(model: type[Settings], ref_template: str = DEFAULT_REF_TEMPLATE) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a class of settings.

    Args:
        model: a class of settings.
        ref_template: how one model refers to another, with ``{model}`` for its name.
    """
    return _adapter(model).json_schema(ref_template=ref_template)
