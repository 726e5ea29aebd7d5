"""One device at work: its model, poller, books, gaps and reports."""
