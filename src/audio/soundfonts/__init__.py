"""Soundfonts: finding, downloading, reading, comparing and writing them."""
