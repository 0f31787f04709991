"""Soundfonts: where they lie, what is in them, which share recordings, and new ones out of other formats."""
