"""Clips played by a synthesiser: whole, or mixed of stems."""
