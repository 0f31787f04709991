"""Data sets, one a file: where its files are, what an item is, and how it is split."""
