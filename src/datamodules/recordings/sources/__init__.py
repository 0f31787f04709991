"""Clips cut out of films and recordings, as a list of sources says."""
