"""The bytes of OPC UA's binary encoding, and what they mean as values. Pure."""
