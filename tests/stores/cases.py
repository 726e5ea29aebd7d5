"""Tables of values, and stores to write them to."""

from typing import Any

import numpy as np
import pytest

from edge_config.models.base import Secret
from edge_config.models.city import Influx1Store, Influx2Store
from gateway.city.stores.api import Rows, Series
from gateway.city.stores.influx1 import Influx1
from gateway.city.stores.influx2 import Influx2
from tests.support.influx2_contract import BUCKET, ORG, TOKEN

T0 = 1_760_000_000_000


def series(gateway: str = "gw-1", asset: str = "B-001") -> Series:
    return Series("grinder", "913308001000000013", "1", gateway, "line-1", asset)


def rows(
    times: list[int],
    *,
    of: Series | None = None,
    present: list[list[bool]] | None = None,
    status: list[list[int]] | None = None,
    **columns: tuple[str, list[object]],
) -> Rows:
    """``rows([t], speed=("f8", [1.5]))``: a column a field, in the order given."""
    count = (len(times), len(columns))
    arrays = tuple(
        np.array(values, dtype=object if kind == "O" else kind).reshape(len(times), 1)
        for kind, values in columns.values()
    )
    mask = np.ones(count, np.bool_) if present is None else np.array(present, np.bool_)
    codes = None if status is None else np.array(status, np.uint8)
    return Rows(of or series(), tuple(columns), np.array(times, np.int64), arrays, mask, codes)


def influx2(monkeypatch: pytest.MonkeyPatch, url: str, token: str = TOKEN, **more: Any) -> Influx2:
    monkeypatch.setenv("STORE_TOKEN", token)
    given = {"org": ORG, "bucket": BUCKET, "timeout_ms": 20_000} | more
    return Influx2(
        Influx2Store(type="influxdb2", url=url, token=Secret(env="STORE_TOKEN"), **given)
    )


def influx1(url: str, database: str = "qulink", timeout_ms: int = 20_000) -> Influx1:
    config = Influx1Store(type="influxdb1", url=url, database=database, timeout_ms=timeout_ms)
    return Influx1(config)
