"""A small configuration that is right, to be changed by tests."""

from pathlib import Path

GATEWAY = """\
gateway: {id: gw-1, enterprise_uscc: 91330800MA2DGX3Y5B}
profiles:
  - name: press
    driver: modbus
    source: controller
    groups:
      - name: fast
        interval_ms: 500
        tags_file: points.csv
devices:
  - id: press-1
    driver: modbus
    profile: press
    asset_no: 0012
    connection: {host: 127.0.0.1}
  - id: press-2
    driver: modbus
    profile: press
    asset_no: P-2
    connection: {host: 127.0.0.1, unit: 2}
northbound: [{url: "mqtt://127.0.0.1", password: {file: secret.txt}}]
"""

CITY = """\
city: {region: "330800", name_zh: 衢州, name_en: Quzhou}
data_dir: data
broker: {url: "mqtt://127.0.0.1", password_file: passwd}
identifier: {prefix: "88.999"}
"""

POINTS = "name,address,unit,scale\nspeed,holding:0:float32,m/s,\nstroke,holding:2,mm,0.1\n"


def write_gateway(folder: Path, text: str = GATEWAY, points: str | bytes = POINTS) -> Path:
    """The files of an edge; returns the configuration."""
    body = points if isinstance(points, bytes) else points.encode("utf-8")
    (folder / "points.csv").write_bytes(body)
    return write(folder / "gateway.yaml", text)


def write(file: Path, text: str) -> Path:
    """Write a text file in UTF-8."""
    file.write_text(text, encoding="utf-8")
    return file
