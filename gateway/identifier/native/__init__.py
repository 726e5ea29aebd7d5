"""Asking servers of the native protocol of handles: one of them, or a way through several."""
