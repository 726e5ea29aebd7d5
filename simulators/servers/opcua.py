"""The OPC UA server of a line: asyncua serves, each machine is an object below ``Machines``."""

import logging
from collections.abc import Mapping
from datetime import UTC

from asyncua import ua
from asyncua.common.node import Node as UaNode
from asyncua.server.server import Server

from simulators.manual import LINE, NAMESPACES, Entry, Node, Place, Unit
from simulators.servers import address_space
from simulators.servers.serving import port_in_use

_TYPES = {
    "float64": ua.VariantType.Double,
    "float32": ua.VariantType.Float,
    "int64": ua.VariantType.Int64,
    "int32": ua.VariantType.Int32,
    "int16": ua.VariantType.Int16,
    "uint64": ua.VariantType.UInt64,
    "uint32": ua.VariantType.UInt32,
    "uint16": ua.VariantType.UInt16,
    "bool": ua.VariantType.Boolean,
    "string": ua.VariantType.String,
}
_WHOLE = {kind for name, kind in _TYPES.items() if "int" in name}

Value = float | bool | str


_MACHINES = 1001
"""Of the folder of all machines, in the namespace of OPC 40001-1."""

Step = tuple[str, str]
"""Namespace URI and name of a browse name."""


class OpcUaLine:
    """An OPC UA server with an object a machine; values change when the machine's do."""

    def __init__(self, host: str, port: int, units: Mapping[str, Unit]) -> None:
        self._at = (host, port)
        self._units = units
        self._server = Server()
        self._variables: list[tuple[Unit, Entry, ua.NodeId]] = []
        self._shown: dict[ua.NodeId, Value] = {}

    async def start(self) -> None:
        """Build the address space and listen.

        Raises:
            PortInUseError: the port cannot be listened on.
        """
        # The library logs what clients do wrong, and here they do it on purpose.
        logging.getLogger("asyncua").setLevel(logging.CRITICAL)
        await address_space.build(self._server)
        self._server.set_endpoint("opc.tcp://{}:{}/".format(*self._at))
        self._server.set_server_name("qulink simulator")
        self._server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        await self._add_machines()
        try:
            await self._server.start()
        except OSError:
            raise port_in_use(*self._at, "OPC UA") from None

    async def _add_machines(self) -> None:
        own = await self._server.register_namespace(LINE)
        machinery = await self._server.register_namespace(NAMESPACES["machinery"])
        folder = await self._server.nodes.objects.add_folder(
            ua.NodeId(ua.Int32(_MACHINES), ua.Int16(machinery)),
            ua.QualifiedName("Machines", machinery),
        )
        for name, unit in self._units.items():
            machine = await folder.add_object(_node(name, own), ua.QualifiedName(name, own))
            await self._add_plate(machine, unit)
            for entry in unit.manual.entries:
                if isinstance(entry.place, Node):
                    variant = _variant(unit.raw(entry), entry.place)
                    node = await self._add(machine, entry.place, variant)
                    self._variables.append((unit, entry, node.nodeid))

    async def _add_plate(self, machine: UaNode, unit: Unit) -> None:
        """Who made the machine, as OPC 40001-1 wants every machine to say."""
        plate = {
            "Manufacturer": ua.Variant(ua.LocalizedText(unit.maker, "zh")),
            "Model": ua.Variant(ua.LocalizedText(unit.manual.title_en, "en")),
            "ProductInstanceUri": ua.Variant(f"{LINE}:{unit.serial}"),
            "SerialNumber": ua.Variant(unit.serial),
        }
        for name, text in plate.items():
            await self._add(machine, Node(f"di:Identification/{name}", "string"), text)

    async def _add(self, machine: UaNode, place: Node, value: ua.Variant) -> UaNode:
        """A variable with the objects between it and the machine."""
        own = await self._server.register_namespace(LINE)
        *around, last = place.steps
        parent, path = machine, str(machine.nodeid.Identifier)
        for step in around:
            path = f"{path}/{step[1]}"
            parent = await self._object(parent, _node(path, own), step)
        return await parent.add_variable(
            _node(f"{path}/{last[1]}", own), await self._browse_name(last), value
        )

    async def _object(self, parent: UaNode, node: ua.NodeId, step: Step) -> UaNode:
        if node in self._server.iserver.aspace:
            return self._server.get_node(node)
        return await parent.add_object(node, await self._browse_name(step))

    async def _browse_name(self, step: Step) -> ua.QualifiedName:
        uri, name = step
        return ua.QualifiedName(name, await self._server.register_namespace(uri))

    async def refresh(self) -> None:
        """Show the machines as they are now; a value moves by at least half its deadband."""
        now = ua.DateTime.now(UTC)
        for unit, entry, node in self._variables:
            value = unit.raw(entry)
            if _moved(value, self._shown.get(node), entry.deadband / 2):
                self._shown[node] = value
                variant = _variant(value, entry.place)
                data = ua.DataValue(variant, SourceTimestamp=now, ServerTimestamp=now)
                await self._server.write_attribute_value(node, data)

    async def stop(self) -> None:
        """Close the port and every session."""
        await self._server.stop()


def _node(name: str, namespace: int) -> ua.NodeId:
    return ua.NodeId(ua.String(name), ua.Int16(namespace))


def _moved(value: Value, shown: Value | None, least: float) -> bool:
    if shown is None or isinstance(value, str) or isinstance(shown, str):
        return value != shown
    return abs(value - shown) > least


def _variant(value: Value, place: Place) -> ua.Variant:
    variant_type = _TYPES[place.type]
    if variant_type in _WHOLE:
        return ua.Variant(int(value), variant_type)
    if isinstance(value, float):
        value = float(f"{value:.6g}")  # as few digits as an instrument has
    return ua.Variant(value, variant_type)
