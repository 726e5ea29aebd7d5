"""Industrial-internet identifiers: codes, node dialects, outbox, the embedded enterprise node."""
