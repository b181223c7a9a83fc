"""Parts of `benchmarks/population.py`."""
