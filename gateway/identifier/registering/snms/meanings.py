"""What answers of the SNMS interface mean, and where its services are. Pure.

Sources: SNMS v3 and v5 as published at snms.teleinfo.cn (status codes, messages, batch results).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.identifier.registering.registry import Outcome

OK = 1
"""Tables of the documents show 0 as well, all their samples 1: nothing else is success."""
NOT_LOGGED_IN = -1

CODES: Mapping[int, Outcome] = {
    OK: Outcome.OK,
    NOT_LOGGED_IN: Outcome.LOGIN,
    -2: Outcome.INVALID,
    -3: Outcome.DENIED,
    -4: Outcome.UNKNOWN,  # a fault inside the node: it may have happened before
}

ABSENT = ("不存在", "没有找到")
"""In messages that tell that what was asked for is not there."""

WORDS: Mapping[str, Outcome] = {
    # 模板不存在 and 索引1000在模板中不存在 do not speak of the identifier.
    "模板": Outcome.INVALID,
    "已存在": Outcome.EXISTS,
    **dict.fromkeys(ABSENT, Outcome.NOT_FOUND),
    "登录失败": Outcome.LOGIN,  # 登录失败次数过多，请稍后再试
    "系统繁忙": Outcome.BUSY,
    "请稍后": Outcome.BUSY,
    "配额": Outcome.QUOTA,
    "额度": Outcome.QUOTA,
}
"""Parts of messages that say more than their codes; the first that is found counts."""

SUCCESS = frozenset({"成功", "操作成功", "注册成功", "更新成功", "删除成功", "success", "ok"})
"""Messages of an identifier of many that has succeeded, in small letters."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the services are, behind the node's address."""

    login: str = "/identity/token/v1"
    data: str = "/identityv2/data"
    template: str = "/snms/api/v5/template"
    listing: str = ""
