"""LightningModules; the networks they train are in `networks`."""
