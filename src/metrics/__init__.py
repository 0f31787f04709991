"""What is measured, and the baselines it is measured against."""
