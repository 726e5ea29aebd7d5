"""The lean OPC UA server for benchmarks, as a client by others sees it: npm node-opcua."""

import json
import subprocess

from tests.simulators.process import PATIENCE_S, simulator
from tests.support.peers import foreign_script, node

ITEMS = list(range(100_000, 100_250))


def test_every_item_changes_in_every_message_and_carries_its_time() -> None:
    with simulator("bench-opcua", "--addresses", "2") as server:
        wanted = {
            "url": f"opc.tcp://127.0.0.2:{server.opcua}/",
            "items": ITEMS,
            "period": 50,
            "changes": 4,
        }
        command = [node(), str(foreign_script("opcua_client.js")), json.dumps(wanted)]
        told = subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_S)
    seen = {
        int(item): changes for item, changes in json.loads(told.stdout.splitlines()[-1]).items()
    }
    assert sorted(seen) == ITEMS
    for changes in seen.values():
        values, times, statuses = zip(*changes, strict=True)
        assert len(set(values)) == len(values) >= 4
        assert all(0 <= value <= 1000 for value in values)
        # a server that is held up catches up, with two messages in a millisecond
        assert list(times) == sorted(times)
        assert len(set(times)) > 1
        assert set(statuses) == {"Good"}
    assert seen[ITEMS[0]][0][1] - seen[ITEMS[-1]][0][1] == 2, "scans of 100 items, 1 ms apart"
