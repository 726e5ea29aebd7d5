"""No secret in a URL, none in the clear to another machine, and none in a message."""

from typing import Any

import pytest

from edge_config.files.document import Document
from edge_config.mistakes.explain import validate
from edge_config.mistakes.problems import Problem
from edge_config.models.city import (
    BrokerConfig,
    DatabaseConfig,
    Influx1Store,
    Influx2Store,
)
from edge_config.models.gateway import QulinkNorthbound
from edge_config.models.identifiers.registries import HandleJsonNode, IdhubNode, SnmsNode
from edge_config.models.plain import demand_no_secret, without_secrets
from edge_config.models.settings import Settings
from edge_config.models.validation import validated

SECRET = {"env": "QULINK_SECRET"}
INFLUX2 = {"type": "influxdb2", "org": "o", "bucket": "b", "token": SECRET}
INFLUX1 = {"type": "influxdb1", "database": "d", "password": SECRET}
SNMS = {"type": "snms", "username": "u", "password": SECRET}
IDHUB = {"type": "idhub", "application": "88.1.1/App", "key": SECRET}
HANDLE_JSON = {
    "type": "handle-json",
    "identity": "300:88.1.1/ADMIN",
    "login": {"type": "password", "password": SECRET},
}


def problems_of(model: type[Settings], given: dict[str, Any]) -> str:
    """What an operator would be told."""
    problems: list[Problem] = []
    validate(model, given, Document("city.yaml", given).problem, problems)
    return "\n".join(map(str, problems))


def case(model: type[Settings], url: str, **more: Any) -> Any:
    return pytest.param(model, {"url": url} | more, id=f"{model.__name__}-{url}")


REMOTE = [
    case(BrokerConfig, "mqtt://city.example", password=SECRET),
    case(BrokerConfig, "mqtt://10.0.0.7:1883", password=SECRET),
    case(BrokerConfig, "mqtt://[2001:db8::1]:1883", password=SECRET),
    case(QulinkNorthbound, "mqtt://city.example:1883", password=SECRET),
    case(Influx1Store, "http://influx.example:8086", **INFLUX1),
    case(Influx2Store, "http://10.0.0.7:8086", **INFLUX2),
    case(SnmsNode, "http://node:3000", **SNMS),
    case(IdhubNode, "http://node:3000", **IDHUB),
    case(HandleJsonNode, "http://node:8000", **HANDLE_JSON),
    case(DatabaseConfig, "postgresql://qulink@db.example/city", password=SECRET),
    case(DatabaseConfig, "postgresql://qulink@db/city?sslmode=prefer", password=SECRET),
    case(DatabaseConfig, "postgresql+psycopg:///city?host=10.0.0.7", password=SECRET),
]


@pytest.mark.parametrize(("model", "given"), REMOTE)
def test_a_secret_in_the_clear_to_another_machine_is_refused_unless_told(
    model: type[Settings], given: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="travel in the clear"):
        validated(model, given)
    assert validated(model, given | {"allow_plain": True})


@pytest.mark.parametrize(
    ("model", "given"),
    [
        case(BrokerConfig, "mqtt://127.0.0.1:1883", password=SECRET),
        case(BrokerConfig, "mqtt://localhost", password=SECRET),
        case(BrokerConfig, "mqtt://[::1]:1883", password=SECRET),
        case(BrokerConfig, "mqtts://city.example", password=SECRET),
        case(BrokerConfig, "mqtt://city.example"),  # there is nothing to steal
        case(QulinkNorthbound, "mqtts://city.example", password=SECRET),
        case(Influx2Store, "https://influx.example", **INFLUX2),
        case(SnmsNode, "http://127.0.0.1:3000", **SNMS),
        case(DatabaseConfig, "postgresql://qulink@127.0.0.1/city", password=SECRET),
        case(DatabaseConfig, "postgresql:///city?host=/run/postgresql", password=SECRET),
        case(DatabaseConfig, "postgresql://q@db/city?sslmode=verify-full", password=SECRET),
        case(DatabaseConfig, "postgresql://q@db/city"),
        case(DatabaseConfig, "sqlite:///city.db", password=SECRET),
    ],
)
def test_what_is_safe_needs_no_word(model: type[Settings], given: dict[str, Any]) -> None:
    assert validated(model, given)


@pytest.mark.parametrize(
    ("model", "given"),
    [
        case(DatabaseConfig, "postgresql://q@127.0.0.1/city?password=hunter2"),
        case(DatabaseConfig, "postgresql://q@127.0.0.1/city?sslpassword=hunter2&x=1"),
        case(DatabaseConfig, "postgresql://q:hunter2@127.0.0.1/city"),
        case(DatabaseConfig, "postgresql://127.0.0.1/city?user=q&PASSWORD=hunter2"),
        case(Influx1Store, "http://127.0.0.1:8086?u=a&p=hunter2", type="influxdb1", database="d"),
        case(Influx1Store, "http://q:hunter2@127.0.0.1", type="influxdb1", database="d"),
        case(Influx2Store, "http://127.0.0.1:8086?token=hunter2", **INFLUX2),
        case(SnmsNode, "http://127.0.0.1/x?api_key=hunter2", **SNMS),
        case(BrokerConfig, "mqtt://127.0.0.1?password=hunter2"),
        case(BrokerConfig, "mqtt://q:hunter2@127.0.0.1"),
        case(QulinkNorthbound, "mqtts://127.0.0.1#hunter2"),
    ],
)
def test_a_secret_in_a_url_is_refused_and_not_repeated(
    model: type[Settings], given: dict[str, Any]
) -> None:
    told = problems_of(model, given)
    assert told
    assert "hunter2" not in told or "#hunter2" in given["url"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://q:x@h/d?password=y&z=1", "postgresql://…@h/d?password=…&z=…"),
        ("mqtt://h:1883", "mqtt://h:1883"),
        ("what is this?", "what is this?"),
    ],
)
def test_messages_show_urls_without_what_may_be_secret(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


def test_what_is_no_secret_may_stand_in_a_url() -> None:
    url = "postgresql://q@h/d?sslmode=verify-full&application_name=city&passfile=/etc/pgpass"
    assert demand_no_secret(url) == url


@pytest.mark.parametrize("password", ["pa/ss", "p@ss", "p@/s/s", "0a/b", "#/?x"])
def test_a_password_that_should_have_been_quoted_is_still_one(password: str) -> None:
    """The database's library takes all up to the last @ for the password, quoted or not."""
    url = f"postgresql://qulink:{password}@db.example/city"
    with pytest.raises(ValueError, match="holds a password"):
        demand_no_secret(url)
    shown = "cannot open postgresql://…@db.example/city now"
    assert without_secrets(f"cannot open {url} now") == shown


@pytest.mark.parametrize(
    "url",
    [
        "mqtt://h:8883/a@b", "http://[2001:db8::1]:8086/a@b", "https://h/a:b@c",
        "postgresql://qulink@db:5432/city",
    ],
)  # fmt: skip
def test_an_at_sign_behind_the_host_is_no_password(url: str) -> None:
    assert demand_no_secret(url) == url
