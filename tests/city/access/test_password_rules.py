"""Passwords are refused for being short, common or one's own name; for nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.city.access.password_rules import LONGEST, SHORTEST, normal, weakness
from gateway.web.access.passwords import hash_password, is_password


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short words", "short"),
        ("Password1234!", "common"),
        ("p@ssw0rd123456", "common"),
        ("1234567890123456", "common"),
        ("qwertyuiop12", "common"),
        ("aaaaaaaaaaaaaa", "common"),
        ("aabbaabbaabb", "common"),
        ("qulinkqulink2026", "common"),
        ("wang.li2026!", "own"),
        ("Wang.LiWang.Li1", "own"),
        ("x" * (LONGEST + 1), "long"),
        ("correct horse battery", None),
        ("八百里路云和月三十功名尘", None),
        ("k7w2-q9zt-r4mx", None),
        ("my password is a river", None),
    ],
)
def test_what_is_refused_and_why(password: str, reason: str | None) -> None:
    assert weakness(normal(password), "wang.li", "王丽") == reason


@given(st.text(max_size=SHORTEST - 1))
def test_none_is_taken_that_is_too_short(password: str) -> None:
    assert weakness(password) == "short"


def test_one_spelling_for_what_looks_the_same() -> None:
    assert normal("ｐａｓｓａｇｅ１２３４") == "passage1234"


def test_only_the_password_fits_its_hash() -> None:
    kept = hash_password("correct horse battery")
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert is_password("correct horse battery", kept)
    assert not is_password("correct horse batterz", kept)
    assert not is_password("nobody", "")


def test_a_hash_of_before_is_still_known() -> None:
    kept = (
        "scrypt$2$1$1$73616c74$"
        "2501197cc8b7bb5be32e931a59c23b77b57d4cf962c38e8ced81fd31e71f773d"
        "8417119330bb8c0cabc2147d33f93a3cf32df31da64f15edd52a027ab94b4018"
    )
    assert is_password("correct horse", kept)
    assert not is_password("correct house", kept)
