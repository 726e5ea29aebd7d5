"""What becomes of every nominal tick of a device: counters, gaps, and what clocks do to them."""
