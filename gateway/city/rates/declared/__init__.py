"""What enterprises declare, beside what was collected; neither overwrites the other."""
