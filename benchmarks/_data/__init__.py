"""What `benchmarks/data.py` is made of: preparation in a process of its own, batches, steps."""
