"""What the console knows of the present: from the sockets of ingest, database and store."""
