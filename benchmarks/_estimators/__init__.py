"""What `benchmarks/estimators.py` is made of: densities, candidates, gradients, tables."""
