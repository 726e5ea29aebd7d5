"""A gateway with tags in the YAML file and in a table of its people."""

from collections.abc import Sequence
from pathlib import Path

from edge_config.loading.load import load_gateway
from edge_config.loading.resolved import ResolvedTag
from gateway.drivers.registry import installed
from tests.config.examples import write

GATEWAY = """\
# 一车间 workshop 1
gateway: {id: gw-1, enterprise_uscc: 91330800MA2DGX3Y5B}
profiles:
  - name: press   # 冲床
    driver: modbus
    source: controller
    groups:
      - name: fast
        interval_ms: 500   # quick
        tags:
          # of the drive
          - {name: speed, address: "holding:0:float32", unit: m/s}
          - {name: force, address: {table: holding, address: 2, type: int16}, scale: 0.1}
      # the slow ones
      - name: slow
        tags_file: slow.csv
devices:
  - id: press-1
    driver: modbus
    profile: press
    asset_no: 0012   # as on the plate
    connection: {host: 127.0.0.1}
"""
SLOW = "测点,地址,备注,单位\noil,holding:100,装在左侧,°C\n"


def plant(folder: Path, text: str = GATEWAY, slow: str = SLOW) -> Path:
    """The files; returns the configuration."""
    write(folder / "slow.csv", slow)
    return write(folder / "gateway.yaml", text)


def tags(config: Path, group: str, device: int = 0) -> Sequence[ResolvedTag]:
    groups = load_gateway(config, installed()).devices[device].groups
    return next(one.tags for one in groups if one.name == group)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}
