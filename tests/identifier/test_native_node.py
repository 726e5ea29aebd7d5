"""A machine of the ledger is registered at the embedded node, and answers natively."""

import asyncio
import traceback
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select, update

from gateway.city.app import assembled, system_ms
from gateway.city.db.schema.identifiers import identifier
from gateway.city.db.tables import enterprise
from gateway.city.identifiers import node_service
from gateway.identifier.irp.bodies import Question
from gateway.identifier.native.walking.walk import Manner, Walker
from gateway.identifier.native.walking.way import WalkError
from gateway.relational.database import Database
from gateway.web.listen import ListenError, bind
from tests.identifier.irp.servers import site_at
from tests.support.city import USCC, city_config, fill_ledger
from tests.support.peers import free_port
from tests.support.waiting import until


async def answered(database: Database, walker: Walker) -> dict[str, str]:
    """What the node tells of the one machine that has an identifier; nothing while none has."""
    handle = database.run_now(lambda connection: connection.scalar(select(identifier.c.handle)))
    if handle is None:
        return {}
    try:
        found = await walker.resolve(Question(handle))
    except WalkError:
        return {}
    return {value.type: value.data.decode() for value in found.held.values}


async def test_a_machine_of_the_ledger_is_found_natively(tmp_path: Path) -> None:
    native = free_port()
    node = {"type": "embedded", "listen": f"127.0.0.1:{free_port()}"}
    config = city_config(
        "127.0.0.1:1",
        tmp_path,
        node=node | {"native_listen": f"127.0.0.1:{native}"},
        identifier={"prefix": "88.999", "review_hours": 0},
    )
    told: dict[str, str] = {}
    async with assembled(config, system_ms) as city:
        fill_ledger(city)
        code = update(enterprise).where(enterprise.c.uscc == USCC).values(identifier_code="QZ01")
        city.database.run_now(lambda connection: connection.execute(code))
        serving = asyncio.create_task(node_service.run(config, city.database, city.now_ms))
        walker = Walker((site_at(native),), Manner(5.0))

        async def is_told() -> bool:
            told.update(await answered(city.database, walker))
            return bool(told)

        try:
            await until(is_told, 60)
        finally:
            walker.close()
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
    assert (told["enterpriseUscc"], told["assetNo"]) == (USCC, "B-001")


async def test_a_native_port_in_use_is_told_by_its_key_in_the_city(tmp_path: Path) -> None:
    with closing(bind("127.0.0.1:0")) as taken:
        native = f"127.0.0.1:{taken.getsockname()[1]}"
        node = {"type": "embedded", "listen": f"127.0.0.1:{free_port()}", "native_listen": native}
        config = city_config(
            "127.0.0.1:1", tmp_path, node=node, identifier={"prefix": "88.999", "review_hours": 0}
        )
        async with assembled(config, system_ms) as city:
            with pytest.raises(ExceptionGroup) as told:
                async with asyncio.timeout(60):
                    await node_service.run(config, city.database, city.now_ms)
    failed = told.value.subgroup(ListenError)
    assert failed is not None
    assert "'node.native_listen'" in "".join(traceback.format_exception(failed))
