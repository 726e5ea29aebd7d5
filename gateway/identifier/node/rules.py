"""What the node accepts as an identifier or template, with the messages of SNMS. Pure.

A refusal is a Chinese message for the caller; ``None`` means that nothing is wrong.
"""

import re
from collections.abc import Container, Mapping, Sequence
from typing import Any

from gateway.identifier.codes.handle import MAX_HANDLE
from gateway.identifier.irp.values import Value
from gateway.identifier.registering.marking import MAX_REASON
from gateway.identifier.template import FIRST_INDEX
from gateway.identifier.visibility import FIELD, Seen

MAX_BATCH = 2_000
MAX_VERSION = 128
MAX_PREFIX = 64
MAX_TYPE = 128
MAX_VALUE = 255
MAX_INDEX = 2**31 - 1
"""What all who speak the native protocol can count to."""
MAX_VALUES = 500
"""Of one identifier, and items of one template."""
MAX_OCTETS = 64 * 1024
"""Of all values of one identifier."""

SUCCESS = "成功"
EXISTS = "标识已存在"
ABSENT = "标识不存在"
NOT_FOUND = "没有找到标识"
NO_TEMPLATE = "模板不存在"
TEMPLATE_EXISTS = "模板已存在"
WRONG_LOGIN = "用户名/密码错误！"
TOO_OFTEN = "登录失败次数过多，请稍后再试"
NOT_LOGGED_IN = "未登录"
TOO_MANY = f"批量操作的标识数量不能超过{MAX_BATCH}"
TOO_MANY_REQUESTS = "请求过于频繁，请稍后再试"
BAD_REASON = "原因含有无效字符"
LONG_REASON = f"原因长度不能超过{MAX_REASON}"
NO_JSON = "请求体不是有效的JSON"

_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_LINE = re.compile("[^\0-\x1f\x7f-\x9f\u2028\u2029]*")

Json = dict[str, Any]


def missing(name: str) -> str:
    """The message for a parameter that is not there."""
    return f"缺少必要的请求参数: {name}"


def handle_problem(handle: object) -> str | None:
    """What is wrong with a handle."""
    if not isinstance(handle, str) or not handle:
        return missing("handle")
    prefix, slash, suffix = handle.partition("/")
    if not slash or not prefix or not suffix or not is_key(handle):
        return "标识格式错误，应为 前缀/后缀"
    return "标识长度不能超过255" if len(handle) > MAX_HANDLE else None


def foreign_prefix(handle: str, own: str) -> str | None:
    """What is wrong with a handle or prefix that is not of this node; case does not matter.

    Args:
        handle: ``prefix/suffix``, or the prefix alone.
        own: country and industry node, as ``88.999``; the enterprise's code follows it.
    """
    prefix = handle.partition("/")[0].upper()
    belongs = prefix == own.upper() or prefix.startswith(f"{own.upper()}.")
    return None if belongs else f"前缀{prefix}不属于本节点{own}"


def nearest(prefix: str, known: Container[str]) -> str | None:
    """Of known prefixes, in upper case, the one that this one is, or stands below; case apart."""
    one = prefix.upper()
    while one and one not in known:
        one = one.rpartition(".")[0]
    return one or None


def not_usable(prefix: str) -> str:
    """The message for a prefix where its own enterprise changes nothing for now."""
    return f"前缀{prefix}已暂停或已由其他节点应答，不能注册、变更或删除标识"


def not_allotted(prefix: str) -> str:
    """The message for a prefix that is not the caller's to register below."""
    return f"前缀{prefix}未分配给当前用户"


def over_quota(per_day: int) -> str:
    """The message for what is more than a user may register on a day."""
    return f"今日注册数量已达上限{per_day}"


def is_key(text: str) -> bool:
    """Whether a text can be a key: no spaces, no control characters, no lone surrogates."""
    return text != "" and text.isprintable() and " " not in text  # other spaces are not printable


def record_problem(body: object) -> str | None:
    """What is wrong with a registration before its template is looked at."""
    if not isinstance(body, dict):
        return "请求参数格式错误"
    problem = handle_problem(body.get("handle"))
    if problem:
        return problem
    version = body.get("templateVersion")
    if not isinstance(version, str) or not _text(version, 1, MAX_VERSION) or not is_key(version):
        return missing("templateVersion")
    if not isinstance(body.get("value"), list):
        return missing("value")
    return next(filter(None, map(_value_problem, body["value"])), None)


def _text(value: object, least: int, most: int) -> bool:
    return isinstance(value, str) and least <= len(value) <= most


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _value_problem(value: object) -> str | None:
    if not isinstance(value, dict) or not _whole(value.get("index")):
        return missing("index")
    index, data = value["index"], value.get("data")
    if not _text(value.get("type"), 1, MAX_TYPE):
        return missing("type")
    if not isinstance(data, dict) or data.get("format") != "string":
        return f"非法操作，索引{index}的数据格式只支持string"
    if not _text(data.get("value"), 0, MAX_VALUE):
        return f"非法操作，索引{index}的值长度不能超过{MAX_VALUE}"
    if not (is_text(data["value"]) and is_text(value["type"])):
        return f"非法操作，索引{index}的值含有无效字符"
    return None if index >= FIRST_INDEX else _unknown_index(index)


def _unknown_index(index: int) -> str:
    return f"非法操作，索引{index}在模板中不存在"


def is_text(text: str) -> bool:
    """Whether a text can be kept: JSON can say zero, and half a character, PostgreSQL cannot."""
    return not _NO_TEXT.search(text)


def reason_problem(reason: object) -> str | None:
    """What is wrong with the reason of a withdrawal, one line of text; empty: none is given."""
    if not isinstance(reason, str) or not is_text(reason) or not _LINE.fullmatch(reason):
        return BAD_REASON
    return LONG_REASON if len(reason) > MAX_REASON else None


def contents_problem(values: Sequence[Value]) -> str | None:
    """What is wrong with the values of an identifier, whatever its template."""
    indices = {value.index for value in values}
    if len(values) > MAX_VALUES or sum(len(value.data) for value in values) > MAX_OCTETS:
        return f"标识的值过多，最多{MAX_VALUES}项、{MAX_OCTETS}字节"
    if len(indices) != len(values):
        return "非法操作，索引重复"
    if not all(1 <= index <= MAX_INDEX for index in indices):
        return f"非法操作，索引应在1到{MAX_INDEX}之间"
    if not all(1 <= len(value.type) <= MAX_TYPE and is_key(value.type) for value in values):
        return missing("type")
    return None


def template_mismatch(values: Sequence[Value], template: Mapping[str, Any] | None) -> str | None:
    """What is wrong with the values of an identifier by the rules of its template.

    What the native protocol keeps beside them, an HS_ADMIN for instance, is no item of it.

    Args:
        values: of the identifier.
        template: its body; None: there is none.
    """
    if template is None:
        return NO_TEMPLATE
    items = {item["idIndex"]: item for item in template["items"] if item["state"] == 1}
    given: dict[int, str] = {}
    for value in values:
        index = value.index
        if index < FIRST_INDEX and value.type.startswith("HS_"):
            continue
        if index not in items or items[index]["idType"] != value.type:
            return _unknown_index(index)
        if index in given:
            return f"非法操作，索引{index}重复"
        try:
            given[index] = value.data.decode()
        except UnicodeDecodeError:
            return f"非法操作，索引{index}的数据格式只支持string"
    return next(filter(None, (_item_problem(item, given) for item in items.values())), None)


def _item_problem(item: Json, given: Mapping[int, str]) -> str | None:
    text = given.get(item["idIndex"])
    if text is None:
        return f"缺少必填项: {item['name']}" if item["required"] else None
    least, most = item["metadata"]["minLength"], item["metadata"]["maxLength"]
    if not least <= len(text) <= most:
        return f"{item['name']}的长度应在{least}到{most}之间"
    return None


def template_problem(body: object) -> str | None:
    """What is wrong with a template."""
    if not isinstance(body, dict):
        return "请求参数格式错误"
    for name, longest in (("prefix", MAX_PREFIX), ("version", MAX_VERSION)):
        if not _text(body.get(name), 1, longest) or not is_key(body[name]):
            return missing(name)
    items = body.get("items")
    if not isinstance(items, list) or not items:
        return missing("items")
    if len(items) > MAX_VALUES:
        return f"模板的数据项不能超过{MAX_VALUES}"
    return next(filter(None, map(_template_item_problem, items)), None) or _doubled(items)


def _template_item_problem(item: object) -> str | None:
    if not isinstance(item, dict) or not _whole(item.get("idIndex")):
        return missing("idIndex")
    index = item["idIndex"]
    if index < FIRST_INDEX:
        return f"非法操作，索引{index}小于{FIRST_INDEX}"
    if index > MAX_INDEX:
        return f"非法操作，索引{index}大于{MAX_INDEX}"
    if not all(_text(item.get(one), 1, MAX_TYPE) for one in ("name", "idType")):
        return missing("name/idType")
    return _fields_problem(index, item) or _metadata_problem(index, item.get("metadata"))


def _fields_problem(index: int, item: Json) -> str | None:
    if not (is_text(item["name"]) and is_text(item["idType"])):
        return f"非法操作，索引{index}的name/idType含有无效字符"
    if not isinstance(item.get("required"), bool) or item.get("state") not in (0, 1):
        return missing("required/state")
    if item.get(FIELD) not in (None, *Seen):
        return f"非法操作，索引{index}的{FIELD}只支持{'、'.join(Seen)}"
    return None


def _metadata_problem(index: int, metadata: object) -> str | None:
    if not isinstance(metadata, dict) or metadata.get("type") != "string":
        return f"非法操作，索引{index}的数据类型只支持string"
    least, most = metadata.get("minLength"), metadata.get("maxLength")
    if isinstance(least, int) and isinstance(most, int) and 0 <= least <= most <= MAX_VALUE:
        return None
    return f"非法操作，索引{index}的长度范围错误"


def _doubled(items: Sequence[Json]) -> str | None:
    for key in ("idIndex", "idType", "name"):
        if len({item[key] for item in items}) != len(items):
            return f"模板中的{key}重复"
    return None


def merged_items(old: Sequence[Json], new: Sequence[Json]) -> list[Json]:
    """An update is incremental: items that are not sent stay; index and type make an item."""
    items = {(item["idIndex"], item["idType"]): item for item in old}
    items.update({(item["idIndex"], item["idType"]): item for item in new})
    return sorted(items.values(), key=lambda item: item["idIndex"])
