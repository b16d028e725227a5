"""Measures what the service costs, as ratios to what it could not well do without: `make bench`. It judges figures, not code."""
