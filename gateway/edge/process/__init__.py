"""How a checked configuration becomes a running edge, in a process without what checked it."""
