"""Make the paths of a configuration absolute: they are relative to the file that names them."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from edge_config.models.settings import Settings

Model = TypeVar("Model", bound=Settings)


@dataclass(frozen=True, slots=True)
class Folder:
    """Where files named by a configuration are looked for.

    Attributes:
        path: absolute folder of the file that names them.
        shown: the same as the operator named it, for messages.
    """

    path: Path
    shown: Path

    def find(self, file: str) -> tuple[Path, str]:
        """Absolute path of a file, and how messages call it."""
        return self.path / file, str(self.shown / file)


def anchored(model: Model, folder: Path) -> Model:
    """The model with every path absolute; the very same object if it holds none.

    Args:
        model: any part of a configuration, a driver's models included.
        folder: absolute folder of the file that the model was written in.
    """
    # Groups that devices share stay one object, which is what keeps a thousand devices small.
    changed = {}
    for name in model.__dataclass_fields__:
        value = getattr(model, name)
        absolute = _absolute(value, folder)
        if absolute is not value:
            changed[name] = absolute
    return replace(model, **changed) if changed else model


def _absolute(value: Any, folder: Path) -> Any:
    if isinstance(value, Path):
        return value if value.is_absolute() else folder / value
    if isinstance(value, Settings):
        return anchored(value, folder)
    if isinstance(value, tuple):
        items = tuple(_absolute(item, folder) for item in value)
        changed = any(new is not old for new, old in zip(items, value, strict=True))
        return items if changed else value
    return value
