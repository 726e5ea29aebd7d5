"""Tables of values for the tests of the stores."""

import numpy as np

from gateway.city.stores.api import Rows, Series

T0 = 1_760_000_000_000


def series(gateway: str = "gw-1", asset: str = "B-001") -> Series:
    return Series("grinder", "913308001000000013", "1", gateway, "line-1", asset)


def rows(
    times: list[int],
    *,
    of: Series | None = None,
    present: list[list[bool]] | None = None,
    **columns: tuple[str, list[object]],
) -> Rows:
    """``rows([t], speed=("f8", [1.5]))``: a column a field, in the order given."""
    count = (len(times), len(columns))
    arrays = tuple(
        np.array(values, dtype=object if kind == "O" else kind).reshape(len(times), 1)
        for kind, values in columns.values()
    )
    mask = np.ones(count, np.bool_) if present is None else np.array(present, np.bool_)
    return Rows(of or series(), tuple(columns), np.array(times, np.int64), arrays, mask)
