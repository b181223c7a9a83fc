"""Renderers: images drawn from factor indices."""
