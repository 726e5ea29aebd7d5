"""Single places of a YAML file change; the rest stays to the letter."""

import pytest

from edge_config.files.yaml_edit import YamlEdit, document_text, scalar
from edge_config.files.yaml_file import parse
from edge_config.mistakes.problems import ConfigError

TEXT = """\
# 头 head
devices:   # all of them
  - id: a   # 甲
    profile: one

  # second
  - {id: b, profile: two}
empty:
list: [x.yaml]
last: 1"""


def edited(text: str = TEXT) -> YamlEdit:
    return YamlEdit(text, "g.yaml")


def test_a_value_is_replaced_and_nothing_else() -> None:
    edit = edited()
    edit.replace(("devices", 0, "profile"), "three four")
    edit.replace(("devices", 1, "profile"), "0012")
    assert edit.result() == TEXT.replace("one", '"three four"').replace("two", '"0012"').replace(
        '"0012"', "0012"
    )


def test_a_list_grows_in_each_of_its_forms() -> None:
    edit = edited()
    edit.append("devices", {"id": "c", "asset_no": "0012", "note": "no"})
    edit.append("empty", {"id": "d"})
    edit.append("list", "y.yaml")
    edit.append("new", "z.yaml")
    text = edit.result()
    assert text == (
        TEXT.replace("two}\n", "two}\n  - id: c\n    asset_no: '0012'\n    note: 'no'\n")
        .replace("empty:\n", "empty:\n  - id: d\n")
        .replace("[x.yaml]", '[x.yaml, "y.yaml"]')
        + "\nnew:\n  - z.yaml"
    )
    assert parse(text, "").data["devices"][2]["asset_no"] == "0012"


def test_a_key_with_its_block_is_renamed_and_comments_around_it_stay() -> None:
    text = (
        "g:\n  - name: a\n    tags:\n      # one\n      - {x: 1}\n      - x: 2\n  # next\n  - b\n"
    )
    edit = edited(text)
    edit.rename(("g", 0, "tags"), "tags_file", "a.csv")
    assert edit.result() == "g:\n  - name: a\n    tags_file: a.csv\n  # next\n  - b\n"


def test_what_an_alias_repeats_is_left_to_a_person() -> None:
    text = "a: &x {tags: [1]}\nb: *x\nc:\n  <<: *x\n"
    edit = edited(text)
    edit.rename(("b", "tags"), "tags_file", "t.csv")
    with pytest.raises(ConfigError, match="only a person can change; nothing was written"):
        edit.result()
    with pytest.raises(ConfigError, match="stands somewhere else"):
        edited(text).replace(("c", "tags"), "x")


def test_an_item_for_what_is_no_list_is_refused() -> None:
    with pytest.raises(ConfigError, match="last is no list; change it by hand"):
        edited().append("last", "x")


@pytest.mark.parametrize(
    "text", ["no", "0012", "12", "1e5", "a: b", "", "~", "0x10", "true", "中文", "a\\b", '"']
)
def test_texts_stay_texts(text: str) -> None:
    assert parse(f"a: {scalar(text)}\n", "").data == {"a": text}
    assert parse(document_text({"a": [text]}), "").data == {"a": [text]}
