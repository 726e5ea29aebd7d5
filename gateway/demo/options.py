"""What a person chooses for a demonstration."""

from dataclasses import dataclass
from pathlib import Path

DATA = Path("demo-data")
"""Folder of a run, if none is named."""


@dataclass(frozen=True, slots=True)
class InfluxOptions:
    """An InfluxDB instead of the embedded store; 2.x if a token file is given, else 1.x."""

    url: str
    database: str
    org: str | None
    bucket: str
    token_file: Path | None


@dataclass(frozen=True, slots=True)
class Options:
    """The options of ``qulink demo``.

    Attributes:
        for_s: seconds to run; None until Ctrl-C.
        report: file for the report; None prints it.
        port: port of the city's console on loopback.
        data: folder of the run, made anew.
        broker: URL of a broker to use instead of the embedded one.
        influx: InfluxDB to use instead of the embedded store.
    """

    for_s: float | None
    report: Path | None
    port: int
    data: Path
    broker: str | None
    influx: InfluxOptions | None
