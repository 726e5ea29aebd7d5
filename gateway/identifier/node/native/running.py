"""The node's native face while it runs, composed out of its configuration."""

import asyncio
from contextlib import closing
from socket import socket

from edge_config.models.base import split_listen
from edge_config.models.identifiers.node import NodeConfig
from gateway.identifier.node.http.application import Parts
from gateway.identifier.node.keeping.lookup import Lookup
from gateway.identifier.node.native.administering import Administration
from gateway.identifier.node.native.face import NativeFace
from gateway.identifier.node.native.referring import Directory, site_of
from gateway.identifier.node.native.serving import NativeNode


async def serve_natively(config: NodeConfig, parts: Parts, listen: str, patience_s: float) -> None:
    """Answer natively until cancelled.

    Args:
        config: of the node.
        parts: of the node.
        listen: address, of TCP and UDP.
        patience_s: how long to wait for it while something else has it.

    Raises:
        ListenError: the port is in use.
        SealError: the key of sealed secrets cannot be used.
        SQLAlchemyError: the database fails at the start.
    """
    from gateway.web.listen import ListenError, bind_soon  # noqa: PLC0415 - slow to import

    listener = await bind_soon(listen, "node", patience_s, "native_listen")
    with closing(Lookup(parts.database)) as lookup:
        site = site_of(config.prefix, _reached_at(config, listener), takes_changes=True)
        administration = Administration(
            parts.database, parts.seal, parts.terms, parts.now_ms, parts.clock_s
        )
        directory = Directory(config.prefix, site)
        node = NativeNode(
            parts.database, lookup, directory, administration, parts.tally, parts.now_ms
        )
        await node.refresh()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(NativeFace(node.answer).serve(listener))
                tasks.create_task(node.keep_current())
        except* OSError as group:  # the same port of UDP is another's
            error = group.exceptions[0]
            raise ListenError(f"node: {error}; set another port in 'native_listen'") from error


def _reached_at(config: NodeConfig, listener: socket) -> tuple[str, int]:
    host = config.native_address or split_listen(config.native_listen or "")[0]
    return host, listener.getsockname()[1]
