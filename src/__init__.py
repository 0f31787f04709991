"""polysweep: a PyTorch Lightning + Hydra sweeper for music models."""
