"""Readers of published files: streamed, checked while they are read."""
