"""A byte-level fuzzer: answers that were tampered with, and a judge beside each decoder."""
