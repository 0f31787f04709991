"""Tasks, one for each kind of items; a data module names its task in the attribute `inputs`."""
