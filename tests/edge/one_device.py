"""A gateway's file with one device, and ``qulink`` as a person types it."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.edge.plant import USCC


def configured(
    folder: Path,
    driver: str,
    connection: dict[str, Any],
    tags: Sequence[dict[str, Any]],
    **more: Any,
) -> Path:
    """Write ``gateway.yaml`` of one device, ``press-1``, whose tags are read each 100 ms."""
    group = {"name": "g", "interval_ms": 100, "tags": list(tags)}
    profile = {"name": "press", "driver": driver, "source": "controller", "groups": [group]}
    device = {"id": "press-1", "driver": driver, "profile": "press", "asset_no": "M1"}
    document = {
        "gateway": {"id": "gw", "enterprise_uscc": USCC, "synthetic": True},
        "profiles": [profile],
        "devices": [{**device, "connection": connection, **more}],
        "buffer": {"path": str(folder / "b.db")},
    }
    config = folder / "gateway.yaml"
    config.write_text(yaml.safe_dump(document), encoding="utf-8")
    return config


@contextmanager
def running(config: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``qulink run`` of a configuration; its log is ``log`` beside it."""
    with (config.parent / "log").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-m", "gateway", "run", config], stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)
