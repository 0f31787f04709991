"""Metrics, their bootstrap intervals, and naive baselines."""
