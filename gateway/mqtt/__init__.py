"""The connection to an MQTT broker, as edge and city both use it."""
