"""Which index a node's namespace has in a session, and what to say where there is none. Pure."""

from collections.abc import MutableMapping, Sequence

from gateway.drivers.opcua.nodes import NodeName, namespace_indexes


class Namespaces:
    """The namespaces of a session.

    Args:
        uris: the server's NamespaceArray.
        by_index: URIs of the indexes that tags are written with, as they were when the server first
            listed one; outlives sessions and is added to. A server that still starts may list none.
    """

    def __init__(self, uris: Sequence[str], by_index: MutableMapping[int, str]) -> None:
        self.uris = tuple(uris)
        self._by_index = by_index

    def indexes(self, node: NodeName) -> tuple[int, ...]:
        """Indexes that the node's namespace may have; none if it is not there."""
        if self._was(node) != self._is(node):
            return ()
        return namespace_indexes(node, self.uris)

    def _was(self, node: NodeName) -> str:
        uri = self._is(node)
        if node.index and uri:
            self._by_index.setdefault(node.index, uri)
        return self._by_index.get(node.index or 0, uri)

    def _is(self, node: NodeName) -> str:
        return self.uris[node.index] if node.index and node.index < len(self.uris) else ""

    def lacks(self, node: NodeName) -> str:
        """What is wrong with the node's namespace, as a sentence; empty if it is there."""
        if self._was(node) != self._is(node):
            return (
                f"namespace index {node.index} was {self._was(node)!r} and is now "
                f"{self._is(node)!r}; write nsu=<namespace URI> in place of ns={node.index}"
            )
        if self.indexes(node):
            return ""
        has = ", ".join(map(repr, self.uris)) or "none"
        return f"the server has no namespace {node.uri!r}; it has {has}"
