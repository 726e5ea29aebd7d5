"""Accounts at the broker: who may have which, and that none is lost or left over."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import aiomqtt
import pytest

from gateway.city.registry.credentials import password_line, set_line, users
from gateway.cli.user import system_user
from tests.deploy.test_broker_rules import fill_enterprise, write_city
from tests.support.city import USCC
from tests.support.command import qulink
from tests.support.shipped_broker import ShippedMosquitto


@pytest.fixture
def passwords(tmp_path: Path) -> Iterator[Path]:
    """The password file of a city in ``tmp_path`` that has an enterprise."""
    file = tmp_path / "passwords"
    set_line(file, "city", password_line("city", "city-secret", 1))
    write_city(tmp_path, 1, file)
    fill_enterprise(tmp_path)
    yield file


def on(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return qulink("city", "gateway", *arguments, "-c", str(folder / "city.yaml"))


@pytest.mark.parametrize("name", ["city", "city-2", "console", "admin", "root"])
def test_nobody_is_enrolled_as_the_city(tmp_path: Path, passwords: Path, name: str) -> None:
    before = passwords.read_text()
    done = on(tmp_path, "add", "--id", name, "--enterprise", USCC)
    assert (done.returncode, done.stdout) == (1, "")
    assert "is reserved" in done.stderr
    assert passwords.read_text() == before


def test_the_citys_own_user_is_reserved_whatever_it_is_called(
    tmp_path: Path, passwords: Path
) -> None:
    config = tmp_path / "city.yaml"
    config.write_text(config.read_text().replace("broker:\n", "broker:\n  username: bureau\n"))
    done = on(tmp_path, "add", "--id", "bureau", "--enterprise", USCC)
    assert (done.returncode, done.stdout) == (1, "")
    assert "is reserved" in done.stderr


def test_an_account_that_no_enrolment_made_is_not_taken_over(
    tmp_path: Path, passwords: Path
) -> None:
    set_line(passwords, "monitor", password_line("monitor", "x", 1))
    before = passwords.read_text()
    done = on(tmp_path, "add", "--id", "monitor", "--enterprise", USCC)
    assert (done.returncode, done.stdout) == (1, "")
    assert "has an account monitor that no enrolment made" in done.stderr
    assert passwords.read_text() == before
    assert on(tmp_path, "list").stdout == ""


def test_every_account_is_accounted_for(tmp_path: Path, passwords: Path) -> None:
    for name in ("gw-1", "gw-2"):
        assert on(tmp_path, "add", "--id", name, "--enterprise", USCC).returncode == 0
    told = on(tmp_path, "accounts")
    assert (told.returncode, told.stdout) == (0, "city\tcity\ngw-1\tgateway\ngw-2\tgateway\n")
    line = next(one for one in passwords.read_text().splitlines() if one.startswith("gw-2:"))
    assert on(tmp_path, "revoke", "--id", "gw-2").returncode == 0
    set_line(passwords, "gw-2", line)  # as from an old copy of the file
    set_line(passwords, "stranger", password_line("stranger", "x", 1))
    told = on(tmp_path, "accounts")
    assert told.returncode == 1
    assert told.stdout.splitlines()[2:] == ["gw-2\trevoked", "stranger\tunknown"]
    assert "remove the accounts that nobody should have: gw-2, stranger" in told.stderr


def test_the_audit_log_tells_of_enrolment_and_revocation(tmp_path: Path, passwords: Path) -> None:
    add = ("add", "--id", "gw-1", "--enterprise", USCC)
    for command in (add, add, ("revoke", "--id", "gw-1"), ("revoke", "--id", "gw-1")):
        on(tmp_path, *command)
    assert on(tmp_path, "add", "--id", "city", "--enterprise", USCC).returncode == 1
    config = ("-c", str(tmp_path / "city.yaml"))
    told = [line.split("\t") for line in qulink("city", "audit-log", *config).stdout.splitlines()]
    assert [line[2:] for line in told] == [
        ["enrolled", "gw-1", f"{USCC} 1"],
        ["renewed", "gw-1", f"{USCC} 1"],
        ["revoked", "gw-1", ""],
    ]
    assert {line[1] for line in told} == {system_user()}
    later = qulink("city", "audit-log", "--since", "2200-01-01", *config)
    assert (later.returncode, later.stdout) == (0, "")
    assert qulink("city", "end-sessions", *config).stdout == "0 sessions ended\n"


def add_many(file: Path, first: int) -> None:
    for number in range(first, first + 40):
        set_line(file, f"gw-{number}", f"gw-{number}:x")


def test_no_account_is_lost_where_several_change_the_file(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    with ProcessPoolExecutor(4) as pool:
        for done in [pool.submit(add_many, file, first) for first in (0, 40, 80, 120)]:
            done.result()
    assert sorted(users(file)) == sorted(f"gw-{number}" for number in range(160))


async def test_the_citys_account_is_made_without_showing_its_password(tmp_path: Path) -> None:
    """As the guide does: by standard input, so that no list of processes holds it."""
    secret = "a-secret-of-some-length"
    account = ("city", "broker-account", "--user", "city")
    with ShippedMosquitto(tmp_path) as broker:
        broker.stop()
        made = qulink(*account, "--file", broker.passwords, said=f"{secret}\n")
        assert made.returncode == 0, made.stderr
        assert secret not in made.stdout + broker.passwords.read_text()
        broker.start()
        login = {"username": "city", "password": secret}
        async with aiomqtt.Client("127.0.0.1", broker.port, **login):
            pass
        with pytest.raises(aiomqtt.MqttError):
            async with broker.city():  # with its old password
                pass


@pytest.mark.parametrize(
    ("user", "password"), [("city", "short"), ("a:b", "x" * 20), ("", "x" * 20)]
)
def test_an_account_that_cannot_be_is_refused(tmp_path: Path, user: str, password: str) -> None:
    file = tmp_path / "passwords"
    done = qulink("city", "broker-account", "--user", user, "--file", file, said=password)
    assert done.returncode == 1
    assert password not in done.stderr
    assert not file.exists()


def test_with_certificates_enrolment_makes_no_password(tmp_path: Path, passwords: Path) -> None:
    config = tmp_path / "city.yaml"
    text = config.read_text()
    config.write_text(text.replace("password_file: ", "gateway_login: certificate #"))
    before = passwords.read_text()
    done = on(tmp_path, "add", "--id", "gw-1", "--enterprise", USCC)
    assert (done.returncode, passwords.read_text()) == (0, before)
    assert "password" not in done.stdout
    assert "authority gateway gw-1" in done.stdout
    done = on(tmp_path, "revoke", "--id", "gw-1")
    assert "authority revoke gw-1" in done.stdout
    config.write_text(text + "  \n")
    config.write_text(text.replace("broker:\n", "broker:\n  gateway_login: certificate\n"))
    assert "with 'gateway_login: certificate' leave it out" in on(tmp_path, "list").stderr
