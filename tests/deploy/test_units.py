"""The systemd units are well-formed and hardened, and the guide fits them."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from edge_config.loading.load import load_city, load_gateway
from gateway.drivers.registry import installed
from tests.support.peers import program
from tests.support.waiting import SOON_S

UNITS = sorted((Path(__file__).parents[2] / "deploy" / "systemd").glob("*.service"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_nothing_wrong(unit: Path, tmp_path: Path) -> None:
    copy = tmp_path / unit.name  # the program need not be installed where the unit says
    copy.write_text(unit.read_text().replace("/opt/qulink/bin/qulink", "/bin/true"))
    verify = program("systemd-analyze", "systemd")
    done = subprocess.run(
        [verify, "verify", "--man=no", str(copy)],
        check=False,
        capture_output=True,
        text=True,
        timeout=SOON_S,
    )
    complaints = [line for line in done.stderr.splitlines() if unit.name in line]
    assert complaints == []
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_service_has_no_more_rights_than_it_needs(unit: Path) -> None:
    analyze = program("systemd-analyze", "systemd")
    most = "--threshold=15"  # exposure × 10; 100 is an unprotected service
    done = subprocess.run(
        [analyze, "security", "--offline=true", most, str(unit)],
        check=False,
        capture_output=True,
        text=True,
        timeout=SOON_S,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_guide_names_every_file_of_a_unit(unit: Path) -> None:
    guide = (unit.parents[1] / "README.md").read_text()
    name = unit.name.replace("@.", "@1.")  # as its first instance
    text = unit.read_text().replace("%i", "1")
    files = re.findall(
        r"^(?:ExecStart=\S+ .*|WorkingDirectory=|LoadCredential=\S+:)(/\S+)$", text, re.MULTILINE
    )
    files += [
        f"/run/credentials/{name}/{credential}"
        for credential in re.findall(r"^LoadCredential=([\w-]+):", text, re.MULTILINE)
    ]
    assert len(files) >= 2
    assert [file for file in files if file not in guide] == []


@pytest.mark.parametrize("site", ["city", "gateway"])
def test_the_guides_configurations_are_right(site: str, tmp_path: Path) -> None:
    deploy = UNITS[0].parents[1]
    blocks = re.findall(r"```yaml\n(.*?)```", (deploy / "README.md").read_text(), re.DOTALL)
    sample = "city.yaml" if site == "city" else "bearing-line.yaml"
    samples = deploy.parent / "edge_config" / "samples"
    whole = yaml.safe_load((samples / sample).read_text("utf-8"))
    for key, value in yaml.safe_load(blocks[site == "gateway"]).items():
        whole[key] = whole[key] | value if isinstance(value, dict) else value
    file = tmp_path / f"{site}.yaml"
    file.write_text(yaml.safe_dump(whole, allow_unicode=True), "utf-8")
    assert load_city(file) if site == "city" else load_gateway(file, installed())


def test_each_program_has_a_unit() -> None:
    assert [unit.name for unit in UNITS] == [
        "qulink-city-worker@.service",
        "qulink-city.service",
        "qulink-edge.service",
        "qulink-node.service",
    ]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_ordered_after_the_time_service_and_waits_for_none(unit: Path) -> None:
    """``time-sync.target`` is reached late, or never, where nothing sets the clock."""
    lines = unit.read_text().splitlines()
    (order,) = (line for line in lines if line.startswith("After="))
    assert "time-sync.target" in order.split("=")[1].split()
    assert [line for line in lines if "time-" in line] == [order]
