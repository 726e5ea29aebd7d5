"""Levels of identifiers above the city's node: a top level, and a secondary node it refers to.

The secondary node has allotted the enterprises' prefixes, and refers for them to the city's node,
which holds the machines.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from edge_config.loading.load import load_node
from edge_config.models.identifiers.resolver import NativeServers, ResolverConfig
from gateway.city.db.schema.identifiers import identifier
from gateway.city.db.tables import equipment
from gateway.demo.cast import Cast
from gateway.demo.files import PREFIX, Ports, write_yaml
from gateway.identifier.node.keeping.prefixes import State
from gateway.identifier.node.keeping.users import Role
from gateway.identifier.node.native.referring import site_of
from gateway.identifier.node.program import database_of
from gateway.identifier.node.rights import allotting
from gateway.identifier.node.rights.principal import Principal, Terms, Visit
from gateway.identifier.resolving.answer import Item
from gateway.identifier.resolving.composing import resolver_of
from gateway.identifier.template import EQUIPMENT_ITEMS

TOP, SECONDARY, CITY = "top", "secondary", "city"
_TOP_PREFIX = PREFIX.partition(".")[0]
Delegations = Sequence[tuple[str, str, int]]
"""Prefix, enterprise, native port on loopback of the node that answers."""
_NAME = next(one for one in EQUIPMENT_ITEMS if one.type == "equipName")


def write_nodes(folder: Path, cast: Cast, ports: Ports, now_ms: int) -> dict[str, Path]:
    """Write the nodes' configurations, by level, and delegate prefixes down to the city's node."""
    enterprises = [
        (f"{PREFIX}.{one.data['code']}", str(one.data["name"]), ports.native[CITY])
        for one in cast.enterprises
        if one.data["code"]
    ]
    below: dict[str, tuple[str, Delegations]] = {
        TOP: (_TOP_PREFIX, [(PREFIX, "演示二级节点", ports.native[SECONDARY])]),
        SECONDARY: (PREFIX, enterprises),
    }
    files = {}
    for level, (prefix, delegations) in below.items():
        file = write_yaml(folder / f"node-{level}.yaml", _node_config(level, prefix, ports))
        _delegate(file, Terms(prefix), delegations, now_ms)
        files[level] = file
    return files


def _node_config(level: str, prefix: str, ports: Ports) -> dict[str, Any]:
    return {
        "prefix": prefix,
        "data_dir": f"node-{level}",
        "listen": f"127.0.0.1:{ports.nodes[level]}",
        "native_listen": f"127.0.0.1:{ports.native[level]}",
    }


def _delegate(file: Path, terms: Terms, delegations: Delegations, now_ms: int) -> None:
    def decided(connection: Connection) -> None:
        visit = Visit(Principal("演示审核员", Role.ADMINISTRATOR), terms, now_ms)
        for prefix, enterprise, port in delegations:
            allotting.apply(connection, visit, prefix, enterprise)
            allotting.decide(connection, visit, prefix, State.ALLOTTED)
            site = site_of(prefix, ("127.0.0.1", port))
            allotting.delegate(connection, visit, prefix, site)

    with closing(database_of(load_node(file))) as database:
        database.run_now(decided)


def registered(connection: Connection) -> dict[str, str]:
    """Names of machines by the identifier that the city's node has confirmed."""
    query = (
        select(identifier.c.handle, equipment.c.name)
        .join(equipment, equipment.c.id == identifier.c.equipment_id)
        .where(identifier.c.registered_ms.is_not(None))
    )
    return {row.handle: row.name for row in connection.execute(query)}


async def walked(names: Mapping[str, str], ports: Ports) -> int:
    """How many identifiers lead from the top level to the machine of that name."""
    top = NativeServers(type="native", servers=(f"127.0.0.1:{ports.native[TOP]}",))
    resolver = resolver_of(ResolverConfig(sources=(top,)), None, time.time)
    found = 0
    try:
        async for handle, answer in resolver.resolve_texts(names):
            found += Item(_NAME.type, names[handle], _NAME.index) in answer.items
    finally:
        await resolver.close()
    return found
