"""Pieces as piano rolls: made from scores and files, stored as bits, divided, batched."""
