"""Where trials run: one interface, and a file for each kind of place."""
