"""The embedded enterprise node and the registrar that talks to it over HTTP."""

import asyncio
from collections.abc import Callable
from contextlib import closing

from edge_config.models.base import ConsoleConfig
from edge_config.models.city import CityConfig, EmbeddedNode
from gateway.city.db.database import Database
from gateway.city.identifiers import registrar
from gateway.identifier.credentials import node_credentials
from gateway.identifier.node import EnterpriseNode
from gateway.identifier.node_store import NodeStore


async def run(
    config: CityConfig, database: Database, now_ms: Callable[[], int], patience_s: float = 0
) -> None:
    """Serve the embedded node, if it is configured, and register machines, until cancelled.

    Args:
        config: of the city.
        database: its database.
        now_ms: the clock, UTC milliseconds.
        patience_s: how long to wait for the node's address while something else has it.

    Raises:
        CredentialsError: the node's credentials cannot be used.
        NodeStoreError: the node's file cannot be used.
        ListenError: the node's port is in use.
    """
    async with registrar.node_client(config, now_ms) as client, asyncio.TaskGroup() as tasks:
        if isinstance(config.node, EmbeddedNode):
            tasks.create_task(_serve(config, config.node, now_ms, patience_s))
        tasks.create_task(registrar.run(database, client, config.identifier, now_ms))


async def _serve(
    config: CityConfig, node: EmbeddedNode, now_ms: Callable[[], int], patience_s: float
) -> None:
    from gateway.web.listen import bind_soon  # noqa: PLC0415 - slow to import
    from gateway.web.serve import serve  # noqa: PLC0415 - as above

    with closing(NodeStore(config.data_dir / node.path)) as store:
        app = EnterpriseNode(store, node_credentials(config.data_dir), now_ms).app
        listener = await bind_soon(node.listen, "node", patience_s)
        await serve(app, ConsoleConfig(listen=node.listen), listener, "node")
