"""Many trials: identity, launcher, ledger, leaderboard. Knows nothing of music."""
