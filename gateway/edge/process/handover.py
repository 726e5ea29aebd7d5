"""A checked configuration, handed from the process that read it to the one that runs it.

``qulink run`` reads its configuration with pydantic and YAML, which cost some 20 MiB, and then
executes a new interpreter in its own place (the process id, and so signals, exit code and the
service manager's view, stay). The objects of the configuration go ahead in an unnamed file that
both hold open. They are pickled: the reader is the same program an instant later, nobody else
can reach the file, and devices of one profile keep sharing their groups. No secret is in it, as
settings only say where a secret is.
"""

import os
import pickle
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.util import cache_from_source, find_spec
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO, NoReturn

from edge_config.loading.resolved import LoadedGateway
from gateway.drivers.spec import DriverSpec

MODULE = "gateway.edge.process"
_PACKAGES = ("gateway", "numpy")
"""Ours and another's: they may be installed by different people."""


@dataclass(frozen=True, slots=True)
class Handover:
    """What an edge is started with.

    Attributes:
        loaded: the configuration.
        drivers: the drivers that it names, and where the ``SPEC`` of each is; looking for entry
            points would cost the running edge 2 MiB.
        drain_s: how long to send after the order to stop, seconds.
        searching: those of all installed drivers that can look for devices, in the same way.
    """

    loaded: LoadedGateway
    drivers: Mapping[str, str]
    drain_s: float
    searching: Mapping[str, str] = field(default_factory=dict)

    def specs(self) -> dict[str, DriverSpec]:
        """The drivers by name."""
        return _specs(self.drivers)

    def searchers(self) -> dict[str, DriverSpec]:
        """Those that can look for devices; they are imported when a person asks for one."""
        return _specs(self.searching)


def hand_over(handover: Handover) -> NoReturn:
    """Become the process that runs the edge."""
    file = _unnamed()
    pickle.dump(replace(handover, loaded=_slim(handover.loaded)), file, pickle.HIGHEST_PROTOCOL)
    file.flush()
    file.seek(0)
    os.set_inheritable(file.fileno(), True)
    command = [sys.executable, *_options(), "-m", MODULE, str(file.fileno())]
    os.execv(sys.executable, command)  # noqa: S606 - our own module


def _options() -> list[str]:
    """Of the interpreter that runs the edge."""
    # -P: the folder in which an operator happens to stand is no place for our modules
    # -OO: docstrings, NumPy's above all, are 2 MiB of an edge at rest
    return ["-P", "-OO"] if all(map(_is_compiled_once, _PACKAGES)) else ["-P"]


def _is_compiled_once(package: str) -> bool:
    """Whether a package without docstrings is compiled, or can be and will be kept.

    Where it cannot be kept, all modules would be compiled at each start.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return False
    compiled = Path(cache_from_source(spec.origin, optimization=2))
    if compiled.exists():
        return True
    # the folder of compiled modules is made where it is missing
    folder = next(one for one in compiled.parents if one.exists())
    return not sys.dont_write_bytecode and os.access(folder, os.W_OK)


def taken_over(descriptor: int) -> Handover:
    """Read what :func:`hand_over` left in an open file, and close it."""
    with os.fdopen(descriptor, "rb") as file:
        handover: Handover = pickle.load(file)  # noqa: S301 - written by this program, see above
    return handover


def _specs(references: Mapping[str, str]) -> dict[str, DriverSpec]:
    return {name: _spec(reference) for name, reference in references.items()}


def _spec(reference: str) -> DriverSpec:
    module, _, attribute = reference.partition(":")
    spec: DriverSpec = attrgetter(attribute)(import_module(module))
    return spec


def _unnamed() -> BinaryIO:
    if sys.platform == "linux":
        return os.fdopen(os.memfd_create("qulink-configuration"), "w+b")
    from tempfile import TemporaryFile  # noqa: PLC0415 - and with it half a dozen modules

    return TemporaryFile()


def _slim(loaded: LoadedGateway) -> LoadedGateway:
    """Without profiles' own groups and tags: those are in the devices' groups by now."""
    profiles = {id(device.profile): device.profile for device in loaded.devices}
    heads = {key: replace(profile, groups=()) for key, profile in profiles.items()}
    devices = tuple(replace(device, profile=heads[id(device.profile)]) for device in loaded.devices)
    config = replace(loaded.config, profiles=(), devices=())
    return LoadedGateway(config, devices, loaded.warnings, loaded.overloads)
