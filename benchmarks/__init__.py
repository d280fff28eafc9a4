"""Measures what issue 3 promises: screening, the whole path, latency and memory. `python -m benchmarks`."""
