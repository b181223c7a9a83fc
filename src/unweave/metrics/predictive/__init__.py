"""Scores of how well single latents predict single factors."""
