"""Write a device that was found into a configuration."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.edge.asking.opening import refuse
from gateway.cli.survey.configured import demand_good
from gateway.cli.survey.written import put

if TYPE_CHECKING:
    from gateway.cli.survey.probing import Report
    from gateway.drivers.search import FoundDevice
    from gateway.drivers.spec import DriverSpec


def write_device(report: "Report", spec: "DriverSpec", config: Path) -> list[str]:
    """Add the one device that was found; exits 1 if that cannot be.

    Returns:
        Names of the files that were written.
    """
    from edge_config.mistakes.problems import ConfigError
    from edge_config.points.devices import files_with_device, own_profile, profile_name

    found, name = _only(report), str(report.wish.write)
    profile = _profile(report, found)
    try:
        own = (
            {}
            if profile
            else own_profile(config, name, report.driver, spec, found.points, found.labels)
        )
        entry = {
            "id": name,
            "driver": report.driver,
            "profile": profile or profile_name(name),
            "asset_no": report.wish.asset_no,
            "connection": found.connection,
        }
        files = files_with_device(config, entry, own)
        put(files, lambda: demand_good(config))
    except (ConfigError, OSError) as error:
        refuse(error)
    return [file.name for file in files]


def _only(report: "Report") -> "FoundDevice":
    devices = report.findings.devices
    if not devices:
        refuse("\n".join([*report.findings.remarks, "nothing was written"]))
    if len(devices) > 1:
        report.print()
        names = ", ".join(one.name for one in devices)
        refuse(f"nothing was written: {names} are there; look for one of them alone")
    return devices[0]


def _profile(report: "Report", found: "FoundDevice") -> str:
    """The profile that was asked for, or the likeliest; empty: a table of what the device gives."""
    if report.wish.profile is not None:
        return report.wish.profile
    likely = "" if report.wish.points else likely_profile(report, found)
    if not likely and not found.points:
        refuse("nothing was written: the device gives no address that was looked at; say --profile")
    return likely


def likely_profile(report: "Report", found: "FoundDevice") -> str:
    """The profile that a device has, as far as one can tell; empty: none that is known."""
    from gateway.edge.detective.fitting import LIKELY

    best = next(iter(report.fits.get(found.name, [])), None)
    return best.profile if best is not None and best.score >= LIKELY else ""


_TO_FILL_IN = {
    "profile: null": "profile:  # none that is known fits: --write makes one of what is readable",
    "asset_no: null": "asset_no:  # number of the machine in the ledger",
}


def block_of(driver: str, found: "FoundDevice", profile: str) -> str:
    """A device for a configuration, to be copied below ``devices:``; says what is to be filled in.

    Args:
        driver: its driver.
        found: the device.
        profile: empty: none is known.
    """
    from edge_config.files.yaml_edit import document_text

    entry = {
        "id": re.sub(r"\W+", "-", found.name).strip("-"),
        "driver": driver,
        "profile": profile or None,
        "asset_no": None,
        "connection": found.connection,
    }
    text = document_text([entry])
    for empty, words in _TO_FILL_IN.items():
        text = text.replace(f"  {empty}\n", f"  {words}\n")
    return text
