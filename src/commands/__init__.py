"""What each `mode=` does: train, prepare, test, predict, generate."""
