"""What python-snap7 puts into a controller is what the driver reads, and the other way round."""

from datetime import datetime
from functools import partial

import pytest
from snap7.client import Client
from snap7.util import getters, setters

from edge_config.models.validation import validated
from gateway.core.status import Reason, bad
from gateway.drivers.api import DriverError, NotConnectedError
from gateway.drivers.kit.conformance import values_of
from gateway.drivers.s7 import SPEC
from tests.drivers import trial
from tests.drivers.s7.peers import Controller, snap7_server

points = partial(trial.points, SPEC)


async def read(plc: Controller, *written: str) -> tuple[list[object], list[int]]:
    driver = SPEC.make(validated(SPEC.connection, {"host": "127.0.0.1", "port": plc.port}))
    asked = points(*written)
    try:
        await driver.connect()
        reading = await driver.read(driver.plan(asked))
    finally:
        await driver.close()
    return list(values_of(asked, reading)), reading.status.tolist()


async def test_values_that_another_client_wrote_are_read() -> None:
    with snap7_server() as plc:
        data = bytearray(64)
        setters.set_real(data, 0, -3.25)
        setters.set_dint(data, 4, -70_000)
        setters.set_bool(data, 8, 6, True)
        setters.set_string(data, 10, "Press", 12)
        setters.set_dt(data, 26, datetime(2024, 2, 29, 23, 59, 58, 987_000))  # noqa: DTZ001 - no zone
        setters.set_lreal(data, 40, 0.1)
        client = Client()
        client.connect("127.0.0.1", 0, 1, plc.port)
        client.db_write(10, 0, data)
        client.disconnect()
        values, status = await read(
            plc,
            "DB10.DBD0:real",
            "DB10.DBD4:dint",
            "DB10.DBX8.6",
            "DB10.DBX8.5",
            "DB10.DBB10:string[12]",
            "DB10.DBB26:dt",
            "DB10.DBB40:lreal",
        )
    assert values == [-3.25, -70_000, True, False, "Press", "2024-02-29T23:59:58.987", 0.1]
    assert not any(status)


async def test_timers_and_counters_are_read() -> None:
    with snap7_server() as plc:
        plc.timers[10:12] = b"\x21\x27"
        plc.counters[6:8] = b"\x04\x56"
        plc.counters[8:10] = b"\x0f\x56"  # no decimal digits
        values, status = await read(plc, "T5", "C3", "C4", "MB0")
    assert values[:2] == [127.0, 456]
    assert status == [0, 0, bad(Reason.TYPE), 0]


async def test_what_the_driver_writes_another_client_reads() -> None:
    with snap7_server() as plc:
        plc.db[100] = 4  # declared as STRING[4]
        driver = SPEC.make(validated(SPEC.connection, {"host": "127.0.0.1", "port": plc.port}))
        number, text = points("DB10.DBD20:real", "DB10.DBB100:string[16]")
        try:
            await driver.connect()
            await driver.write(number, 1.5)
            await driver.write(text, "abcd")
            with pytest.raises(DriverError, match="room for 4") as caught:
                await driver.write(text, "abcde")
            assert not isinstance(caught.value, NotConnectedError)
            client = Client()
            client.connect("127.0.0.1", 0, 1, plc.port)
            data = client.db_read(10, 0, 120)
            client.disconnect()
        finally:
            await driver.close()
    assert getters.get_real(data, 20) == 1.5
    assert getters.get_string(data, 100) == "abcd"
    assert not any(data[106:])


async def test_a_block_that_is_not_there_costs_its_own_tags() -> None:
    with snap7_server() as plc:
        values, status = await read(plc, "MW0", "DB99.DBW0", "DB10.DBW598", "DB10.DBW599", "IW0")
    reason = bad(Reason.ILLEGAL_ADDRESS)
    assert status == [0, reason, 0, reason, 0]
    assert values[0] == 0
