"""The embedded enterprise node and the registrar that talks to it over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import date

from edge_config.models.base import split_listen
from edge_config.models.city import CityConfig, EmbeddedNode
from edge_config.models.identifiers.node import NodeConfig, NodeDatabase, NodeLimits
from gateway.city.identifiers import agreement
from gateway.city.identifiers.issued import FILE, IssuedFile
from gateway.city.identifiers.registering import registrar
from gateway.core.days import day_of
from gateway.identifier.calling import Caller
from gateway.identifier.node import embedded, program
from gateway.identifier.node.credentials import node_credentials
from gateway.identifier.node.http.snms_bodies import REASON
from gateway.identifier.node.http.snms_face import LISTING
from gateway.identifier.registering.composing import registry_of
from gateway.identifier.registering.registry import Registry
from gateway.identifier.registering.snms.meanings import Paths
from gateway.identifier.registering.snms.registry import Manner, SnmsRegistry
from gateway.identifier.visibility import EQUIPMENT
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
        DatabaseUnusableError: the node's file cannot be used.
        ListenError: the node's port is in use.
    """
    with closing(IssuedFile(config.data_dir / FILE)) as issued:
        async with node_registry(config, now_ms) as registry, asyncio.TaskGroup() as tasks:
            if isinstance(config.node, EmbeddedNode):
                tasks.create_task(_serve(config, config.node, now_ms, patience_s))
            tasks.create_task(_register(config, database, registry, issued, now_ms))


async def _register(
    config: CityConfig,
    database: Database,
    registry: Registry,
    issued: IssuedFile,
    now_ms: Callable[[], int],
) -> None:
    # First: another host may have led, and what it has issued is no other machine's.
    await agreement.reached(database, issued)
    await registrar.run(database, registry, config.identifier, issued, now_ms)


@asynccontextmanager
async def node_registry(config: CityConfig, now_ms: Callable[[], int]) -> AsyncIterator[Registry]:
    """The configured node as a registry, closed afterwards.

    Args:
        config: the city.
        now_ms: UTC milliseconds.

    Raises:
        CredentialsError: the embedded node's credentials cannot be used.
        SecretUnavailableError: a key that is needed from the start cannot be used.
        OSError: a file of ``node.tls`` cannot be used.
    """
    registry = _registry(config, now_ms)
    try:
        yield registry
    finally:
        await registry.close()


def _registry(config: CityConfig, now_ms: Callable[[], int]) -> Registry:
    node = config.node
    timeout_s = config.identifier.timeout_ms / 1000

    def today() -> date:
        return day_of(now_ms())

    if isinstance(node, EmbeddedNode):
        own = node_credentials(config.data_dir)
        host, port = split_listen(node.listen)
        caller = Caller(f"http://{f'[{host}]' if ':' in host else host}:{port}", timeout_s)
        return SnmsRegistry(caller, own.username, lambda: own.secret, today, _OWN)
    return registry_of(node, timeout_s, today)


_OWN = Manner(paths=Paths(listing=LISTING), reason=REASON)


async def _serve(
    config: CityConfig, node: EmbeddedNode, now_ms: Callable[[], int], patience_s: float
) -> None:
    own = node_credentials(config.data_dir)
    prefix = config.identifier.prefix
    await program.run(
        _node_config(config, node),
        now_ms,
        lambda connection: embedded.settle(connection, own, prefix, now_ms()),
        patience_s,
        within="node.",
    )


def _node_config(config: CityConfig, node: EmbeddedNode) -> NodeConfig:
    """The embedded node as a node of its own, all of whose identifiers are the city's."""
    path = node.path
    if path.is_relative_to(config.data_dir):  # a URL takes no folder of any name
        path = path.relative_to(config.data_dir)
    return NodeConfig(
        prefix=config.identifier.prefix,
        data_dir=config.data_dir,
        database=NodeDatabase(url=f"sqlite:///{path}"),
        listen=node.listen,
        native_listen=node.native_listen,
        visibility={kind: who.value for kind, who in EQUIPMENT.items()},
        limits=NodeLimits(requests_per_minute=10_000_000),
    )
