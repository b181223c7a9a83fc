"""What `benchmarks/training.py` is made of: baseline, timed cells, curves, pieces of a step."""
