"""The tests, one module for each behaviour of the service."""
