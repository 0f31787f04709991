"""Plain `torch.nn` networks, one a file."""
