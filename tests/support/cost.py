"""What something costs, whatever else the machine and the other tests of the process do."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def counted_cost() -> Iterator[Callable[[], float]]:
    """Processor seconds of this thread in the block so far, or in all of it when it has ended.

    The collector of cycles rests meanwhile: it may come at any object, and looks at all that the
    tests before have left, which takes seconds late in a run.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    begun, ended = time.thread_time(), list[float]()
    try:
        yield lambda: (ended[0] if ended else time.thread_time()) - begun
    finally:
        ended.append(time.thread_time())
        if was_enabled:
            gc.enable()
