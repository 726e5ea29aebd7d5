"""The node's pages: what everybody may see of an identifier."""
