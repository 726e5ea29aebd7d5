"""OPC UA client driver: subscription by default, polling as an option. See docs/drivers/opcua.md.

``config``, ``nodes``, ``codec`` and ``convert`` know nothing of the protocol library; it is
imported with ``driver``, when a configured device needs it.
"""

from pathlib import Path

from gateway.core.schema import Kind
from gateway.drivers.api import Driver
from gateway.drivers.frames import Frame
from gateway.drivers.opcua.config import Address, Connection
from gateway.drivers.opcua.parts import read_only
from gateway.drivers.opcua.search.options import EXAMPLE, Options, target
from gateway.drivers.search import Probe
from gateway.drivers.spec import DriverSpec, Example, SearchSpec, installed


def _make(connection: Connection) -> Driver:
    with installed("opcua"):
        from gateway.drivers.opcua.driver import OpcUaDriver  # noqa: PLC0415 - loads the library
    return OpcUaDriver(connection)


def _kind(address: Address) -> Kind:
    return address.kind


def _endpoint(connection: Connection) -> str:
    return connection.endpoint


def _unclear(_written: object, address: Address) -> str:
    """A blank that nobody sees, and what may become of an index that stands for a namespace."""
    name = address.name.identifier
    if isinstance(name, str) and name != name.strip():
        return (
            f"the node {name!r} has a blank at its end or begin; drop it unless the server has it"
        )
    index = address.name.index
    if index is None:
        return ""
    return (
        f"ns={index} may be another namespace after the next restart of the server; write "
        f"nsu=<namespace URI> in its place, unless the server lists none for index {index} in its "
        "NamespaceArray (i=2255)"
    )


def _read_only(address: Address) -> str:
    if address.type == "datetime":
        return "a date cannot be written to a server"
    return read_only(address.path)


def _unit(connection: Connection) -> str:
    """The server; it may be written with another path, and is then taken for another one."""
    return connection.url.rstrip("/").lower()


def _probe() -> Probe:
    with installed("opcua"):
        from gateway.drivers.opcua.search.probe import OpcUaProbe  # noqa: PLC0415 - as above
    return OpcUaProbe()


def _explain(frame: Frame) -> str:
    from gateway.drivers.opcua.faults import name_of  # noqa: PLC0415 - only to look
    from gateway.drivers.opcua.trace.explaining import explain  # noqa: PLC0415 - only to look

    return explain(frame, name_of)


SPEC = DriverSpec(
    name="opcua",
    title_zh="OPC UA 客户端",
    title_en="OPC UA client",
    connection=Connection,
    address=Address,
    kind=_kind,
    make=_make,
    examples=(
        Example(
            "nsu=http://acme/press;s=Press.Speed|float64",
            "厂商命名空间中的名称",
            "a name in the maker's namespace",
        ),
        Example("nsu=http://acme/press;i=1001|bool", "数字节点号", "a numeric node"),
        Example(
            "nsu=http://acme/oven;s=Temps|[3]|float64", "数组的第四个元素", "an element of an array"
        ),
        Example("i=2256|.State|int32", "结构体的字段", "a field of a structure"),
        Example("i=2258|datetime", "服务器时间（标准节点）", "the server's clock"),
    ),
    modes=("subscribe", "poll"),
    endpoint=_endpoint,
    unclear=_unclear,
    unit=_unit,
    explain=_explain,
    read_only=_read_only,
    search=SearchSpec(target, EXAMPLE, probe=_probe, options=Options),
    sentences=Path(__file__).with_name("sentences.toml"),
)
