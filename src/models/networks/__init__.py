"""Plain `torch.nn` networks, one per file."""
