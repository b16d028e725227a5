"""Faults of every outbound call, and the tables in docs/reliability.md that show their effects."""
