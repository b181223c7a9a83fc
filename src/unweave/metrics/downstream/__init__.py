"""Scores of predictors that are trained on codes for a task."""
