"""What a driver says of itself, and what its source may not hold."""

# ruff: noqa: S101 - these are tests

from typing import ClassVar

import pytest
from pydantic import ValidationError

from edge_config.mistakes.shape import declared
from edge_config.models.validation import validated
from gateway.core.schema import Kind
from gateway.drivers.kit.bench import Bench, banned, imported_with, sources


class DescriptionRules:
    """Rules of ``SPEC``, models and source; a part of ``DriverConformance``."""

    proves: ClassVar[frozenset[str]] = frozenset()
    """Names of the further rule classes that a test class inherits."""

    def __init_subclass__(cls) -> None:
        """Note which rule classes are inherited."""
        super().__init_subclass__()
        cls.proves = frozenset(base.__name__ for base in cls.__mro__)

    def test_d05_no_scheduling_and_no_logging(self, bench: Bench) -> None:
        """D-05: a driver neither sleeps nor logs; the poller owns both."""
        files = sources(bench.driver())
        found = [f"{file.name}: {word}" for file in files for word in banned(file)]
        assert not found, f"D-05: {found}"

    def test_d13_unknown_keys_are_refused(self, bench: Bench) -> None:
        """D-13: a misspelt key of connection or address is an error, not ignored."""
        with pytest.raises(ValidationError):
            validated(bench.spec.connection, {**bench.connection, "no_such_key": 1})
        address = validated(bench.spec.address, bench.good[0][0])
        written = {key: value for key, value in vars(address).items() if value is not None}
        with pytest.raises(ValidationError):
            validated(bench.spec.address, {**written, "no_such_key": 1})

    def test_d15_the_spec_imports_no_protocol_library(self, bench: Bench) -> None:
        """D-15: a driver that is not used costs neither memory nor time."""
        module = bench.spec.make.__module__
        driver_module = type(bench.driver()).__module__
        loaded = imported_with(module) & {*bench.libraries, driver_module}
        assert not loaded, f"D-15: importing {module} loads {sorted(loaded)}"

    def test_d21_a_running_driver_reads_no_configuration(self, bench: Bench) -> None:
        """D-21: neither ``SPEC`` nor driver import what only reading a configuration needs."""
        module = type(bench.driver()).__module__
        loaded = imported_with(bench.spec.make.__module__, module) & {"pydantic", "yaml"}
        assert not loaded, f"D-21: importing {module} loads {sorted(loaded)}"

    def test_d17_the_spec_describes_itself(self, bench: Bench) -> None:
        """D-17: titles in both languages, endpoint, modes and kinds are there."""
        spec = bench.spec
        assert spec.name and spec.title_zh and spec.title_en  # one line, all of them texts
        assert set(spec.modes) <= {"poll", "subscribe"} and spec.modes
        assert ":" in spec.endpoint(validated(spec.connection, bench.connection))
        assert all(isinstance(point.kind, Kind) for point in bench.points())
        for applies, rules in (
            ("subscribe" in spec.modes, "SubscribingConformance"),
            (bench.refused is not None, "RefusalConformance"),
            (spec.link is not None, "LinkConformance"),
        ):
            assert not applies or rules in self.proves, f"D-17: inherit {rules} as well"
        for model in (spec.connection, spec.address):
            bare = [name for name, key in declared(model).items() if not key.description]
            assert not bare, f"D-17: fields without a description: {bare}"
