"""Losses, one a file. Each names the kinds of targets that it fits."""
