"""Training, validation and test splits: groups that stay together, duplicates, and the draws."""
