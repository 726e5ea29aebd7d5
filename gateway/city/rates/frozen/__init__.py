"""Results as they were published, and when they are frozen."""
