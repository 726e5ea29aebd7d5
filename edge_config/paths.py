"""Relative paths are relative to the file that names them."""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)


def anchored(model: M, folder: Path) -> M:
    """A copy of a model in which every relative path is made absolute under ``folder``.

    Fields marked ``relative_to`` in their schema are relative to something else and stay.
    """
    changes: dict[str, Any] = {}
    for name, field in type(model).model_fields.items():
        if field.json_schema_extra:
            continue
        value = getattr(model, name)
        anchored_value = _anchored_value(value, folder)
        if anchored_value is not value:
            changes[name] = anchored_value
    return model.model_copy(update=changes) if changes else model


def _anchored_value(value: Any, folder: Path) -> Any:
    if isinstance(value, Path):
        return folder / value
    if isinstance(value, BaseModel):
        return anchored(value, folder)
    if isinstance(value, tuple) and any(isinstance(v, BaseModel | Path) for v in value):
        return tuple(_anchored_value(item, folder) for item in value)
    return value
