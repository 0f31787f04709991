"""Losses, one per file. Each names the kinds of targets that it is for."""
