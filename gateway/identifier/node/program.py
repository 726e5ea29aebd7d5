"""A node while it runs: its database, its faces, its counts. One way, however it is started."""

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import closing

from sqlalchemy import Connection

from edge_config.models.identifiers.node import NodeConfig
from gateway.identifier.node.counting import keep_counting
from gateway.identifier.node.keeping.opening import open_database
from gateway.identifier.node.keeping.secrets import Seal
from gateway.identifier.node.native.running import serve_natively
from gateway.identifier.node.parts import Parts
from gateway.identifier.node.rights.principal import Terms
from gateway.identifier.visibility import Seen
from gateway.relational.database import Database

log = logging.getLogger(__name__)


def terms_of(config: NodeConfig) -> Terms:
    """What holds at a node."""
    visibility = {kind: Seen(who) for kind, who in config.visibility.items()}
    return Terms(config.prefix, config.limits.registrations_per_day, visibility)


def database_of(config: NodeConfig) -> Database:
    """A node's database, at its newest version.

    Raises:
        DatabaseUnusableError: it cannot be used.
        SecretUnavailableError: its password cannot be read.
    """
    asked = config.database
    visibility = terms_of(config).visibility
    return open_database(asked.url, config.data_dir, visibility, asked.password)


async def run(
    config: NodeConfig,
    now_ms: Callable[[], int],
    prepare: Callable[[Connection], None] = lambda _connection: None,
    patience_s: float = 0,
    within: str = "",
) -> None:
    """Serve a node until cancelled.

    Args:
        config: of the node.
        now_ms: the clock, UTC milliseconds.
        prepare: done to its database before it answers.
        patience_s: how long to wait for its addresses while something else has them.
        within: what stands before its keys in the file that it was configured in, as ``node.``.

    Raises:
        DatabaseUnusableError: its database cannot be used.
        SecretUnavailableError: the database's password cannot be read.
        SealError: the key of sealed secrets cannot be used.
        ListenError: a port is in use.
        OSError: certificate or key cannot be read.
    """
    with closing(await asyncio.to_thread(database_of, config)) as database:
        await database.run(prepare)
        parts = Parts(database, terms_of(config), Seal(config.data_dir), now_ms)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_serve_http(config, parts, patience_s, f"{within}listen"))
            if config.native_listen is not None:
                tasks.create_task(serve_natively(config, parts, patience_s, within))
            tasks.create_task(keep_counting(database, parts.tally, now_ms))


async def run_until_stopped(config: NodeConfig, now_ms: Callable[[], int]) -> None:
    """Serve a node until SIGTERM or SIGINT.

    Raises:
        ExceptionGroup: a part failed for good, as of :func:`run`.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(run(config, now_ms))
        log.info("node %s is running", config.prefix)
        await stop.wait()
        log.info("node %s stops", config.prefix)
        serving.cancel()


async def _serve_http(config: NodeConfig, parts: Parts, patience_s: float, key: str) -> None:
    from gateway.identifier.node.http.application import application  # noqa: PLC0415 - as below
    from gateway.web.listen import bind_soon  # noqa: PLC0415 - slow to import
    from gateway.web.serve import serve  # noqa: PLC0415 - as above

    listener = await bind_soon(config.listen, "node", patience_s, key)
    per_minute = config.limits.requests_per_minute
    app = application(parts, per_minute, has_tls=config.tls is not None)
    await serve(app, config, listener, "node")
