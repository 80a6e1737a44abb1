"""Benchmarks: what a call, a run and an import cost. Run with `python -m benchmarks`."""
