"""The node's native face while it runs, composed out of its configuration."""

import asyncio
from collections.abc import Callable
from contextlib import closing

from edge_config.models.base import split_listen
from edge_config.models.identifiers.node import NodeConfig
from gateway.identifier.node.keeping.lookup import Lookup
from gateway.identifier.node.native.administering import Administration
from gateway.identifier.node.native.face import NativeFace
from gateway.identifier.node.native.processes.order import Order
from gateway.identifier.node.native.processes.supervising import keep_reading
from gateway.identifier.node.native.referring import Directory, site_of
from gateway.identifier.node.native.serving import NativeNode
from gateway.identifier.node.parts import Parts
from gateway.identifier.node.visitors import limit


async def serve_natively(
    config: NodeConfig, parts: Parts, patience_s: float, within: str = ""
) -> None:
    """Answer natively until cancelled: at one address, or with several processes at two.

    Args:
        config: of the node; it has an address of the native protocol.
        parts: of the node.
        patience_s: how long to wait for an address while something else has it.
        within: what stands before its keys in the file that it was configured in, as ``node.``.

    Raises:
        ListenError: a port is in use.
        SealError: the key of sealed secrets cannot be used.
        SQLAlchemyError: the database fails at the start.
    """
    listen = config.native_listen or ""
    admin = config.native_admin_listen if config.processes > 1 else listen
    changes_at = _reached_at(config, admin) if admin else None
    site = site_of(config.prefix, _reached_at(config, listen), changes_at)
    directory = Directory(config.prefix, site)
    per_minute = config.limits.requests_per_minute
    may_ask = limit(per_minute, parts.clock_s)
    if config.processes == 1:
        await _serve(parts, listen, f"{within}native_listen", directory, may_ask, patience_s)
        return
    place = config.database.url, config.data_dir, config.database.password
    order = Order(*place, directory, per_minute)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(keep_reading(order, listen, config.processes, patience_s, within))
        if admin is not None:
            key = f"{within}native_admin_listen"
            tasks.create_task(_serve(parts, admin, key, directory, may_ask, patience_s))


async def _serve(
    parts: Parts,
    listen: str,
    key: str,
    directory: Directory,
    may_ask: Callable[[str], bool],
    patience_s: float,
) -> None:
    """Answer in this process, which takes changes; ``key`` of the configuration says where."""
    from gateway.web.listen import ListenError, bind_soon  # noqa: PLC0415 - slow to import

    listener = await bind_soon(listen, "node", patience_s, key)
    with closing(Lookup(parts.database)) as lookup:
        administration = Administration(
            parts.database, parts.seal, parts.terms, parts.now_ms, parts.clock_s
        )
        node = NativeNode(
            parts.database, lookup, directory, administration, parts.tally, parts.now_ms, may_ask
        )
        await node.refresh()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(NativeFace(node.answer).serve(listener))
                tasks.create_task(node.keep_current())
        except* OSError as group:  # the same port of UDP is another's
            error = group.exceptions[0]
            raise ListenError(f"node: {error}; set another port in '{key}'") from error


def _reached_at(config: NodeConfig, listen: str) -> tuple[str, int]:
    host, port = split_listen(listen)
    return config.native_address or host, port
