"""What ingest costs: from the bytes of an MQTT message to the bytes of line protocol."""

import numpy as np

from benchmarks.codec import bench_schema, random_batch, seconds_per_call
from gateway.city.rows import batch_rows, layout_of
from gateway.city.stores.line_protocol import encode
from gateway.core.batch import Batch
from gateway.wire.frame import BodyEncoder, Header, decode_frame, seal


def measure(tags: int, devices: int = 100) -> dict[str, object]:
    """One frame with a batch of every device: decode, split into machines, write as text.

    Args:
        tags: float32 tags of a device.
        devices: devices in the frame.
    """
    generator = np.random.default_rng(1)
    schemas = {s.id: s for s in (bench_schema(tags, f"d{n}") for n in range(1, devices + 1))}
    batches = [random_batch(schema, 1_700_000_000_000, generator) for schema in schemas.values()]
    layouts = {schema_id: layout_of("gw-bench", schema) for schema_id, schema in schemas.items()}
    values = tags * devices
    frame = seal(BodyEncoder().encode(batches), Header(1, 1, values))

    def ingest() -> int:
        size = 0
        for record in decode_frame(frame, schemas).records:
            if not isinstance(record, Batch):
                continue
            for rows in batch_rows(layouts[record.schema.id], [record]):
                lines, _ = encode(rows)
                size += sum(len(line.body) for line in lines)
        return size

    size = ingest()
    elapsed = seconds_per_call(ingest, 3.0)
    return {
        "name": f"ingest, {tags} tags a line",
        "values_per_s": round(values / elapsed),
        "line_protocol_bytes_per_value": round(size / values, 1),
    }
