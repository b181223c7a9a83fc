"""Figures from usual input and from extremes of it, by the name of the function of `plots`."""

from __future__ import annotations

from plots.cases import codes, pictures, results, runs, trainings

CASES = {**pictures.CASES, **codes.CASES, **trainings.CASES, **results.CASES, **runs.CASES}
"""Function -> case -> what draws it."""
