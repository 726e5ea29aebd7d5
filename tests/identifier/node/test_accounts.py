"""Users, and by what they show who they are."""

import stat
from pathlib import Path

import pytest

from gateway.identifier.node.keeping import audit, secrets, users
from gateway.identifier.node.keeping.secrets import KEY_FILE, Seal, SealError
from gateway.identifier.node.keeping.tables import admin_key
from gateway.identifier.node.keeping.users import AdminKey, Role
from gateway.identifier.node.rights import accounts
from gateway.identifier.node.rights.principal import NOBODY, principal_of
from gateway.identifier.registering.registry import Outcome
from gateway.relational.database import Database
from gateway.web.access.passwords import is_password
from tests.identifier.node.acting import CLERK, NOW_MS, ROOT, Node

PLACE = ("300:88.999.QZ01/ADMIN".partition(":")[2], 300)


def test_administrators_keep_users_and_nobody_else(database: Database) -> None:
    node = Node(database)
    for who in (NOBODY, CLERK, node.principal("qz01")):
        assert node.do(accounts.add, who, "x", Role.ADMINISTRATOR, "").outcome is Outcome.DENIED
        assert node.do(accounts.disable, who, "qz02").outcome is Outcome.DENIED
        assert node.do(accounts.set_password, who, "qz02", "long enough").outcome is Outcome.DENIED
        assert node.do(accounts.make_credential, who, "app", "qz02")[0].outcome is Outcome.DENIED
    assert node.do(accounts.add, ROOT, "qz01", Role.REVIEWER, "").outcome is Outcome.EXISTS
    for name, enterprise in (("a b", "firm"), ("x" * 65, "firm"), ("new", " ")):
        done = node.do(accounts.add, ROOT, name, Role.ENTERPRISE, enterprise)
        assert done.outcome is Outcome.INVALID
    assert [one.name for one in database.run_now(users.listed)] == ["qz01", "qz02"]


def test_a_disabled_user_is_nobody_at_once_and_for_ever(database: Database) -> None:
    node = Node(database)
    done, secret = node.do(accounts.make_credential, node.principal("qz01"), "app", "qz01")
    assert done.outcome is Outcome.OK
    assert len(secret) >= 43
    known = database.run_now(users.credential_of, "app")
    assert known == ("qz01", secrets.digest_of(secret))
    token = database.run_now(users.new_token, "qz01", NOW_MS, NOW_MS + 9)
    assert database.run_now(users.token_user, token, NOW_MS) == "qz01"
    assert database.run_now(users.token_user, token, NOW_MS + 9) is None
    assert node.do(accounts.disable, ROOT, "qz01").outcome is Outcome.OK
    assert database.run_now(principal_of, "qz01") == NOBODY
    assert database.run_now(users.token_user, token, NOW_MS) is None
    assert database.run_now(users.credential_of, "app") is None
    assert node.do(accounts.add, ROOT, "qz01", Role.REVIEWER, "").outcome is Outcome.EXISTS


def test_an_applications_name_is_one_users(database: Database) -> None:
    node = Node(database)
    own, other = node.principal("qz01"), node.principal("qz02")
    _, first = node.do(accounts.make_credential, own, "app", "qz01")
    _, second = node.do(accounts.make_credential, own, "app", "qz01")
    assert first != second
    assert database.run_now(users.credential_of, "app") == ("qz01", secrets.digest_of(second))
    assert node.do(accounts.make_credential, other, "app", "qz02")[0].outcome is Outcome.EXISTS
    assert node.do(accounts.revoke_credential, other, "app").outcome is Outcome.DENIED
    assert node.do(accounts.revoke_credential, own, "app").outcome is Outcome.OK
    assert database.run_now(users.credential_of, "app") is None
    log = " ".join(f"{one.subject} {one.detail}" for one in database.run_now(audit.newest, 99))
    assert first not in log
    assert second not in log


def test_passwords_are_hashed_and_end_tokens(database: Database) -> None:
    node = Node(database)
    own = node.principal("qz01")
    assert node.do(accounts.set_password, own, "qz01", "short").outcome is Outcome.INVALID
    token = database.run_now(users.new_token, "qz01", NOW_MS, NOW_MS + 9)
    assert node.do(accounts.set_password, own, "qz01", "long enough \ud800").outcome is Outcome.OK
    assert database.run_now(users.token_user, token, NOW_MS) is None
    kept = database.run_now(users.password_of, "qz01")
    assert kept.startswith("$argon2id$")
    assert is_password("long enough \ud800", kept)
    assert not is_password("long enough", kept)
    assert not is_password("", database.run_now(users.password_of, "nobody"))


def test_a_user_has_so_many_tokens_and_the_oldest_go(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, "MAX_TOKENS", 2)
    Node(database)
    made = [database.run_now(users.new_token, "qz01", NOW_MS, NOW_MS + n) for n in (1, 2, 3)]
    assert [database.run_now(users.token_user, one, NOW_MS) for one in made] == [
        None,
        "qz01",
        "qz01",
    ]


def test_secret_keys_are_sealed_by_a_file_of_its_owner(database: Database, tmp_path: Path) -> None:
    node = Node(database)
    seal = Seal(tmp_path / "data")
    assert stat.S_IMODE((tmp_path / "data" / KEY_FILE).stat().st_mode) == 0o600
    key = AdminKey("qz01", "HS_SECKEY", b"open sesame")
    assert node.do(accounts.set_key, node.principal("qz02"), seal, PLACE, key).outcome is (
        Outcome.DENIED
    )
    mine = AdminKey("qz02", "HS_SECKEY", b"mine")
    done = node.do(accounts.set_key, node.principal("qz02"), seal, PLACE, mine)
    assert done.outcome is Outcome.DENIED, "another's place"
    own = node.principal("qz01")
    assert node.do(accounts.set_key, own, seal, PLACE, key).outcome is Outcome.OK
    with database.engine.connect() as connection:
        kept = connection.execute(admin_key.select()).one().content
    assert b"sesame" not in kept
    again = Seal(tmp_path / "data")
    assert database.run_now(users.admin_key_at, again, ("88.999.qz01/admin", 300)) == key
    assert "sesame" not in repr(key)
    (tmp_path / "data" / KEY_FILE).unlink()
    with pytest.raises(SealError, match="sealed with another"):
        database.run_now(users.admin_key_at, Seal(tmp_path / "data"), PLACE)
    (tmp_path / "data" / KEY_FILE).write_text("no key")
    with pytest.raises(SealError, match="holds no key"):
        Seal(tmp_path / "data")
    drop = node.do(accounts.drop_key, node.principal("qz02"), PLACE)
    assert drop.outcome is Outcome.DENIED
    assert node.do(accounts.drop_key, own, PLACE).outcome is Outcome.OK
    assert database.run_now(users.admin_key_at, again, PLACE) is None
