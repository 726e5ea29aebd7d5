"""Which partitions this worker hears, and whether it leads."""
