"""The node's face of the native protocol: sockets, what is answered, who may change what."""
