"""What differs between kinds of items; a data module names its own by `inputs`."""
