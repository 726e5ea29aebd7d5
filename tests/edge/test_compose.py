"""What a changed configuration makes of what the buffer remembers."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from gateway.core.batch import NEVER
from gateway.core.status import Reason
from gateway.edge.app import Edge, compose
from gateway.edge.buffer.buffer import Buffer
from gateway.edge.buffer.incoming import Commit, Progress
from tests.edge.plant import Plant, loaded
from tests.support.consumers import for_city

MONTH_MS = 30 * 86_400_000


@contextlib.contextmanager
def composed(folder: Path, device: str) -> Iterator[Edge]:
    """A gateway with this device, as it stands before anything runs."""
    buffer = Buffer.open(folder / "b.db", for_city(1 << 30, 1 << 50))
    with contextlib.closing(buffer):
        yield compose(loaded(folder, id=device), {"plant": Plant().spec()}, buffer)


async def test_a_device_that_was_taken_out_for_a_month_owes_nothing_for_it(tmp_path: Path) -> None:
    now_ms = time.time_ns() // 1_000_000
    seen = Progress(now_ms - MONTH_MS, now_ms - MONTH_MS + 7)
    with composed(tmp_path, "d") as edge:
        edge.buffer.append(Commit(progress={("gone", "g"): seen}), now_ms)
    with composed(tmp_path, "d") as edge:
        await edge.recorder.commit()
        assert edge.buffer.progress()["gone", "g"] == Progress(NEVER, seen.newest_ms)
    with composed(tmp_path, "gone") as edge:
        edge.recorder.stop()
        await edge.recorder.run()
        assert [gap for gap in edge.buffer.gaps() if gap.cause is Reason.GATEWAY_DOWN] == []
        assert edge.buffer.totals().due == 0
