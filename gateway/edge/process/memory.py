"""Give back what starting has left behind."""

import ctypes
import gc
import sys


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
