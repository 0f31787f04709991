"""Reads, resolves and checks what a user types, and builds the objects that it names."""
