"""The native protocol of handles, as a registry."""
