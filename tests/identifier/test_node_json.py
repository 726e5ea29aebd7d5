"""Values that Python reads as JSON and cannot write as JSON: none of them makes the node fail."""

import json
from pathlib import Path

import httpx
import pytest

from gateway.identifier.node import rules
from tests.support.node import served
from tests.support.waiting import SOON_S

REQUESTS = (
    ("POST", "/identityv2/data"),
    ("POST", "/identityv2/data/batchCreate"),
    ("PUT", "/identityv2/data/batchUpdate"),
    ("DELETE", "/identityv2/data/batchDelete"),
    ("POST", "/snms/api/v5/template"),
)
TEMPLATE = "/snms/api/v5/template?prefix=88.999.A&version=1"


def template(note: str) -> str:
    """One that holds a value where the node looks at nothing."""
    metadata = '{"type": "string", "minLength": 0, "maxLength": 9}'
    item = '{"idIndex": 2000, "name": "n", "idType": "t", "required": false, "state": 1,'
    item += f' "note": {note}, "metadata": {metadata}}}'
    return f'{{"prefix": "88.999.A", "version": "1", "items": [{item}]}}'


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "1e999", r'"a/\ud800"', r'["\udfff"]'])
async def test_no_value_makes_the_node_fail(tmp_path: Path, value: str) -> None:
    """They were echoed, or stored as part of a template and read back: a 500 each time."""
    async with served(tmp_path) as node, node.registry() as registry:
        await registry.login()
        header = await registry._login.header()
        async with httpx.AsyncClient(
            base_url=node.url, headers=header, timeout=SOON_S, trust_env=False
        ) as http:
            for method, path in REQUESTS:
                for body in (f"[{value}]", f'[{{"handle": {value}}}]', template(value)):
                    answer = await http.request(method, path, content=body)
                    assert answer.status_code == 200
                    json.loads(answer.text, parse_constant=pytest.fail)
                    is_number = value[0] not in '"['
                    assert (answer.json()["message"] == rules.NO_JSON) == is_number
            assert (await http.get(TEMPLATE)).status_code == 200
