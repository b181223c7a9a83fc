"""Disentanglement, completeness, informativeness: scores of importances, however they arise."""
