"""LightningModules, which train the networks in `networks`."""
