"""Which node a city registers at: each kind is read whole, and each mistake has its line."""

from datetime import date
from pathlib import Path

import pytest

from edge_config.loading.load import load_city
from edge_config.mistakes.problems import ConfigError
from edge_config.models.identifiers.registries import SnmsNode
from gateway.identifier.registering.composing import registry_of

CITY = """city: {region: "330800", name_zh: 衢州, name_en: Quzhou}
broker: {url: "mqtt://127.0.0.1:1883"}
identifier: {prefix: "88.999"}
"""
SNMS = """node:
  type: snms
  url: https://node.example/api
  username: 88.999.1/App
  password: {file: secret}
  paths: {login: /identity/token/v1, data: /identity/data, template: /snms/api/template/v1}
  words: {超出配额: quota used up, 已登记: exists}
  codes: {-5: busy}
  success: [成了]
"""
IDHUB = """node:
  type: idhub
  url: https://node.example
  application: 88.999.1/App_qulink
  key: {file: key.pem}
  meta: "{prefix}/META_{version}_a"
  codes: {40508: denied}
"""
HANDLE_JSON = """node:
  type: handle-json
  url: https://node.example
  identity: 300:88.999.1/ADMIN
  login: {type: certificate}
  tls: {cert_file: a.crt, key_file: a.key}
"""
NATIVE = """node:
  type: native
  address: 192.0.2.1:2641
  identity: 300:88.999.1/ADMIN
  login: {type: secret-key, secret: {file: secret}}
"""


def written(folder: Path, node: str) -> Path:
    (folder / "secret").write_text("correct horse", encoding="utf-8")
    file = folder / "city.yaml"
    file.write_text(CITY + node, encoding="utf-8")
    return file


@pytest.mark.parametrize("node", [SNMS, IDHUB, NATIVE], ids=["snms", "idhub", "native"])
async def test_each_kind_of_node_becomes_a_registry(tmp_path: Path, node: str) -> None:
    config = load_city(written(tmp_path, node)).node
    registry = registry_of(config, 5.0, lambda: date(2026, 11, 28))
    await registry.close()
    assert config.type in registry.name.lower()


async def test_a_certificate_that_is_not_there_is_told_at_the_start(tmp_path: Path) -> None:
    config = load_city(written(tmp_path, HANDLE_JSON)).node
    with pytest.raises(OSError, match=r"a\.crt with .*a\.key cannot be used"):
        registry_of(config, 5.0, lambda: date(2026, 11, 28))


@pytest.mark.parametrize(
    ("node", "line", "why"),
    [
        (SNMS.replace("quota used up", "quota"), 10, "words"),
        (SNMS.replace("-5: busy", "x: busy"), 11, "codes"),
        (SNMS.replace("/identity/data", "identity/data"), 9, "must be a path that begins with /"),
        (SNMS.replace("https", "http"), 4, "in the clear"),
        (IDHUB.replace("{version}", "{versoin}"), 9, "must be {prefix}/ and a name with {version}"),
        (IDHUB.replace("/App_qulink", ""), 7, "must be prefix/suffix"),
        (HANDLE_JSON.replace("300:", ""), 7, "must be index:prefix/suffix"),
        (HANDLE_JSON.replace("cert_file: a.crt, key_file: a.key", ""), 4, "tls.cert_file"),
        (NATIVE.replace(":2641", ""), 6, "must be host:port"),
        (NATIVE.replace("secret-key", "password"), 8, "login"),
        ("node: {type: nativ}", 4, "'native'"),
    ],
)
def test_mistakes_have_their_line(tmp_path: Path, node: str, line: int, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_city(written(tmp_path, node))
    told = [str(one) for one in caught.value.problems]
    assert any(f":{line}:" in one and why in one for one in told), told


def test_files_of_nodes_and_sources_lie_beside_the_configuration(tmp_path: Path) -> None:
    source = "    - {type: snms, url: http://127.0.0.1:1, username: u, password: {file: secret}}\n"
    config = load_city(written(tmp_path, f"{SNMS}resolver:\n  sources:\n{source}"))
    assert isinstance(config.node, SnmsNode)
    (asked,) = config.resolver.sources
    assert isinstance(asked, SnmsNode)
    assert config.node.password.file == asked.password.file == tmp_path / "secret"
    assert config.resolver.path == config.data_dir / "resolved.db"
