"""The city side: ingest, stores, ledger, evidence, rates, identifiers' outbox, console."""
