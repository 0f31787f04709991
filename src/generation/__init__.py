"""New music from a trained network: drawn step by step, written as files, measured against held-out music."""
