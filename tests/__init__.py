"""The checks of the service, by behaviour."""
