"""Real components for tests: brokers, databases, foreign peers, processes."""
