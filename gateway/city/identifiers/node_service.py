"""The embedded enterprise node and the registrar that talks to it over HTTP."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from datetime import date
from socket import socket

from edge_config.models.base import ConsoleConfig, split_listen
from edge_config.models.city import CityConfig, EmbeddedNode
from gateway.city.identifiers import agreement, registrar
from gateway.city.identifiers.issued import FILE, IssuedFile
from gateway.core.days import day_of
from gateway.identifier.node.answering import answer
from gateway.identifier.node.credentials import node_credentials
from gateway.identifier.node.native_face import NativeFace, own_holdings
from gateway.identifier.node.snms_face import EnterpriseNode
from gateway.identifier.node.store import NodeStore
from gateway.identifier.snms import SnmsClient
from gateway.relational.database import Database


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
        IssuedFileError: the file of issued identifiers cannot be used.
        NodeStoreError: the node's file cannot be used.
        ListenError: the node's port is in use.
    """
    with closing(IssuedFile(config.data_dir / FILE)) as issued:
        async with node_client(config, now_ms) as client, asyncio.TaskGroup() as tasks:
            if isinstance(config.node, EmbeddedNode):
                tasks.create_task(_serve(config, config.node, now_ms, patience_s))
            tasks.create_task(_register(config, database, client, issued, now_ms))


async def _register(
    config: CityConfig,
    database: Database,
    client: SnmsClient,
    issued: IssuedFile,
    now_ms: Callable[[], int],
) -> None:
    # First: another host may have led, and what it has issued is no other machine's.
    await agreement.reached(database, issued)
    await registrar.run(database, client, config.identifier, issued, now_ms)


def node_client(
    config: CityConfig, now_ms: Callable[[], int], url: str | None = None
) -> SnmsClient:
    """A client of the configured node.

    Args:
        config: the city.
        now_ms: UTC milliseconds.
        url: where the embedded node really listens, if its port was chosen at the start.

    Raises:
        CredentialsError: the embedded node's credentials cannot be used.
    """
    node = config.node
    timeout_s = config.identifier.timeout_ms / 1000

    def today() -> date:
        return day_of(now_ms())

    if isinstance(node, EmbeddedNode):
        own = node_credentials(config.data_dir)
        host, port = split_listen(node.listen)
        base = url or f"http://{f'[{host}]' if ':' in host else host}:{port}"
        return SnmsClient(base, own.username, lambda: own.secret, today=today, timeout_s=timeout_s)
    return SnmsClient(
        url or node.url, node.username, node.password.reveal, today=today, timeout_s=timeout_s
    )


async def _serve(
    config: CityConfig, node: EmbeddedNode, now_ms: Callable[[], int], patience_s: float
) -> None:
    from gateway.web.listen import bind_soon  # noqa: PLC0415 - slow to import
    from gateway.web.serve import serve  # noqa: PLC0415 - as above

    with closing(NodeStore(config.data_dir / node.path)) as store:
        app = _node(config, store, now_ms).app
        listener = await bind_soon(node.listen, "node", patience_s)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(serve(app, ConsoleConfig(listen=node.listen), listener, "node"))
            if node.native_listen is not None:
                key = "node.native_listen"
                native = await bind_soon(node.native_listen, "node", patience_s, key)
                tasks.create_task(_serve_native(config, node, native, now_ms))


async def _serve_native(
    config: CityConfig, node: EmbeddedNode, listener: socket, now_ms: Callable[[], int]
) -> None:
    """Answer natively, from a connection of its own to the node's file: it is never waited for."""
    from gateway.web.listen import ListenError  # noqa: PLC0415 - as above

    with closing(NodeStore(config.data_dir / node.path)) as store:
        holdings = own_holdings(store, config.identifier.prefix, listener.getsockname())
        face = NativeFace(lambda asked: answer(asked, holdings, now_ms() // 1000))
        try:
            await face.serve(listener)
        except OSError as error:  # the same port of UDP is another's
            raise ListenError(f"node: {error}; set another port in 'node.native_listen'") from error


def _node(config: CityConfig, store: NodeStore, now_ms: Callable[[], int]) -> EnterpriseNode:
    credentials = node_credentials(config.data_dir)
    return EnterpriseNode(store, credentials, config.identifier.prefix, now_ms)
