"""Writing to devices: one gate, one executor, one record, for people and for the city."""
