"""Benchmarks: real processes, real sockets, JSON on standard output, no verdicts."""
