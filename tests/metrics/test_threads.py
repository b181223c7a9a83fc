"""Work in threads: order, failures that stop the others, progress."""

from __future__ import annotations

import threading

import pytest

from unweave.metrics.threads import cores, over_latents

LARGE = 10**9
"""Work that is worth threads."""


def test_results_are_in_the_order_of_the_latents():
    first = threading.Event()

    def work(latent, tick):
        # The first waits for the last, where there are two cores.
        if latent == 0 and cores() > 1:
            first.wait(10)
        if latent == 4:
            first.set()
        tick(1)
        return latent**2

    assert over_latents(work, 5, LARGE, None) == [0, 1, 4, 9, 16]


def test_little_work_is_done_in_one_thread():
    names = over_latents(lambda latent, tick: threading.current_thread().name, 6, 10, None)
    assert len(set(names)) == 1


def test_a_failure_is_raised_and_stops_the_others():
    ticks = []

    def work(latent, tick):
        if latent == 0:
            raise ZeroDivisionError
        for _ in range(10**6):
            tick(1)
            ticks.append(latent)

    with pytest.raises(ZeroDivisionError):
        over_latents(work, 4, LARGE, None)
    assert len(ticks) < 10**6


def test_progress_never_goes_back_and_ends_once():
    told = []

    def work(latent, tick):
        for _ in range(20):
            tick(5)

    # The total is an expectation; here it is too low.
    over_latents(work, 3, 250, lambda what, done, total: told.append((what, done, total)))
    done = [value for _, value, _ in told]
    assert done == sorted(done)
    assert done.count(250) == 1
    assert done[-1] == 250
    assert len(told) == 61
