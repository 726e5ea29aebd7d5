"""The SNMS interface of enterprise and secondary nodes, as a registry."""
