"""Sweeps of many trials: identity, queue, ledger, statistics, leaderboard. Knows nothing about music."""
