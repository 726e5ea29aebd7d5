"""The Python server of asyncua's project as a process; same protocol as ``opcua_server.js``.

Commands: {"set": name, "value": v, "source_ms": time of the source,
"code": its StatusCode}, {"session_ms": longest
session}, {"short": service that leaves its last result out}, {"add": name, "uri": namespace},
{"subscriptions": how many it grants}, {"endpoints": none, when a session begins},
{"sessions": wait until there are so many}, {"slow": seconds that a session takes longer},
{"creating": wait until one is asked for},
{"namespaces": what its NamespaceArray says}, {"ranges": heed ranges when it is read}.
"""

import asyncio
import json
import struct
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from asyncua import Server, ua
from asyncua.common.node import Node
from asyncua.common.type_dictionary_builder import DataTypeDictionaryBuilder
from asyncua.server.address_space import AttributeService
from asyncua.server.internal_session import InternalSession

from simulators.servers import address_space

DRIVES = ((b"left", 1450.5), (b"right", -3.0))
VALUES = (
    ("Double", 1.5, ua.VariantType.Double),
    ("Int32", -7, ua.VariantType.Int32),
    ("String", "门", ua.VariantType.String),
    ("Temps", [1.0, 2.0, 3.0], ua.VariantType.Double),
)


PRESS = (
    struct.pack("<i2h", 2, 7, -8)
    + struct.pack("<i", 2)
    + b"".join(struct.pack(f"<i{len(name)}sd", len(name), name, speed) for name, speed in DRIVES)
    + struct.pack("<f", 2.5)
)
"""The bytes of the structure below."""


async def build(server: Server, uri: str) -> dict[str, Node]:
    index = await server.register_namespace(uri)
    nodes = {}
    for name, value, kind in VALUES:
        node_id = ua.NodeId(name, index)
        nodes[name] = await server.nodes.objects.add_variable(node_id, name, value, kind)
        if name != "Int32":
            await nodes[name].set_writable()
    await add_structure(server, index, uri)
    return nodes


async def add_structure(server: Server, index: int, uri: str) -> None:
    """A variable of a structure that only a type dictionary describes, as before release 1.04."""
    builder = DataTypeDictionaryBuilder(server, index, uri, "Plant")
    await builder.init()
    drive = await builder.create_data_type("Drive")
    drive.add_field("Name", ua.VariantType.String)
    drive.add_field("Speed", ua.VariantType.Double)
    press = await builder.create_data_type("Press")
    press.add_field("Counts", ua.VariantType.Int16, is_array=True)
    press.add_field("Drives", drive, is_array=True)
    press.add_field("Pressure", ua.VariantType.Float)
    await builder.set_dict_byte_string()
    value = ua.Variant(ua.ExtensionObject(press.node_ids[2], PRESS), ua.VariantType.ExtensionObject)
    await server.nodes.objects.add_variable(
        ua.NodeId("Press", index), "Press", value, datatype=press.data_type
    )


def leave_one_out(service: str) -> None:
    """From now on answers of a service lack their last result."""
    whole = getattr(InternalSession, service)

    async def short(self: InternalSession, *given: Any) -> Any:
        return (await whole(self, *given))[:-1]

    setattr(InternalSession, service, short)


SESSIONS: set[int] = set()
"""Sessions from outside that were made and not closed."""
CREATING = asyncio.Event()
"""Set while a session that is asked for is not answered yet."""


def count_sessions() -> None:
    """Keep count of the sessions."""
    create, close = InternalSession.create_session, InternalSession.close_session

    async def made(self: InternalSession, *given: Any, **named: Any) -> Any:
        SESSIONS.add(id(self))
        return await create(self, *given, **named)

    async def closed(self: InternalSession, *given: Any, **named: Any) -> Any:
        SESSIONS.discard(id(self))
        return await close(self, *given, **named)

    InternalSession.create_session = made  # type: ignore[method-assign]
    InternalSession.close_session = closed  # type: ignore[method-assign]


def make_sessions_slowly(seconds: float) -> None:
    """From now on a session takes so much longer."""
    create = InternalSession.create_session

    async def slow(self: InternalSession, *given: Any, **named: Any) -> Any:
        CREATING.set()
        await asyncio.sleep(seconds)
        return await create(self, *given, **named)

    InternalSession.create_session = slow  # type: ignore[method-assign]


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - sessions tell nobody when they end
        await asyncio.sleep(0.01)


def list_no_endpoints() -> None:
    """From now on new sessions are not told the endpoints again."""
    create = InternalSession.create_session

    async def terse(self: InternalSession, *given: Any, **named: Any) -> Any:
        made = await create(self, *given, **named)
        made.ServerEndpoints = []
        return made

    InternalSession.create_session = terse  # type: ignore[method-assign]


def heed_ranges() -> None:
    """From now on the range of one element is heeded, but only when it is read."""
    whole = AttributeService.read

    def ranged(self: AttributeService, params: ua.ReadParameters) -> list[ua.DataValue]:
        pairs = zip(params.NodesToRead, whole(self, params), strict=True)
        return [_element(found, one.IndexRange) for one, found in pairs]

    AttributeService.read = ranged  # type: ignore[method-assign]


def _element(found: ua.DataValue, index_range: str | None) -> ua.DataValue:
    if not index_range or found.Value is None:
        return found
    one = found.Value.Value[int(index_range)]
    return ua.DataValue(ua.Variant([one], found.Value.VariantType))


CHANGES = {"endpoints": list_no_endpoints, "ranges": heed_ranges}


async def obey(server: Server, nodes: dict[str, Node], command: dict[str, Any]) -> None:
    if "session_ms" in command:
        server.iserver.min_session_timeout_ms = 0
        server.iserver.max_session_timeout_ms = command["session_ms"]
    elif "short" in command:
        leave_one_out(command["short"])
    elif "add" in command:
        index = await server.register_namespace(command["uri"])
        node_id = ua.NodeId(command["add"], index)
        await server.nodes.objects.add_variable(node_id, command["add"], 2.5)
    elif "sessions" in command:
        await until(lambda: len(SESSIONS) == command["sessions"])
    elif "slow" in command:
        CREATING.clear()
        make_sessions_slowly(command["slow"])
    elif "creating" in command:
        await CREATING.wait()
    elif change := CHANGES.get(next(iter(command))):
        change()
    elif "subscriptions" in command:
        server.iserver.max_subscriptions = command["subscriptions"]
    elif "namespaces" in command:
        await server.get_node(ua.NodeId(2255)).write_value(command["namespaces"])
    else:
        await write(nodes[command["set"]], command)


async def write(node: Node, command: dict[str, Any]) -> None:
    now = datetime.now(UTC)
    source_ms = command.get("source_ms")
    when = now if source_ms is None else datetime.fromtimestamp(source_ms / 1000, UTC)
    kind = (await node.read_data_value()).Value.VariantType
    value = ua.Variant(command["value"], kind)
    code = ua.StatusCode(ua.UInt32(command.get("code", 0)))
    await node.write_value(ua.DataValue(value, code, when, now))


async def main(options: dict[str, Any]) -> None:
    count_sessions()
    server = Server()
    await address_space.build(server)
    server.set_endpoint(f"opc.tcp://127.0.0.1:{options['port']}")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    nodes = await build(server, options["uri"])
    async with server:
        print("ready", flush=True)  # noqa: T201 - the test waits for it
        while line := await asyncio.to_thread(sys.stdin.readline):
            await obey(server, nodes, json.loads(line))
            print("ok", flush=True)  # noqa: T201 - the test waits for it


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
