"""Prepares data once: built on all cores, verified, and cached in folders named by a hash of what determines them."""
