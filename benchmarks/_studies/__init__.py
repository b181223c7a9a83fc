"""What `benchmarks/studies.py` is made of: its driver, two nodes, what is checked."""
