"""Commands to a running gateway over a local socket."""
