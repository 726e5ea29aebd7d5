"""Lean servers for benchmarks: many devices whose values all change, cheap to serve."""
