"""Executors run the trials of a sweep: one interface, and a file for each kind of executor."""
