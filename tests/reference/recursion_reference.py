"""The published choice of a cell, and what goes into a bandwidth, by loops and sets."""

from __future__ import annotations

import itertools
import math
import statistics

import numpy as np

__all__ = ["cells_by_sets", "peaks_by_loops", "published_by_sets", "wanted_bandwidth"]


def peaks_by_loops(values, height, distance):
    """Positions of local maxima, as SciPy defines them: the middle of each plateau."""
    found = []
    i = 1
    while i < len(values) - 1:
        if values[i - 1] < values[i]:
            j = i
            while j < len(values) - 1 and values[j + 1] == values[i]:
                j += 1
            if j < len(values) - 1 and values[j + 1] < values[i]:
                found.append((i + j) // 2)
            i = j + 1
        else:
            i += 1
    found = [p for p in found if values[p] >= height]
    # The highest first; of equal ones as argsort has them, from the end.
    order = np.argsort(np.array([values[p] for p in found]))[::-1]
    kept = set(range(len(found)))
    for k in order.tolist():
        if k in kept:
            kept -= {m for m in kept if m != k and abs(found[m] - found[k]) < distance}
    return [found[k] for k in sorted(kept)]


def published_by_sets(values, level, x_peak, side_cutoff=0.0):
    """Positions of the chosen images, ascending, or why there are none."""
    n, latents = values.shape
    if latents == 0:
        return "nothing_active"
    if n <= 50:
        return "too_few_images"
    rank = x_peak if level == 0 else 0
    candidates = []
    for column in range(latents):
        order = np.argsort(values[:, column], kind="stable").tolist()
        row = values[:, column][order]
        differences = [row[i + 1] - row[i] for i in range(n - 1)]
        edge, distance = (n - 1) // 15, (n - 1) // 50
        trimmed = np.array(differences[edge : n - 1 - edge], values.dtype)
        middle = np.median(trimmed)
        below = [d for d in trimmed if d < middle + 4 * trimmed.std()]
        if not below:
            return "no_peak"
        threshold = middle + 7 * np.std(np.array(below, values.dtype))
        peaks = [p + edge for p in peaks_by_loops(trimmed.tolist(), threshold, distance)]
        if not peaks:
            return "no_peak"
        if len(peaks) == 1:
            halves = [order[: peaks[0]], order[peaks[0] :]]
            if level == 0:
                if rank > 1:
                    return "no_such_interval"
                candidates.append([halves[rank]])
            else:
                left = np.mean(differences[1 : peaks[0]]) if peaks[0] > 1 else 0.0
                inside = differences[peaks[0] + 1 :]
                right = np.mean(inside) if inside else 0.0
                candidates.append([halves[1] if right < left else halves[0]])
            continue
        heights = {p: float(differences[p]) for p in peaks}
        if len(peaks) <= 3 and latents > 1:
            peaks = [0, *peaks, n - 2]
            heights |= {0: 1.0, n - 2: 1.0}
        scored = []
        for a, b in itertools.pairwise(peaks):
            inside = differences[a + 1 : b]
            spacing = float(np.mean(np.array(inside, values.dtype))) if inside else 0.0
            low = min(heights[a], heights[b])
            scored.append((low / spacing if spacing > 0 else math.inf, order[a:b]))
        scored = sorted(scored, key=lambda each: -each[0])
        if latents == 1:
            if rank >= len(scored):
                return "no_such_interval"
            candidates.append([scored[rank][1]])
        else:
            candidates.append([images for _, images in scored[:5]])
    if latents == 1:
        chosen = candidates[0][0]
        cut = int(side_cutoff * len(chosen))
        chosen = chosen[cut : len(chosen) - cut]
    else:
        kept = []
        # The last place of a product varies fastest; here it is the first latent.
        for combination in itertools.product(*reversed(candidates)):
            both = set.intersection(*(set(images) for images in combination))
            if len(both) > 5:
                kept.append(both)
        if not kept:
            return "no_cell"
        middle = statistics.median(len(cell) for cell in kept)
        kept = sorted(kept, key=lambda cell: abs(len(cell) - middle))
        if rank >= len(kept):
            return "no_such_cell"
        chosen = kept[rank]
    return sorted(chosen) if len(chosen) >= 10 else "cell_too_small"


def cells_by_sets(ids):
    """Images of each combination of ids that are all at least 0."""
    cells = {}
    for image, row in enumerate(ids.tolist()):
        if min(row) >= 0:
            cells.setdefault(tuple(row), set()).add(image)
    return cells


def wanted_bandwidth(counts, width, orders=7):
    """The bandwidth that the estimate of Botev et al. asks for, if it has this one, in bins.

    Cosine moments are sums over bins, and norms of derivatives sums over moments. The bandwidth
    is right where both are equal.
    """
    bins, total = len(counts), sum(counts)
    moments = [
        sum(c * math.cos(math.pi * k * (b + 0.5) / bins) for b, c in enumerate(counts)) / total
        for k in range(1, bins)
    ]

    def norm(order, time):
        """Of the derivative of a density on the unit interval with these cosine moments."""
        return sum(
            2 * (math.pi * k) ** (2 * order) * a * a * math.exp(-((math.pi * k) ** 2) * time)
            for k, a in enumerate(moments, 1)
        )

    time = (width / bins) ** 2
    for order in range(orders, 1, -1):
        squared = norm(order, time)
        if order == 2:
            return bins * (2 * total * math.sqrt(math.pi) * squared) ** -0.2
        j = order - 1
        odd = math.prod(range(1, 2 * j, 2))
        time = ((1 + 0.5 ** (j + 0.5)) / 3 * odd / (total * math.sqrt(math.pi / 2) * squared)) ** (
            2 / (3 + 2 * j)
        )
    raise AssertionError
