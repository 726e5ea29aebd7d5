"""The configuration file of a city that lives as long as a measurement."""

from pathlib import Path

import yaml

from tests.support.peers import free_port


def write_city(folder: Path, broker: str, port: int, **more: object) -> Path:
    """Write ``city.yaml`` of a demonstration that keeps all it has below a folder.

    Args:
        folder: for the file and for ``data``.
        broker: URL.
        port: of the console; it tells, by listening, that the city is ready.
        more: further sections, as an operator writes them.
    """
    sections = {
        "city": {"region": "330800", "name_zh": "基准", "name_en": "Bench"},
        "demonstration": True,
        "data_dir": "data",
        "broker": {"url": broker},
        "identifier": {"prefix": "88.999"},
        "console": {"listen": f"127.0.0.1:{port}"},
        "node": {"type": "embedded", "listen": f"127.0.0.1:{free_port()}"},
    }
    file = folder / "city.yaml"
    file.write_text(yaml.safe_dump(sections | more, allow_unicode=True), encoding="utf-8")
    return file
