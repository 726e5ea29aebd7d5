"""Every rule of the kit can fail: a driver that breaks it fails it, and no other rule."""

import inspect
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import pytest

from edge_config.models.settings import Settings
from gateway.drivers.kit.conformance import (
    DriverConformance,
    RefusalConformance,
    SubscribingConformance,
)
from tests.drivers.acme import Acme, acme

__all__ = ["acme"]

FAILURES = (Exception, pytest.fail.Exception)


class Plain(RefusalConformance):
    """What is proven of a driver that is polled; its device can refuse."""


class Pushing(SubscribingConformance, RefusalConformance):
    """The same of one that pushes."""


@dataclass(frozen=True)
class Broken:
    """A driver that breaks one rule.

    Attributes:
        rule: the only one that it may fail.
        make: module and class, or function, of the driver.
        kit: the rule classes.
        spec: what else of its SPEC is broken.
    """

    rule: str
    make: str
    kit: type[DriverConformance] = Plain
    spec: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.rule} {self.make.rpartition(':')[2]}"


def drivers(rule: str, *names: str, module: str = "broken_drivers", **more: Any) -> list[Broken]:
    return [Broken(rule, f"{module}:{name}", **more) for name in names]


PUSHING = {"module": "broken_pushing", "kit": Pushing, "spec": {"modes": ("subscribe", "poll")}}
BROKEN = [
    *drivers("D-01", "DoesIo"),
    *drivers("D-02", "DoesNotSayWhom", "LeaksSockets"),
    *drivers("D-03", "NeedsPoints"),
    *drivers("D-04", "SpoilsAll", "HidesALoss"),
    *drivers("D-05", "Sleeps", module="broken_sleeping"),
    *drivers("D-06", "ClosesOnlyWhatWasOpened"),
    *drivers("D-07", "KeepsWhatIsLate"),
    *drivers("D-08", "PlansForOneConnection"),
    *drivers("D-09", "LeavesATask"),
    *drivers("D-10", "BelievesNoise"),
    *drivers("D-11", "CallsARefusalALoss"),
    *drivers("D-12", "PlansOnlyWhenConnected"),
    *drivers("D-13", "Sound", module="broken_base", spec={"address": "loose"}),
    *drivers("D-14", "WritesNothingAndSaysNothing"),
    *drivers("D-15", "make", module="broken_eager"),
    *drivers("D-16", "ForgetsToWrite"),
    *drivers("D-17", "Sound", module="broken_base", spec={"title_zh": ""}),
    *drivers("D-18", "PushesInAnyOrder", "AcceptsTheUnknown", "PushesNoFirstValues", **PUSHING),
    *drivers("D-18", "PushesOnlyFirstValues", **PUSHING),
    *drivers("D-19", "NeverNoticesSilence", **PUSHING),
    *drivers("D-21", "Heavy", module="broken_heavy"),
    *drivers("D-29", "SharesALine"),
    *drivers("D-30", "KeepsEveryReading"),
    *drivers("D-31", "LooksEverythingUpAgain"),
]
SOUND = [
    *drivers("", "Sound", module="broken_base"),
    *drivers("", "Pushing", **PUSHING),
]


class Make:
    """Makes drivers as a SPEC does that imports none, and remembers them."""

    def __init__(self, broken: Broken, acme: Acme) -> None:
        module, _, name = broken.make.partition(":")
        self.made: list[Any] = []
        self._driver = getattr(acme.module(module), name)
        self.__module__ = module if module == "broken_eager" else "qulink_acme"

    def __call__(self, connection: Any) -> Any:
        self.made.append(self._driver(connection))
        return self.made[-1]

    async def close(self) -> None:
        """Close what a failed rule has left open."""
        for driver in self.made:
            if getattr(driver, "was_opened", True):
                await getattr(driver, "abandon", driver.close)()


def rules_of(kit: type[DriverConformance]) -> list[str]:
    return [name for name in dir(kit) if name.startswith("test_d")]


def rule_id(name: str) -> str:
    return f"D-{name[6:8]}"


async def failed(acme: Acme, broken: Broken, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The rules that a driver fails, each with how."""
    found: dict[str, str] = {}
    kit, spec = broken.kit(), {key: value for key, value in broken.spec.items() if value != "loose"}
    if "address" in broken.spec:
        spec["address"] = loose(acme)
    for name in rules_of(broken.kit):
        rule, make = getattr(kit, name), Make(broken, acme)
        async with acme.bench(make, **spec) as bench:
            given = {"bench": bench, "monkeypatch": monkeypatch}
            try:
                done = rule(**{key: given[key] for key in inspect.signature(rule).parameters})
                if inspect.isawaitable(done):
                    await done
            except FAILURES as error:
                found[rule_id(name)] = f"{name}: {error!r}"
            await make.close()
    tidy(acme)
    return found


def tidy(acme: Acme) -> None:
    """Take away what broken drivers have left on purpose."""
    module = acme.module("broken_drivers")
    for task in module.LeavesATask.kept:
        task.cancel()
    for sock in module.LeaksSockets.kept:
        sock.close()
    module.LeavesATask.kept.clear()
    module.LeaksSockets.kept.clear()


def loose(acme: Acme) -> type[Settings]:
    address = acme.module("qulink_acme").SPEC.address
    return type("Loose", (address,), {"__pydantic_config__": MappingProxyType({"extra": "ignore"})})


@pytest.mark.parametrize("driver", SOUND, ids=str)
async def test_what_broken_drivers_are_made_of_fails_nothing(
    acme: Acme, driver: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await failed(acme, driver, monkeypatch) == {}


@pytest.mark.parametrize("driver", BROKEN, ids=str)
async def test_a_broken_driver_fails_exactly_its_rule(
    acme: Acme, driver: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await failed(acme, driver, monkeypatch)
    assert found.keys() == {driver.rule}, found


def test_every_rule_has_a_driver_that_breaks_it() -> None:
    kept = {rule_id(name) for name in rules_of(Pushing)}
    assert kept == {broken.rule for broken in BROKEN}
