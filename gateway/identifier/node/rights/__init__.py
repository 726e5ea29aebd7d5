"""What may be done at the node and by whom: the one place, whatever protocol it is asked by."""
