"""Datasets of the field, one file each: from its published archive, drawn, or both."""
