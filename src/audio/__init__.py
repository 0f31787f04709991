"""Sound and notes in, arrays out. Knows no Lightning and no Hydra."""
