"""Kinds of datasets: stored, drawn, made of others, read from published files."""
