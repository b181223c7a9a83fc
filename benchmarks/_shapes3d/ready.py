"""How long it takes until rendered 3DShapes is ready, and what a batch costs; run on its own."""

from __future__ import annotations

import json
import resource
import time

import numpy as np

from unweave.data import load_dataset

BATCH = 64
ROUNDS = 500


def main() -> None:
    start, used = time.perf_counter(), time.process_time()
    data = load_dataset("shapes3d")
    seconds, processor = time.perf_counter() - start, time.process_time() - used
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rng = np.random.default_rng(0)
    batches = [rng.integers(0, len(data), BATCH) for _ in range(ROUNDS)]
    times = []
    for batch in batches:
        before = time.perf_counter()
        data.gather(batch)
        times.append(time.perf_counter() - before)
    folder = data.spec.folder()
    assert folder is not None
    found = {
        "seconds": seconds,
        "processor": processor,
        "megabytes": memory,
        "stored": sum(path.stat().st_size for path in folder.iterdir()) / 2**20,
        "batch": 1000 * float(np.median(times[ROUNDS // 5 :])),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
