"""Compares configurations on test: differences with simultaneous intervals, verdicts, effects, power."""
