"""A buffer that can be closed and opened again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.edge.buffer.buffer import Buffer
from tests.edge.buffers import Open
from tests.support.consumers import for_city


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    buffers: list[Buffer] = []

    def open_it(quota_bytes: int = 1 << 30, max_age_ms: int = 1 << 50) -> Buffer:
        for buffer in buffers:
            buffer.close()
        buffers[:] = [Buffer.open(tmp_path / "b.db", for_city(quota_bytes, max_age_ms))]
        return buffers[0]

    yield open_it
    for buffer in buffers:
        buffer.close()  # closing twice does no harm
