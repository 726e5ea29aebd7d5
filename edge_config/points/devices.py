"""One more device for a configuration: with a profile that is known, or with tags of its own."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_config.files.yaml_edit import YamlEdit, document_text
from edge_config.files.yaml_file import MAX_BYTES, read_bytes
from edge_config.loading.specs import DriverModels
from edge_config.mistakes.problems import ConfigError, Problem
from edge_config.points.adding import new_tag
from edge_config.points.importing import Files
from edge_config.points.outgoing import sheets_of, table_bytes
from edge_config.points.texts import Style

GROUP = "main"
INTERVAL_MS = 1_000


def files_with_device(config: Path, device: Mapping[str, Any], new: Files) -> Files:
    """What is to be written so that a configuration has one more device.

    Args:
        config: the configuration, which is right.
        device: as it stands below ``devices:``.
        new: files of a profile of its own, as :func:`own_profile` gives them; empty: none.

    Raises:
        ConfigError: a program cannot change the file, or a file of that name is there.
    """
    for file in new:
        if file.exists():
            raise ConfigError([Problem(str(file), "is there already; choose another device id")])
    text = read_bytes(config, str(config), MAX_BYTES).decode("utf-8-sig")
    edit = YamlEdit(text, str(config))
    edit.append("devices", dict(device))
    for file in new:
        if file.suffix == ".yaml":
            edit.append("profile_files", file.name)
    return {**new, config: edit.result().encode()}


def profile_name(device: str) -> str:
    """Name of a profile for one device."""
    name = re.sub(r"\W", "_", device)
    return name if name[:1].isalpha() else f"p_{name}"


def own_profile(
    config: Path,
    device: str,
    driver: str,
    spec: DriverModels,
    points: Mapping[str, Any],
    labels: Mapping[str, str],
) -> Files:
    """A profile with a point table, beside the configuration.

    Args:
        config: the configuration.
        device: id of the device.
        driver: its driver.
        spec: the same.
        points: name of a tag → address; at least one.
        labels: name of a tag → what the device calls it, as far as it does.
    """
    name = profile_name(device)
    table, file = config.with_name(f"{device}.csv"), config.with_name(f"{device}.yaml")
    tags = [
        new_tag({"name": tag, **_label(labels.get(tag, ""))}, address, str(address))
        for tag, address in points.items()
    ]
    profile = {
        "name": name,
        "driver": driver,
        "source": "controller",
        "provenance": "found by qulink probe; names, types and scales are to be filled in",
        "verified_on_hardware": False,
        "groups": [{"name": GROUP, "interval_ms": INTERVAL_MS, "tags_file": table.name}],
    }
    return {
        table: table_bytes(sheets_of({GROUP: tags}, Style(spec, "text", "en")), table),
        file: document_text(profile).encode(),
    }


def _label(called: str) -> dict[str, str]:
    """The label of a tag, in the language of its script."""
    return {"label_en" if called.isascii() else "label_zh": called} if called else {}
