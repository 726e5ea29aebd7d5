"""What an edge asks of the memory management: less work while it runs, and pages given back."""

import ctypes
import gc
import sys

_NEW_OBJECTS = 20_000
"""After so many new objects the garbage collector looks for cycles; Python's default is 700.
What a poll makes lives until the next commit and is freed by reference count then; five hundred
devices have a third of this at once, so that hardly anything is searched while all goes well. Of
cycles an edge makes five small objects a second, and some with each fault."""


def collect_seldom() -> None:
    """Have the garbage collector search less often: a tenth of what 500 devices cost."""
    gc.set_threshold(_NEW_OBJECTS)


def return_memory() -> None:
    """Hand freed pages of the C heap back to the system; takes some milliseconds.

    Importing reads and drops megabytes of compiled modules, and the C library keeps the holes
    for itself: some 5 MiB of an edge at rest.
    """
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # not every C library has it
        if trim is not None:
            trim(0)
