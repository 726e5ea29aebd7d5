"""What was published of a month, one after the other; how records of definitions differ."""
