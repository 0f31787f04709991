"""From what a person types to objects: read, resolved, checked and built."""
