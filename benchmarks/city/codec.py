"""What the wire costs: frames to bytes and back."""

import time
from collections.abc import Callable

import numpy as np

from gateway.core.batch import Batch
from gateway.core.schema import Equipment, Kind, Schema, Tag
from gateway.wire.frame import BodyEncoder, Header, decode_frame, seal

USCC = "91330822MA0000015W"


def bench_schema(tags: int, device: str = "d1", kind: Kind = Kind.FLOAT32) -> Schema:
    """A schema of tags of one kind and one machine."""
    return Schema(
        device,
        "all",
        "bench",
        "controller",
        True,
        (Equipment(USCC, "1", device.replace("d", "A")),),
        tuple(Tag(f"t{number}", kind) for number in range(tags)),
        1000,
    )


def random_batch(schema: Schema, time_ms: int, generator: np.random.Generator) -> Batch:
    """A batch in which every value is present and random."""
    count = len(schema.tags)
    column = generator.random(count, dtype=np.float32) * 1000
    return Batch(schema, time_ms, np.ones(count, np.bool_), (column,))


def seconds_per_call(function: Callable[[], object], at_least_s: float = 1.0) -> float:
    """Mean time of a call, repeated for some time."""
    calls, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < at_least_s:
        function()
        calls += 1
    return elapsed / calls


def measure() -> list[dict[str, object]]:
    """Encode and decode a frame of ten batches of 1,000 float32 values."""
    generator = np.random.default_rng(1)
    schema = bench_schema(1000)
    batches = [random_batch(schema, 1000 * number, generator) for number in range(10)]
    encoder = BodyEncoder()
    frame = seal(encoder.encode(batches), Header(1, 1, 10_000))
    known = {schema.id: schema}
    encode_s = seconds_per_call(lambda: encoder.encode(batches))
    decode_s = seconds_per_call(lambda: decode_frame(frame, known))
    return [
        {"name": "wire encode", "values_per_s": round(10_000 / encode_s)},
        {
            "name": "wire decode",
            "values_per_s": round(10_000 / decode_s),
            "bytes_per_value": round(len(frame) / 10_000, 2),
        },
    ]
