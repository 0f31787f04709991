"""Music as sequences of frames: what features there are, how they are stored and batched."""
