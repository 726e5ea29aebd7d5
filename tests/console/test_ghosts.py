"""What answers and what only answered; what sends although the ledger says that it does not run."""

from datetime import date, timedelta

from msgspec.structs import replace
from sqlalchemy import Connection, delete, insert, update

from gateway.city.db import tables
from gateway.city.ledger.names import MachineName
from gateway.city.rates.reports.answering import answering_now
from gateway.core.days import day_of
from gateway.core.schema import Equipment, encode_schema
from gateway.wire.messages import DeviceState, State, encode_message
from tests.console.http import get
from tests.console.town import NOW_MS, Town, schema_of, uscc_of
from tests.support.city_db import add_days
from tests.support.waiting import until

OLD, NEW = (MachineName(uscc_of(0), "1", number) for number in ("A-001", "NEW-1"))


def renamed_on_its_edge(connection: Connection, used_on: date, received_ms: int) -> None:
    """The device that was machine A-001 says from now on that it is NEW-1."""
    schema = schema_of(*OLD)
    other = replace(schema, equipment=(Equipment(*NEW),))
    row = {
        "gateway": "gw-0", "id": f"{other.id:016x}", "device": other.device,
        "body": encode_schema(other), "received_ms": received_ms, "used_on": used_on,
    }  # fmt: skip
    connection.execute(insert(tables.tag_schema), [row])


async def answering(city: Town) -> frozenset[MachineName]:
    await city.context.live.refresh()
    found = city.context.live.answering(demonstration=True, uscc=uscc_of(0))
    return found & {OLD.key, NEW.key}


async def test_after_a_change_of_its_number_a_device_answers_as_one_machine(city: Town) -> None:
    assert await answering(city) == {OLD.key}
    city.database.run_now(renamed_on_its_edge, day_of(NOW_MS), NOW_MS)
    assert await answering(city) == {NEW.key}
    link = city.context.live.link(OLD)
    assert link is not None
    assert link.link == "unknown"
    later = day_of(NOW_MS) + timedelta(days=1)  # the old configuration is put back
    back = update(tables.tag_schema).where(tables.tag_schema.c.id == f"{schema_of(*OLD).id:016x}")
    city.database.run_now(lambda connection: connection.execute(back.values(used_on=later)))
    assert await answering(city) == {OLD.key}


def test_so_it_does_for_commands_beside_the_city(city: Town) -> None:
    city.database.run_now(renamed_on_its_edge, day_of(NOW_MS), NOW_MS)
    says = encode_message(State(online=True, devices={"a-001": DeviceState("up")})).decode()
    heard = update(tables.gateway).where(tables.gateway.c.id == "gw-0")
    heard = heard.values(state=says, last_seen_ms=NOW_MS)
    city.database.run_now(lambda connection: connection.execute(heard))
    found = city.database.read_now(answering_now, NOW_MS, 60_000, demonstration=True)
    assert {one.key for one in found} == {NEW.key}


def scrap(connection: Connection, machine: int, since: date) -> None:
    row = {"equipment_id": machine, "valid_from": since, "status": "scrapped"}
    connection.execute(insert(tables.status_rows), [row])


async def test_a_scrapped_machine_that_sends_is_shown(address: str, city: Town) -> None:
    today = day_of(NOW_MS)
    for machine, since in ((1, today - timedelta(days=3)), (2, today)):
        city.database.run_now(scrap, machine, since)
        city.database.run_now(add_days, machine, [today], source="sensor")
    rows = (await get(f"{address}/quality?format=json")).json()["rows"]
    (found,) = [row for row in rows if row["finding"] == "retired"]
    assert found["asset_no"] == "A-001"  # the other was scrapped today: it may have run before
    assert found["detail"] == f"scrapped since {today - timedelta(days=3)}"
    page = (await get(f"{address}/quality?lang=zh")).text
    assert page.count("，仍在上报") == 1


def wired_as(connection: Connection, name: MachineName, device: str, came_ms: int) -> None:
    """A device of gw-0 reads the one unit for this machine, and its gateway names it."""
    schema = replace(
        schema_of(*name), device=device, unit=b"u" * 8, reads=b"a" * 4 * len(schema_of(*name).tags)
    )
    row = {
        "gateway": "gw-0", "id": f"{schema.id:016x}", "device": device, "unit": schema.unit_key,
        "body": encode_schema(schema), "received_ms": came_ms, "used_on": day_of(NOW_MS),
    }  # fmt: skip
    own = tables.tag_schema.c.device == device
    connection.execute(delete(tables.tag_schema).where(own))
    connection.execute(insert(tables.tag_schema), [row])


async def test_two_numbers_of_one_unit_are_shown_with_what_to_do(address: str, city: Town) -> None:
    second = MachineName(uscc_of(0), "1", "A-002")
    outside = MachineName(uscc_of(0), "1", "NOT-IN-LEDGER")
    says = encode_message(State(online=True, devices={"a-001": DeviceState("up")})).decode()
    heard = update(tables.gateway).where(tables.gateway.c.id == "gw-0").values(state=says)
    city.database.run_now(lambda connection: connection.execute(heard))
    for at, (name, device) in enumerate([(OLD, "a-001"), (second, "a-002"), (outside, "a-x")]):
        city.database.run_now(wired_as, name, device, NOW_MS - 1_000 + at)
    rows = (await get(f"{address}/quality?format=json")).json()["rows"]
    (found,) = [row for row in rows if row["finding"].startswith("unit.")]
    assert (found["finding"], found["asset_no"]) == ("unit.same", "A-002")
    assert found["detail"] == "reads the unit of A-001"
    page = (await get(f"{address}/quality?lang=zh")).text
    assert "同一单元对应两个资产编号" in page
    assert "请在网关上改正资产编号或连接参数" in page
    assert "A-001" in page
    machine = (await get(f"{address}/quality?lang=en")).text
    assert "counted once" in machine


async def test_a_gateway_without_signs_of_life_is_not_online_and_well(
    address: str, city: Town
) -> None:
    """Of a broker that confirms what it denies, its state topic: frames keep it "online"."""
    city.live.heard("gw-5", NOW_MS)  # as a frame does
    await city.context.live.refresh()
    missing = {"zh": "只有数据、没有状态消息", "en": "Sends values but no signs of life"}
    for language, said in missing.items():
        for path in ("/", "/quality"):
            assert said in (await get(f"{address}{path}?lang={language}")).text
    file = (await get(f"{address}/quality?format=csv")).text
    assert "gateway.no_signs" in file
    city.live.state("gw-5", State(True, NOW_MS, devices={"a-001": DeviceState("up")}), NOW_MS)
    await city.context.live.refresh()

    async def is_well() -> bool:  # pages share what they found for a second
        return "gateway.no_signs" not in (await get(f"{address}/quality?format=json")).text

    await until(is_well)
