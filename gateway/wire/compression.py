"""Bodies as they were before they were compressed."""

import threading

import zstandard

from gateway.wire.columns import FrameError


class _Zstd(threading.local):
    """A decompressor for each thread: to make one costs more than to decompress a small body."""

    def __init__(self) -> None:
        self.decompressor = zstandard.ZstdDecompressor()


_zstd = _Zstd()


def decompress(payload: memoryview, limit: int) -> bytes:
    """The plain bytes of a zstd frame that tells its size.

    Args:
        payload: one zstd frame.
        limit: most bytes that it may hold; what says to hold more is not even begun.

    Raises:
        FrameError: damaged, or too large.
    """
    try:
        size = zstandard.frame_content_size(payload)
        # -1: it does not tell its size, and could be without end.
        if not 0 <= size <= limit:
            raise FrameError(f"body of {size} bytes is over the limit of {limit}")
        return _zstd.decompressor.decompress(payload, max_output_size=limit)
    except zstandard.ZstdError as error:
        raise FrameError(f"body does not decompress: {error}") from error
