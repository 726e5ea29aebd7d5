"""What ingest costs: from the bytes of an MQTT message to the bytes of line protocol."""

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.city.codec import bench_schema, random_batch, seconds_per_call
from gateway.city.ingest.layout import Layout, batch_rows, change_rows, layout_of
from gateway.city.stores.api import Rows
from gateway.city.stores.line_protocol import encode
from gateway.city.stores.marks import Doubts
from gateway.core.batch import Batch, Changes
from gateway.core.schema import Kind, Schema
from gateway.wire.frame import BodyEncoder, Header, decode_frame, seal
from gateway.wire.records import Record

START_MS = 1_700_000_000_000


def measure(tags: int, devices: int = 100) -> dict[str, object]:
    """One frame with a batch of every device: decode, split into machines, write as text.

    Args:
        tags: float32 tags of a device.
        devices: devices in the frame.
    """
    generator = np.random.default_rng(1)
    schemas = [bench_schema(tags, f"d{n}") for n in range(1, devices + 1)]
    batches = [random_batch(schema, START_MS, generator) for schema in schemas]
    return _measured(f"ingest, {tags} tags a line", schemas, batches, tags * devices)


def measure_changes(tags: int = 100, each: int = 10, devices: int = 10) -> dict[str, object]:
    """One frame of a subscription in which every value came at a time of its own.

    Args:
        tags: float64 tags of a device.
        each: values of a tag.
        devices: devices in the frame.
    """
    generator = np.random.default_rng(1)
    schemas = [bench_schema(tags, f"d{n}", Kind.FLOAT64) for n in range(1, devices + 1)]
    changes = [_scattered_changes(schema, each, generator) for schema in schemas]
    count = tags * each * devices
    return _measured("ingest, changes with a time of their own", schemas, changes, count)


def _scattered_changes(schema: Schema, each: int, generator: np.random.Generator) -> Changes:
    tags = len(schema.tags)
    times = START_MS + generator.permutation(tags * each).reshape(tags, each)
    index = np.repeat(np.arange(tags, dtype=np.uint32), each)
    values = generator.random(tags * each) * 1000
    return Changes(schema, index, np.sort(times, axis=1).ravel(), (values,))


def _measured(
    name: str, schemas: Sequence[Schema], records: Sequence[Batch | Changes], values: int
) -> dict[str, object]:
    known = {schema.id: schema for schema in schemas}
    layouts = {schema.id: layout_of("gw-bench", schema) for schema in schemas}
    frame = seal(BodyEncoder().encode(records), Header(1, 1, values))
    doubts = Doubts()

    def ingest() -> int:
        return sum(
            len(line.body)
            for record in decode_frame(frame, known).records
            for rows in _rows(layouts, record)
            for line in encode(rows, doubts)[0]
        )

    size = ingest()
    elapsed = seconds_per_call(ingest, 3.0)
    return {
        "name": name,
        "values_per_s": round(values / elapsed),
        "line_protocol_bytes_per_value": round(size / values, 1),
    }


def _rows(layouts: Mapping[int, Layout], record: Record) -> Sequence[Rows]:
    match record:
        case Batch():
            return batch_rows(layouts[record.schema.id], [record])
        case Changes():
            return change_rows(layouts[record.schema.id], record)
        case _:
            return ()
