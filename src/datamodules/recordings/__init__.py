"""Recorded clips: where they come from, whether they can be used, how they are cut and divided."""
