"""Scores of a matrix of mutual information, however it is estimated."""
