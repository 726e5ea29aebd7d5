"""A search for devices as a command runs it: with progress, and what is found up to its end."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from gateway.cli.edge.asking.by_url import connection_of
from gateway.cli.edge.asking.opening import refuse
from gateway.cli.survey.found import block_of, likely_profile
from gateway.cli.survey.progress import Progress, progress

if TYPE_CHECKING:
    from edge_config.loading.resolved import ResolvedDevice
    from gateway.cli.survey.fitting import Known
    from gateway.drivers.search import Findings, FoundDevice, Place, Step
    from gateway.drivers.spec import DriverSpec
    from gateway.edge.detective.fitting import Fit

INTERRUPTED = 2
MOST_FITS = 5
LEAST_FIT = 0.5
"""Less is shown to scripts only: many a block of registers has the addresses of a profile."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to become of what is found; see the options of the command."""

    config: Path | None
    write: str | None
    asset_no: str | None
    profile: str | None
    points: bool
    force: bool
    progress: Progress


@dataclass(slots=True)
class Report:
    """What a search has found.

    Attributes:
        driver: its name.
        wish: what is to become of it.
        findings: devices, and what holds for the search.
        fits: name of a device → profiles that fit, the likeliest first.
        is_whole: it was not interrupted.
        written: files that have one more device.
    """

    driver: str
    wish: Wish
    findings: "Findings"
    fits: "dict[str, list[Fit]]" = field(default_factory=dict)
    is_whole: bool = False
    written: list[str] = field(default_factory=list)

    def as_data(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "whole": self.is_whole,
            "remarks": self.findings.remarks,
            "written": self.written,
            "devices": [self._device(one) for one in self.findings.devices],
        }

    def _device(self, one: "FoundDevice") -> dict[str, Any]:
        from dataclasses import asdict

        return {
            "name": one.name,
            "connection": one.connection,
            "identity": one.identity,
            "readable": one.readable,
            "remarks": one.remarks,
            "points": {name: str(address) for name, address in one.points.items()},
            "labels": one.labels,
            "profiles": [asdict(fit) for fit in self.fits.get(one.name, [])],
            "block": block_of(self.driver, one, likely_profile(self, one)),
        }

    def names(self) -> list[str]:
        """Of what was found so far."""
        return [one.name for one in self.findings.devices]

    def print(self) -> None:
        """For people."""
        for one in self.findings.devices:
            typer.echo(one.name)
            for key, value in one.identity.items():
                typer.echo(f"  {key}: {value}")
            if one.readable:
                typer.echo(f"  readable: {', '.join(one.readable)}")
            for fit in self._worth_showing(one):
                typer.echo(
                    f"  profile {fit.profile} ({fit.title}): {fit.given} of {fit.tags} tags given, "
                    f"{fit.usual} look measured, score {fit.score:.2f}"
                )
            for remark in one.remarks:
                typer.echo(f"  note: {remark}")
        for remark in self.findings.remarks:
            typer.echo(remark, err=True)
        if self.written:
            typer.echo(f"wrote {self.wish.write} into {', '.join(self.written)}")

    def _worth_showing(self, one: "FoundDevice") -> "Sequence[Fit]":
        fits = self.fits.get(one.name, [])[:MOST_FITS]
        return [fit for fit in fits if fit.score >= LEAST_FIT]

    def finish(self) -> None:
        """End with the exit code that tells how it went."""
        if not self.is_whole:
            typer.echo("interrupted: there may be more", err=True)
            raise typer.Exit(INTERRUPTED)
        if not self.findings.devices:
            raise typer.Exit(1)


def probe(driver: str, url: str, written: dict[str, Any], wish: Wish) -> Report:
    """Search, propose profiles, and write what was asked for.

    Exits 1 where nothing can be begun: a wrong option, nobody there, a gateway that uses it.

    Args:
        driver: name of the driver.
        url: where to look.
        written: options of the driver, as they were written.
        wish: what is to become of it.
    """
    from gateway.drivers.search import Findings, Place

    spec, connection = connection_of(url, driver)
    assert spec.search is not None  # noqa: S101 - else there is no such command
    options = _options(spec, written)
    if wish.config is not None and not wish.force:
        _refuse_if_used(wish.config, driver, spec, connection)
    report = Report(driver, wish, Findings())
    place = Place(spec.search.target(url), connection)
    with progress(wish.progress, options.pause_ms, report.names) as step:
        try:
            asyncio.run(_search(report, spec, place, options, step))
            report.is_whole = True
        except KeyboardInterrupt:
            return report
    if wish.write is not None and wish.config is not None:
        from gateway.cli.survey.found import write_device

        report.written = write_device(report, spec, wish.config)
    return report


def _options(spec: "DriverSpec", written: dict[str, Any]) -> Any:
    from edge_config.mistakes.explain import validate
    from edge_config.mistakes.problems import Loc, Problem

    problems: list[Problem] = []

    def place(loc: Loc, message: str) -> Problem:
        return Problem("--" + str(loc[0] if loc else "").replace("_", "-"), message)

    assert spec.search is not None  # noqa: S101 - as above
    options = validate(spec.search.options, written, place, problems)
    if options is None:
        refuse("\n".join(map(str, problems)))
    return options


async def _search(
    report: Report, spec: "DriverSpec", place: "Place", options: Any, step: "Step"
) -> None:
    from gateway.cli.survey.fitting import known_machines
    from gateway.edge.control.command import REFUSALS

    assert spec.search is not None and spec.search.probe is not None  # noqa: S101 - as above
    machines = list(known_machines(report.driver))
    wanted = [tag.address for machine in machines for tag in machine.tags]
    try:
        probe = spec.search.probe()
        await probe.look(place, options, wanted, report.findings, step)
    except REFUSALS as error:
        refuse(error)
    devices = [one for one in report.findings.devices if one.points and machines]
    for at, device in enumerate(devices):
        look = partial(step, f"comparing {device.name} with known machines", at, len(devices))
        await _compare(report, spec, device, machines, partial(probe.holds, device), look)


async def _compare(
    report: Report,
    spec: "DriverSpec",
    device: "FoundDevice",
    machines: "Sequence[Known]",
    holds: Callable[[Any], bool],
    step: "Callable[[], Awaitable[None]]",
) -> None:
    """Hold a device against the machines that are known; it may fall silent over it."""
    from edge_config.models.validation import validated
    from gateway.cli.survey.fitting import fits
    from gateway.edge.control.command import REFUSALS

    connection, said = validated(spec.connection, device.connection), device.identity.values()
    try:
        found = await fits(spec, connection, machines, holds, list(said), step)
    except REFUSALS as error:
        device.remarks.append(f"not compared with known machines: {error}")
    else:
        report.fits[device.name] = found


def _refuse_if_used(config: Path, driver: str, spec: "DriverSpec", connection: Any) -> None:
    """Exit 1 if a gateway that runs reaches devices by the same connection.

    A search would take its turns, and many serial servers serve one connection only.
    """
    from edge_config.mistakes.problems import ConfigError
    from gateway.cli.edge.asking.opening import ask_running
    from gateway.edge.control.protocol import ControlError

    key = spec.link.key if spec.link is not None else spec.endpoint
    own = [one for one in _devices_of(config) if one.config.driver == driver]
    same = [one.config.id for one in own if key(one.connection) == key(connection)]
    if not same:
        return
    try:
        ask_running(config, "status")
    except (ConfigError, ControlError):  # none runs
        return
    refuse(
        f"the gateway of {config} runs and reads {', '.join(same)} by {spec.endpoint(connection)}: "
        "stop them with `qulink device stop`, or say --force to search beside it"
    )


def _devices_of(config: Path) -> "Sequence[ResolvedDevice]":
    """Those of a configuration; that it has none yet is no mistake: this may write the first."""
    from edge_config.loading.load import load_gateway
    from edge_config.mistakes.problems import ConfigError
    from gateway.drivers.registry import installed

    try:
        return load_gateway(config, installed()).devices
    except ConfigError as error:
        if any(problem.path != "devices" for problem in error.problems):
            refuse(error)
        return ()
