"""The driver that ``qulink driver new`` writes, and benches on its simulator."""

import importlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gateway.drivers import scaffold
from gateway.drivers.kit.conformance import Bench, FaultProxy
from tests.support.peers import free_port

BROKEN = Path(__file__).with_name("broken_acme")


@dataclass(frozen=True)
class Acme:
    """The scaffold's package, importable, and the drivers that are broken."""

    folder: Path

    def module(self, name: str) -> ModuleType:
        return importlib.import_module(name)

    @asynccontextmanager
    async def bench(
        self, make: Callable[[Any], Any] | None = None, **spec: Any
    ) -> AsyncIterator[Bench]:
        """A bench; with another driver, and other parts of its SPEC."""
        simulator, package = self.module("simulator"), self.module("qulink_acme")
        units = simulator.counters()

        async def change() -> None:
            units[1][1] = "13.5"

        async with simulator.serving(units=units) as port, FaultProxy(port) as proxy:
            here = {"host": "127.0.0.1", "port": proxy.port}
            yield Bench(
                spec=replace(package.SPEC, make=make or package.SPEC.make, **spec),
                connection=here,
                dead={"host": "127.0.0.1", "port": free_port()},
                good=[("1:float", 12.5), ("2:int", -3), ("4:text", "轴承")],
                other=({**here, "unit": 2}, [99.0, 7, "端盖"]),
                unknown="99:float",
                writable=("3:float", 7.5),
                read_only=("1:float", 0.0),
                refused={**here, "unit": 13},
                stop=proxy.stop,
                start=proxy.start,
                stall=proxy.stall,
                resume=proxy.resume,
                garble=proxy.garble,
                change=change,
                libraries=("qulink_acme.driver",),
                deadline_s=2,
            )


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acme]:
    folder = scaffold.write("acme", tmp_path_factory.mktemp("scaffold"))
    paths = [str(folder), str(folder / "tests"), str(BROKEN)]
    with pytest.MonkeyPatch.context() as patch:
        for path in paths:
            patch.syspath_prepend(path)
        patch.setenv("PYTHONPATH", ":".join(paths))
        before = set(sys.modules)
        yield Acme(folder)
        for name in set(sys.modules) - before:
            if name.startswith(("qulink_acme", "broken_", "simulator")):
                del sys.modules[name]
