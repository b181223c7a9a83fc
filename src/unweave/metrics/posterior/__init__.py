"""Scores that are sampled from Gaussian posteriors and their average, q(z)."""
