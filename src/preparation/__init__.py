"""Data prepared once: made on all cores, kept in a verified folder, named by all that determines it."""
