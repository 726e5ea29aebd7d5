"""Leave out what a library imports at once and nobody here uses."""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _Deferred(ModuleType):
    """Stands for a module until the first of its attributes is used."""

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):  # questions of the import system
            raise AttributeError(attribute)
        if sys.modules.get(self.__name__) is self:  # another thread may be at it
            del sys.modules[self.__name__]
        module = import_module(self.__name__)
        vars(self).update(vars(module))  # those who hold the stand-in pay once
        return getattr(module, attribute)


def defer(name: str) -> None:
    """Let ``import name`` cost nothing until an attribute of the module is used.

    Args:
        name: a module that nobody has imported yet; otherwise nothing happens. Packages around it
            are imported.
    """
    package, _, last = name.rpartition(".")
    around = import_module(package) if package else None
    if name not in sys.modules:
        sys.modules[name] = _Deferred(name)
        if around is not None:
            setattr(around, last, sys.modules[name])
