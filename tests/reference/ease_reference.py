"""Ease of use and its probes, step by step: areas of strips, least squares as they stand."""

from __future__ import annotations

import numpy as np

__all__ = ["ease", "fourier_probe", "importances", "unexplained"]


def ease(capacities, losses, baseline, best=0.0, strips=200_001):
    """One minus the area over `best` of the running minimum of losses, in triangles."""
    least, running = baseline, []
    for value in losses:
        least = min(least, value)
        running.append(least)
    places = np.linspace(capacities[0], capacities[-1], strips)
    heights = np.interp(places, capacities, running) - best
    return 1 - heights.mean() / ((baseline - best) / 2)


def fourier_probe(codes, values, others, w, b, ridge):
    """What least squares on codes (N, L) and cos(codes w + b) finds of values for others (M, L).

    The ridge is written as further rows, whose values are 0, and the constant is found by taking
    means off.
    """

    def design(rows):
        waves = np.cos(rows @ w + b)
        used = [rows[:, j] for j in range(rows.shape[1]) if len(set(codes[:, j])) > 1]
        return np.column_stack([*used, waves])

    x, mean = design(codes), values.mean(axis=0)
    middle = x.mean(axis=0)
    weight = np.sqrt(ridge * len(codes)) * np.eye(x.shape[1])
    rows = np.concatenate([x - middle, weight])
    wanted = np.concatenate([values - mean, np.zeros((x.shape[1], values.shape[1]))])
    return (design(others) - middle) @ np.linalg.lstsq(rows, wanted, rcond=None)[0] + mean


def unexplained(values, found, mean):
    """Share of the squares of values (N, T) about a mean that is left, value by value."""
    rest = whole = 0.0
    for row, guess in zip(values, found, strict=True):
        for t in range(len(row)):
            rest += (row[t] - guess[t]) ** 2
            whole += (row[t] - mean[t]) ** 2
    return rest / whole


def importances(predict, codes, values, mean):
    """How much more is unexplained when each code in turn comes from the row before."""
    before = unexplained(values, predict(codes), mean)
    grown = []
    for j in range(codes.shape[1]):
        dealt = codes.copy()
        for i in range(len(codes)):
            dealt[i, j] = codes[i - 1, j]
        grown.append(max(unexplained(values, predict(dealt), mean) - before, 0.0))
    return np.array(grown)
