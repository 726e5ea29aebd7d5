"""One way to write: what is refused, what is written, what is said of it, and never twice."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge_config.models.gateway import CommandsConfig
from gateway.core.status import Reason, bad, reason_of, uncertain
from gateway.drivers.api import DriverError, NoResponseError, NotConnectedError
from gateway.edge.commands import gate
from gateway.edge.commands.audit import AuditFile, verify
from gateway.edge.commands.known import KnownCommands
from gateway.edge.commands.lines import Entry
from gateway.edge.control.protocol import ControlError
from gateway.edge.control.values import tags_to_read
from gateway.wire.commands import Command, CommandAnswer, CommandState
from tests.commands.bench import TAGS, Gateway, Machine
from tests.support.waiting import until

VERIFIED, WRITTEN = CommandState.VERIFIED, CommandState.WRITTEN
REFUSED, UNKNOWN = CommandState.REFUSED, CommandState.UNKNOWN


async def test_a_value_is_recorded_written_and_read_back(tmp_path: Path) -> None:
    machine = Machine()
    async with Gateway(tmp_path, machine) as gateway:
        answer = await gateway.write("speed", "12.5")
        assert (answer.state, answer.before, answer.shows) == (VERIFIED, 10.0, 12.5)
        assert machine.writes == [("speed", 125)]
        assert [one.state for one in gateway.told] == ["accepted"]
        begun, ended = gateway.record()
    assert (begun.event, begun.who, begun.origin) == ("write", "tester", "command line")
    assert (begun.device, begun.tag, begun.value, begun.raw) == ("d", "speed", "12.5", 125)
    assert begun.before == 10.0
    assert (ended.event, ended.state, ended.shows) == ("result", "verified", 12.5)


async def test_the_record_is_on_disk_before_the_device_is_written(tmp_path: Path) -> None:
    machine = Machine()
    machine.may_write.clear()
    async with Gateway(tmp_path, machine) as gateway:
        writing = asyncio.create_task(gateway.write("speed", 20))
        await until(lambda: machine.writes)
        assert [one.event for one in gateway.record()] == ["write"]
        machine.may_write.set()
        assert (await writing).state is VERIFIED


@pytest.mark.parametrize(
    ("tag", "value", "words"),
    [
        ("speed", "12.55", "nearest values that can are 12.5 and 12.6"),
        ("speed", 51, "the most that may be written is 50"),
        ("speed", -0.1, "the least that may be written is 0"),
        ("speed", "fast", "no finite number"),
        ("mode", 1.5, "nearest values that can are 1 and 2"),
        ("mode", 65535, "says of this tag that it has no value"),
        ("count", 1, "tag 'count' is for reading only"),
        ("nothing", 1, "no tag 'nothing'; can be written: speed, mode, title"),
        ("title", 7, "no text"),
    ],
)
async def test_what_the_gate_refuses_never_reaches_the_device(
    tmp_path: Path, tag: str, value: Any, words: str
) -> None:
    machine = Machine()
    async with Gateway(tmp_path, machine) as gateway:
        answer = await gateway.write(tag, value)
        assert answer.state is REFUSED
        assert words in answer.words
        assert (machine.writes, gateway.told) == ([], [])
        assert all(len(keys) == len(TAGS) for keys in machine.reads), "only polls"
        (entry,) = gateway.record()
    assert (entry.event, entry.tag, entry.words) == ("refused", tag, answer.words)


async def test_a_name_that_two_machines_behind_a_device_have_is_not_guessed(tmp_path: Path) -> None:
    async with Gateway(tmp_path, Machine()) as gateway:
        model = gateway.edge.devices["d"].model
    (group,) = model.resolved.groups
    other = replace(group.tags[0], config=replace(group.tags[0].config, asset_no="PR-2"))
    twice = replace(group, tags=(*group.tags, other))
    both = replace(model, resolved=replace(model.resolved, groups=(twice,)))
    assert gate.admit(model, "speed", 1, CommandsConfig(enabled=True)).raw == 10
    own = f"{model.config.asset_no}/speed"
    words = f"called 'speed', each of another machine; write {own} or PR-2/speed"
    with pytest.raises(gate.CommandRefusedError, match=words):
        gate.admit(both, "speed", 1, CommandsConfig(enabled=True))
    assert gate.admit(both, "PR-2/speed", 1, CommandsConfig(enabled=True)).raw == 10
    with pytest.raises(ControlError, match=words):
        tags_to_read(both, ["mode", "speed"], ())
    (asked,) = tags_to_read(both, ["PR-2/speed"], ())
    assert (asked.config.name, asked.address) == ("PR-2/speed", other.address)
    names = [tag.config.name for tag in tags_to_read(both, (), ())]
    assert len(names) == len(TAGS) + 1 and {own, "PR-2/speed", "mode"} < set(names)


async def test_what_its_driver_never_writes_is_refused_by_the_gate(tmp_path: Path) -> None:
    async with Gateway(tmp_path, Machine()) as gateway:
        model = gateway.edge.devices["d"].model
    only_mode = replace(model.spec, read_only=lambda at: "" if at.key == "mode" else "it is sealed")
    words = r"cannot write speed \(.*\): it is sealed; can be written: mode$"
    with pytest.raises(gate.CommandRefusedError, match=words):
        gate.admit(replace(model, spec=only_mode), "speed", 1, CommandsConfig(enabled=True))


async def test_of_a_long_value_that_is_refused_the_begin_is_kept(tmp_path: Path) -> None:
    long = "7" * 16_000
    async with Gateway(tmp_path, Machine()) as gateway:
        first = await gateway.write("speed", long)
        (entry,) = gateway.record()
        assert entry.value == "7" * 200 + "…"
    async with Gateway(tmp_path, Machine()) as gateway:
        again = await gateway.write("speed", long)  # it is known after a restart
        assert (again.state, again.words) == (first.state, first.words)
        assert (await gateway.write("title", long, "c2")).state is VERIFIED
        begun = gateway.record()[-2]
        assert (begun.event, begun.value, begun.raw) == ("write", long, long)


async def test_a_gateway_writes_nothing_unless_it_is_told_to(tmp_path: Path) -> None:
    machine = Machine()
    async with Gateway(tmp_path, machine, enabled=False) as gateway:
        answer = await gateway.write("speed", 1)
        assert answer.state is REFUSED
        assert "commands: {enabled: true}" in answer.words
    assert machine.writes == []


async def test_an_unknown_device_and_a_wrong_id_are_refused(tmp_path: Path) -> None:
    async with Gateway(tmp_path, Machine()) as gateway:
        assert "1 to 64" in (await gateway.write("speed", 1, "no id")).words
        await gateway.edge.devices.remove("d")
        assert "there is no device 'd'" in (await gateway.write("speed", 1)).words


async def test_a_device_that_changes_the_value_is_not_verified(tmp_path: Path) -> None:
    machine = Machine(most={"speed": 300})
    async with Gateway(tmp_path, machine) as gateway:
        answer = await gateway.write("speed", 40)
        assert (answer.state, answer.shows) == (WRITTEN, 30.0)
        assert answer.words == "written, not verified: the device shows 30.0"


@pytest.mark.parametrize("status", [bad(Reason.ILLEGAL_ADDRESS), uncertain(Reason.LAST_USABLE)])
async def test_what_cannot_be_read_afresh_is_written_and_not_verified(
    tmp_path: Path, status: int
) -> None:
    """A server that repeats its last value proves nothing of the device behind it."""
    machine = Machine(status={"mode": status})
    async with Gateway(tmp_path, machine) as gateway:
        answer = await gateway.write("mode", 7)
        assert (answer.state, answer.before, answer.shows) == (WRITTEN, None, None)
        assert reason_of(status).code in answer.words
    assert machine.writes == [("mode", 7)]


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (DriverError("illegal value"), REFUSED),
        (NoResponseError("silent"), UNKNOWN),
        (NotConnectedError("cut off"), UNKNOWN),
        (ValueError("a bug"), UNKNOWN),
    ],
)
async def test_a_fault_while_writing_says_whether_it_may_have_happened(
    tmp_path: Path, fault: Exception, state: CommandState
) -> None:
    machine = Machine(write_fault=fault)
    async with Gateway(tmp_path, machine) as gateway:
        answer = await gateway.write("speed", 5)
        assert answer.state is state
        assert str(fault) in answer.words
        assert ("may have been written" in answer.words) == (state is UNKNOWN)
        machine.write_fault = None
        again = await gateway.write("speed", 5)
        assert again == answer, "the same command is answered, not repeated"
    assert len(machine.writes) == 1


async def test_a_bug_of_a_driver_refuses_and_ends_nothing_else(tmp_path: Path) -> None:
    machine = Machine()
    async with Gateway(tmp_path, machine) as gateway:
        machine.plan_fault = KeyError("mode")
        answer = await gateway.write("speed", 20)
        assert answer.state is REFUSED
        assert answer.words == "nothing was written: KeyError 'mode'"
        machine.plan_fault = None
        assert (await gateway.write("speed", 20, "c2")).state is VERIFIED
    assert machine.writes == [("speed", 200)]


async def test_a_stopped_device_is_not_written(tmp_path: Path) -> None:
    machine = Machine()
    async with Gateway(tmp_path, machine) as gateway:
        await gateway.edge.devices.stop("d")
        answer = await gateway.write("speed", 5)
        assert answer.state is REFUSED
        assert "nothing was written" in answer.words and "stopped" in answer.words
    assert machine.writes == []


async def test_a_command_is_carried_out_once_however_often_it_comes(tmp_path: Path) -> None:
    machine = Machine()
    machine.may_write.clear()
    async with Gateway(tmp_path, machine) as gateway:
        both = [asyncio.create_task(gateway.write("speed", 20)) for _ in range(2)]
        await until(lambda: machine.writes)
        machine.may_write.set()
        first, second = await asyncio.gather(*both)
        assert first == second == await gateway.write("speed", 20)
        other = await gateway.write("speed", 21)
        assert other.state is REFUSED and "another command has the id" in other.words
    assert machine.writes == [("speed", 200)]


@pytest.mark.parametrize(("keep_s", "is_kept"), [(0, False), (3_600, True)])
async def test_what_came_is_forgotten_in_time_and_never_while_it_runs(
    keep_s: float, is_kept: bool
) -> None:
    known = KnownCommands(keep_s)
    first, running, last = (Command(id_, "d", "speed", 1) for id_ in ("c1", "c2", "c3"))
    done = asyncio.get_running_loop().create_future()
    done.set_result(CommandAnswer("c1", VERIFIED))
    known.add(first, done)
    known.add(running, asyncio.get_running_loop().create_future())
    known.add(last, done)
    assert (known.find(first) is not None) is is_kept
    assert known.find(running) is not None


async def test_a_caller_that_goes_away_leaves_the_command_at_work(tmp_path: Path) -> None:
    machine = Machine()
    machine.may_write.clear()
    async with Gateway(tmp_path, machine) as gateway:
        writing = asyncio.create_task(gateway.write("speed", 20))
        await until(lambda: machine.writes)
        writing.cancel()
        await asyncio.wait([writing])
        machine.may_write.set()
        assert (await gateway.write("speed", 20)).state is VERIFIED


async def test_two_writers_at_once_come_one_after_the_other(tmp_path: Path) -> None:
    """Each sees what the other left, and each is read back before the next begins."""
    machine = Machine()
    async with Gateway(tmp_path, machine) as gateway:
        answers = await asyncio.gather(
            *(gateway.write("speed", at, f"c{at}") for at in range(1, 21))
        )
        assert {one.state for one in answers} == {VERIFIED}
        assert [one.before for one in answers] == [10.0, *map(float, range(1, 20))]


async def test_more_than_a_gateway_can_do_is_refused(tmp_path: Path) -> None:
    machine = Machine()
    machine.may_write.clear()
    async with Gateway(tmp_path, machine) as gateway:
        tasks = [asyncio.create_task(gateway.write("speed", 1, f"c{at}")) for at in range(40)]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        assert "try again later" in done.pop().result().words
        machine.may_write.set()
        states = [one.state for one in await asyncio.gather(*tasks)]
    assert states.count(VERIFIED) == 32


async def test_a_command_that_waited_too_long_is_refused(tmp_path: Path) -> None:
    machine = Machine()
    async with Gateway(tmp_path, machine, expire_ms=1_000) as gateway:
        machine.may_read.clear()
        writing = asyncio.create_task(gateway.write("speed", 1))
        await asyncio.sleep(1.1)  # its whole life
        machine.may_read.set()
        answer = await writing
        assert answer.state is REFUSED and "expired while it waited" in answer.words
        assert [one.event for one in gateway.record()] == ["refused"], "it was never begun"
    assert machine.writes == []


async def test_the_times_of_a_command_are_judged_by_a_clock_that_is_sure(tmp_path: Path) -> None:
    async with Gateway(tmp_path, Machine()) as gateway:
        now = gateway.clock.now_ms()
        good = {"issued_ms": now - 100, "expires_ms": now + 60_000}
        assert (await gateway.write("speed", 1, "c1", **good)).state is VERIFIED
        for id_, issued, expires, words in (
            ("c2", now - 5_000, now - 1, "it expired"),
            ("c3", now - 20_000, now + 60_000, "it expired"),  # expire_ms of the gateway
            ("c4", now + 60_000, now + 70_000, "ahead of the gateway's time"),
            ("c5", now, 0, "says when it was issued"),
        ):
            answer = await gateway.write("speed", 2, id_, issued_ms=issued, expires_ms=expires)
            assert answer.state is REFUSED and words in answer.words
        gateway.clock.in_doubt = True
        answer = await gateway.write("speed", 2, "c6", **good)
        assert answer.state is REFUSED and "clock is in doubt" in answer.words
        assert (await gateway.write("speed", 3, "c7")).state is VERIFIED, "a person stands there"
        gateway.clock.in_doubt = False
    assert gateway.machine.writes == [("speed", 10), ("speed", 30)]


async def test_what_a_stop_cut_off_is_unknown_and_not_written_again(tmp_path: Path) -> None:
    machine = Machine()
    async with Gateway(tmp_path, machine) as gateway:
        assert (await gateway.write("speed", 5, "done")).state is VERIFIED
        path = gateway.path
    file = AuditFile(path)  # as a kill between recording and writing leaves it
    file.append(Entry(0, 1, "write", "cut", "x", "city", "d", "speed", 6, 60, 5.0))
    file.close()
    async with Gateway(tmp_path, machine) as gateway:
        cut = await gateway.write("speed", 6, "cut")
        assert cut.state is UNKNOWN and "it may have been written" in cut.words
        done = await gateway.write("speed", 5, "done")
        assert (done.state, done.shows) == (VERIFIED, 5.0)
        assert gateway.record()[-1].state == "unknown", "the record says so, too"
    assert machine.writes == [("speed", 50)]
    assert verify(path).broken == ""


async def test_without_its_record_a_gateway_writes_nothing(tmp_path: Path) -> None:
    machine = Machine()
    async with Gateway(tmp_path, machine) as gateway:
        await gateway.write("speed", 5, "c1")
        gateway.writer._record.close()
        held = AuditFile(gateway.path)
        answer = await gateway.write("speed", 6, "c2")
        assert answer.state is REFUSED and "another process has the record" in answer.words
        held.close()
        assert (await gateway.write("speed", 6, "c2")).state is VERIFIED
    assert machine.writes == [("speed", 50), ("speed", 60)]


async def test_a_stopping_gateway_does_not_begin_what_waits(tmp_path: Path) -> None:
    machine = Machine()
    machine.may_write.clear()
    async with Gateway(tmp_path, machine) as gateway:
        tasks = [asyncio.create_task(gateway.write("speed", at, f"c{at}")) for at in range(1, 9)]
        await until(lambda: machine.writes)
        stopping = asyncio.create_task(gateway.writer.finish())
        await asyncio.sleep(0)
        machine.may_write.set()
        first, *others = await asyncio.gather(*tasks)
        assert first.state is VERIFIED
        assert {one.words for one in others} == {
            "the gateway is stopping, and nothing was written; try again later"
        }
        await stopping
        late = await gateway.write("speed", 1, "late")
        assert late.state is REFUSED
        assert (await gateway.write("speed", 1, "c1")).state is VERIFIED, "it is known"
    assert machine.writes == [("speed", 10)]


async def test_a_stopping_gateway_ends_what_it_began(tmp_path: Path) -> None:
    machine = Machine()
    machine.may_write.clear()
    async with Gateway(tmp_path, machine) as gateway:
        writing = asyncio.create_task(gateway.write("speed", 20))
        await until(lambda: machine.writes)
        stopping = asyncio.create_task(gateway.writer.finish())
        await asyncio.sleep(0)
        late = await gateway.write("speed", 21, "c2")
        assert late.state is REFUSED and "is stopping" in late.words
        machine.may_write.set()
        assert (await writing).state is VERIFIED
        await stopping
