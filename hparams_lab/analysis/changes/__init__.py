"""What differs between two sweeps, or two runs: how they came about, not how well they did."""
