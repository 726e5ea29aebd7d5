"""A node as a process of its own: ``python -m tests.identifier.node.node_process FOLDER PORT``."""

import asyncio
import sys
import time
from pathlib import Path

from edge_config.models.identifiers.node import NodeConfig
from gateway.identifier.node import program
from tests.support.peers import free_port

if __name__ == "__main__":
    config = NodeConfig(
        prefix="88.999",
        data_dir=Path(sys.argv[1]),
        listen=f"127.0.0.1:{free_port()}",
        native_listen=f"127.0.0.1:{sys.argv[2]}",
    )
    asyncio.run(program.run(config, lambda: time.time_ns() // 1_000_000))
