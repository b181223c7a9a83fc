"""What `benchmarks/results_table.py` is made of: run folders, and a process that reads them."""
