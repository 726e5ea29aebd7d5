"""``qulink city alerts``: what goes on, and whether a message arrives, as its user types it."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.main import build
from tests.alerts.smtp import free_port, mail_server, mails

_CITY = """
city: {{region: "330800", name_zh: 衢州市, name_en: Quzhou}}
data_dir: {folder}
broker: {{url: "mqtt://127.0.0.1:1883"}}
identifier: {{prefix: "88.999"}}
alerts:
  mail:
    url: smtp://127.0.0.1:{port}
    sender: qulink@jxj.example.cn
    domains: [jxj.example.cn]
"""


@pytest.fixture
def port(tmp_path: Path) -> int:
    found = free_port()
    (tmp_path / "city.yaml").write_text(_CITY.format(folder=tmp_path / "city", port=found))
    return found


def ask(folder: Path, *words: str) -> tuple[int, str]:
    arguments = ["city", "alerts", *words, "-c", str(folder / "city.yaml")]
    done = CliRunner().invoke(build(arguments), arguments)
    return done.exit_code, done.output


async def test_a_test_message_arrives(tmp_path: Path, port: int) -> None:
    box = tmp_path / "box"
    box.mkdir()
    to = ("test", "mail", "--to", "wang.li@jxj.example.cn")
    code, said = await asyncio.to_thread(ask, tmp_path, *to)
    assert (code, f"mail server 127.0.0.1:{port}" in said) == (1, True)
    async with mail_server(box, port):
        assert (await asyncio.to_thread(ask, tmp_path, *to))[0] == 0
    ((_, mail),) = mails(box)
    assert mail["Subject"] == "[衢州市] 测试通知"


def test_what_is_not_configured_is_named(tmp_path: Path, port: int) -> None:
    assert port
    code, said = ask(tmp_path, "test", "duty-room")
    assert (code, "'duty-room'" in said) == (1, True)
    code, said = ask(tmp_path, "test", "mail", "--to", "w@example.com")
    assert (code, "jxj.example.cn" in said) == (1, True)
    assert ask(tmp_path, "list") == (0, "")
    assert ask(tmp_path, "queue") == (0, "")
