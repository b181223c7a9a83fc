"""Scores of what happens to codes when one factor is held or changed."""
