"""Imported last by the process of which workers are forks, so that they share its memory.

What is there by now stays: the garbage collector, which would write into all of it, leaves it be.
"""

import gc

gc.collect()
gc.freeze()
