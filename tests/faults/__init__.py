"""Faults at every call that leaves a function, and the tables of docs/reliability.md, which are made of what is seen then."""
