"""The servers that lines and benchmarks are played by."""
